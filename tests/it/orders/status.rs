//! The order status: every transition, every actor, and the stock returned by a cancellation.

use serde_json::json;
use souk::ids::{OrderId, ProductId, RowId};

use crate::support::{Actor, ProductSpec, TestApp};

const STATES: [&str; 5] = ["PENDING", "CONFIRMED", "SHIPPED", "DELIVERED", "CANCELLED"];

/// The legal transitions, written down independently of the program's table, which is under test.
const TRANSITIONS: [(&str, &str); 5] = [
    ("PENDING", "CONFIRMED"),
    ("PENDING", "CANCELLED"),
    ("CONFIRMED", "SHIPPED"),
    ("CONFIRMED", "CANCELLED"),
    ("SHIPPED", "DELIVERED"),
];

/// Units of each product before anything is ordered.
const STOCK: i32 = 100;

/// An order of two products of a seller, and the actors around it. Orders with lines of several sellers are in
/// `attacks::orders_of_other_sellers`.
struct OrderFixture<'a> {
    app: &'a TestApp,
    order: String,
    products: [ProductId; 2],
    customer: Actor<'a>,
    neighbour: Actor<'a>,
    seller: Actor<'a>,
    rival: Actor<'a>,
    manager: Actor<'a>,
    admin: Actor<'a>,
}

impl<'a> OrderFixture<'a> {
    async fn new(app: &'a TestApp) -> Self {
        let website = app.website("sailor").await;
        let (customer, neighbour, seller, rival) =
            (app.customer().await, app.customer().await, app.seller().await, app.seller().await);
        let (manager, admin) = (app.manager().await, app.admin().await);
        let spec = |seller| ProductSpec { stock: STOCK, seller, ..ProductSpec::default() };
        let first = app.product(website.id, spec(Some(seller.id))).await.id;
        let second = app.product(website.id, spec(Some(seller.id))).await.id;
        app.product(website.id, spec(Some(rival.id))).await;
        let order = customer.order(&[(first, 2), (second, 3)]).await;
        Self { app, order, products: [first, second], customer, neighbour, seller, rival, manager, admin }
    }

    /// Places a new order and uses it from now on.
    async fn replace_order(&mut self) {
        self.order = self.customer.order(&[(self.products[0], 2), (self.products[1], 3)]).await;
    }

    /// Sets the order's status directly, bypassing all rules.
    async fn force_status(&self, status: &str) {
        let id = OrderId::parse("id", &self.order).expect("an order").0;
        let sql = format!("UPDATE orders SET status = '{}' WHERE id = {id}", status.to_lowercase());
        self.app.database.sql(&sql).await;
    }

    async fn status(&self) -> String {
        let query = "query ($id: ID!) { order(id: $id) { status } }";
        self.admin.run_with(query, json!({ "id": self.order })).await.text_at("order.status")
    }

    async fn try_set_status(&self, actor: &Actor<'_>, to: &str) -> String {
        let input = json!({ "id": self.order, "status": to });
        actor.mutate("orderStatusUpdate", "order { id status }", input).await.outcome("orderStatusUpdate")
    }

    async fn try_cancel(&self, actor: &Actor<'_>) -> String {
        let input = json!({ "id": self.order });
        actor.mutate("orderCancel", "order { id status }", input).await.outcome("orderCancel")
    }

    async fn stocks(&self) -> [i32; 2] {
        [self.app.stock(self.products[0]).await, self.app.stock(self.products[1]).await]
    }
}

#[tokio::test]
async fn only_staff_make_status_transitions_and_only_legal_ones() {
    let app = TestApp::new().await;
    let mut fixture = OrderFixture::new(&app).await;
    let (anonymous, guest) = (app.anonymous(), app.guest("souk_c_guest"));
    for from in STATES {
        for to in STATES {
            for (who, rejection) in [
                ("anonymous", Some("!UNAUTHENTICATED")),
                ("guest", Some("!UNAUTHENTICATED")),
                ("customer", Some("!FORBIDDEN")),
                ("neighbour", Some("!FORBIDDEN")),
                ("rival", Some("NOT_FOUND id")),
                ("seller", None),
                ("manager", None),
                ("admin", None),
            ] {
                fixture.force_status(from).await;
                let actor = match who {
                    "anonymous" => &anonymous,
                    "guest" => &guest,
                    "customer" => &fixture.customer,
                    "neighbour" => &fixture.neighbour,
                    "rival" => &fixture.rival,
                    "seller" => &fixture.seller,
                    "manager" => &fixture.manager,
                    _ => &fixture.admin,
                };
                let legal = TRANSITIONS.contains(&(from, to));
                let expected = rejection.unwrap_or(if legal { "done" } else { "ILLEGAL_TRANSITION status" });
                assert_eq!(fixture.try_set_status(actor, to).await, expected, "{who}: {from} to {to}");
                let stays = if expected == "done" { to } else { from };
                assert_eq!(fixture.status().await, stays, "{who}: {from} to {to}");
                if expected == "done" {
                    // A shipped order cannot go back, so another one is used.
                    fixture.replace_order().await;
                }
            }
        }
    }
    app.database.assert_invariants().await;
}

#[tokio::test]
async fn customers_cancel_pending_orders_and_staff_until_shipped() {
    let app = TestApp::new().await;
    let fixture = OrderFixture::new(&app).await;
    let anonymous = app.anonymous();
    // The number of states, in order, in which each actor may cancel, and the outcome in the others.
    let actors: [(&str, &Actor, usize, &str); 7] = [
        ("anonymous", &anonymous, 0, "!UNAUTHENTICATED"),
        ("customer", &fixture.customer, 1, "ILLEGAL_TRANSITION id"),
        ("neighbour", &fixture.neighbour, 0, "NOT_FOUND id"),
        ("seller", &fixture.seller, 0, "NOT_FOUND id"),
        ("rival", &fixture.rival, 0, "NOT_FOUND id"),
        ("manager", &fixture.manager, 2, "ILLEGAL_TRANSITION id"),
        ("admin", &fixture.admin, 2, "ILLEGAL_TRANSITION id"),
    ];
    for (who, actor, last, rejection) in actors {
        for (index, from) in STATES.into_iter().enumerate() {
            fixture.force_status(from).await;
            let expected = if index < last { "done" } else { rejection };
            assert_eq!(fixture.try_cancel(actor).await, expected, "{who}: {from}");
            let stays = if expected == "done" { "CANCELLED" } else { from };
            assert_eq!(fixture.status().await, stays, "{who}: {from}");
        }
    }
    app.database.assert_invariants().await;
}

#[tokio::test]
async fn only_a_cancellation_returns_stock_and_only_once() {
    let app = TestApp::new().await;
    let fixture = OrderFixture::new(&app).await;
    assert_eq!(fixture.stocks().await, [STOCK - 2, STOCK - 3]);
    assert_eq!(fixture.try_set_status(&fixture.seller, "CONFIRMED").await, "done");
    assert_eq!(fixture.stocks().await, [STOCK - 2, STOCK - 3]);

    assert_eq!(fixture.try_set_status(&fixture.manager, "CANCELLED").await, "done");
    assert_eq!(fixture.stocks().await, [STOCK, STOCK]);
    let by = fixture.manager.id.0;
    let [first, second] = fixture.products.map(|product| product.0);
    let ledger = "SELECT product_id, delta, balance, order_id, user_id FROM stock_movements
        WHERE reason = 'cancellation' ORDER BY id";
    let back = [format!("({first},2,{STOCK},1,{by})"), format!("({second},3,{STOCK},1,{by})")];
    assert_eq!(app.database.rows(ledger).await, back);

    let before = app.database.contents().await;
    assert_eq!(fixture.try_cancel(&fixture.customer).await, "ILLEGAL_TRANSITION id");
    assert_eq!(fixture.try_cancel(&fixture.admin).await, "ILLEGAL_TRANSITION id");
    assert_eq!(fixture.try_set_status(&fixture.admin, "CANCELLED").await, "ILLEGAL_TRANSITION status");
    assert_eq!(app.database.contents().await, before);
}

#[tokio::test]
async fn cancellation_returns_the_ledger_quantity_after_line_changes() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await;
    let customer = app.customer().await;
    let spec = || ProductSpec { stock: 20, ..ProductSpec::default() };
    let mut products = Vec::new();
    for _ in 0..3 {
        products.push(app.product(website.id, spec()).await.id);
    }
    let [kept, removed, added] = products[..] else { unreachable!() };
    let placed = customer.try_order(&[(kept, 2), (removed, 1)], "k").await;
    let id = placed.text_at("orderCreate.order.id");
    let (kept_line, removed_line) =
        (placed.text_at("orderCreate.order.details.0.id"), placed.text_at("orderCreate.order.details.1.id"));
    let add = |quantity: i32| json!({ "orderId": id, "productId": added.to_global_id(), "quantity": quantity });
    assert_eq!(customer.mutate("orderDetailAdd", "", add(4)).await.outcome("orderDetailAdd"), "done");
    assert_eq!(customer.mutate("orderDetailAdd", "", add(1)).await.outcome("orderDetailAdd"), "done");
    for quantity in [7, 5] {
        let update = json!({ "id": kept_line, "quantity": quantity });
        assert_eq!(customer.mutate("orderDetailUpdate", "", update).await.outcome("orderDetailUpdate"), "done");
    }
    let remove = json!({ "id": removed_line });
    assert_eq!(customer.mutate("orderDetailRemove", "", remove).await.outcome("orderDetailRemove"), "done");
    assert_eq!([app.stock(kept).await, app.stock(removed).await, app.stock(added).await], [15, 20, 15]);

    let cancelled = customer.mutate("orderCancel", "order { status }", json!({ "id": id })).await;
    assert_eq!(cancelled.text_at("orderCancel.order.status"), "CANCELLED");
    assert_eq!([app.stock(kept).await, app.stock(removed).await, app.stock(added).await], [20, 20, 20]);
    let ledger = "SELECT product_id, delta FROM stock_movements WHERE reason = 'cancellation' ORDER BY id";
    assert_eq!(app.database.rows(ledger).await, [format!("({},5)", kept.0), format!("({},5)", added.0)]);
    app.database.assert_invariants().await;
}

#[tokio::test]
async fn canceling_an_order_without_stock_movements_returns_no_stock() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await;
    let rope = app.product(website.id, ProductSpec { stock: 5, ..ProductSpec::default() }).await;
    let imported = format!(
        "INSERT INTO orders (source_website_id, order_number) VALUES ({}, 'OLD-1');
         INSERT INTO order_details (order_id, product_id, name, sku, quantity, unit_price)
         VALUES (1, {}, 'Rope', 'R-1', 3, 10.00)",
        website.id.0, rope.id.0
    );
    app.database.sql(&imported).await;
    let cancelled = app.manager().await.mutate("orderCancel", "", json!({ "id": OrderId(1).to_global_id() })).await;
    assert_eq!(cancelled.outcome("orderCancel"), "done");
    assert_eq!(app.stock(rope.id).await, 5);
    assert_eq!(app.database.rows("SELECT 1 FROM stock_movements WHERE reason <> 'opening'").await.len(), 0);
}

#[tokio::test]
async fn seller_cannot_manage_their_own_purchases() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await;
    let seller = app.seller().await;
    let spec = ProductSpec { stock: 5, seller: Some(seller.id), ..ProductSpec::default() };
    let own = app.product(website.id, spec).await;
    let order = seller.order(&[(own.id, 1)]).await;
    let input = json!({ "id": order, "status": "CONFIRMED" });
    let refused = seller.mutate("orderStatusUpdate", "", input).await;
    assert_eq!(refused.outcome("orderStatusUpdate"), "NOT_FOUND id");
    let cancelled = seller.mutate("orderCancel", "", json!({ "id": order })).await;
    assert_eq!(cancelled.outcome("orderCancel"), "done");
}

#[tokio::test]
async fn invalid_order_ids_are_rejected_in_every_transition() {
    let app = TestApp::new().await;
    let fixture = OrderFixture::new(&app).await;
    let before = app.database.contents().await;
    for (id, expected) in [
        (OrderId(1_000_000).to_global_id(), "NOT_FOUND id"),
        (fixture.products[0].to_global_id(), "INVALID id"),
        (String::new(), "INVALID id"),
        ("T3JkZXI6MDE".to_owned(), "INVALID id"),
    ] {
        let input = json!({ "id": id, "status": "CONFIRMED" });
        let response = fixture.admin.mutate("orderStatusUpdate", "", input).await;
        assert_eq!(response.outcome("orderStatusUpdate"), expected, "{id}");
        let response = fixture.admin.mutate("orderCancel", "", json!({ "id": id })).await;
        assert_eq!(response.outcome("orderCancel"), expected, "{id}");
    }
    for status in [json!("pending"), json!("PAID"), json!(null), json!(1)] {
        let input = json!({ "id": fixture.order, "status": status });
        let response = fixture.admin.mutate("orderStatusUpdate", "", input).await;
        assert_eq!(response.outcome("orderStatusUpdate"), "!BAD_USER_INPUT", "{status}");
    }
    assert_eq!(app.database.contents().await, before);
}
