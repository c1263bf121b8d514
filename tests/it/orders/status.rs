//! The status of orders: every pair of states, everybody who might try, and what a cancellation gives back.

use serde_json::json;
use souk::ids::{OrderId, ProductId, RowId};

use crate::support::{Actor, ProductSpec, TestApp};

const STATES: [&str; 5] = ["PENDING", "CONFIRMED", "SHIPPED", "DELIVERED", "CANCELLED"];

/// The moves that the shop may make, written down once more: the program's own table is what is tested.
const MOVES: [(&str, &str); 5] = [
    ("PENDING", "CONFIRMED"),
    ("PENDING", "CANCELLED"),
    ("CONFIRMED", "SHIPPED"),
    ("CONFIRMED", "CANCELLED"),
    ("SHIPPED", "DELIVERED"),
];

/// Pieces of each product before anything is ordered.
const STOCK: i32 = 100;

/// An order of two products, one of them a seller's, and the people around it.
struct Scene<'a> {
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

impl<'a> Scene<'a> {
    async fn new(app: &'a TestApp) -> Self {
        let website = app.website("sailor").await;
        let (customer, neighbour, seller, rival) =
            (app.customer().await, app.customer().await, app.seller().await, app.seller().await);
        let (manager, admin) = (app.manager().await, app.admin().await);
        let spec = |seller| ProductSpec { stock: STOCK, seller, ..ProductSpec::default() };
        let theirs = app.product(website.id, spec(Some(seller.id))).await.id;
        let ours = app.product(website.id, spec(None)).await.id;
        app.product(website.id, spec(Some(rival.id))).await;
        let order = customer.order(&[(theirs, 2), (ours, 3)]).await;
        Self { app, order, products: [theirs, ours], customer, neighbour, seller, rival, manager, admin }
    }

    /// Another order in the place of this one.
    async fn renew(&mut self) {
        self.order = self.customer.order(&[(self.products[0], 2), (self.products[1], 3)]).await;
    }

    /// Puts the order into a state past all rules.
    async fn put(&self, status: &str) {
        let id = OrderId::parse("id", &self.order).expect("an order").0;
        let sql = format!("UPDATE orders SET status = '{}' WHERE id = {id}", status.to_lowercase());
        self.app.database.sql(&sql).await;
    }

    async fn status(&self) -> String {
        let query = "query ($id: ID!) { order(id: $id) { status } }";
        self.admin.run_with(query, json!({ "id": self.order })).await.text_at("order.status")
    }

    async fn moved(&self, actor: &Actor<'_>, to: &str) -> String {
        let input = json!({ "id": self.order, "status": to });
        actor.mutate("orderStatusUpdate", "order { id status }", input).await.verdict("orderStatusUpdate")
    }

    async fn cancelled(&self, actor: &Actor<'_>) -> String {
        let input = json!({ "id": self.order });
        actor.mutate("orderCancel", "order { id status }", input).await.verdict("orderCancel")
    }

    async fn stocks(&self) -> [i32; 2] {
        [self.app.stock(self.products[0]).await, self.app.stock(self.products[1]).await]
    }
}

#[tokio::test]
async fn an_order_moves_only_along_the_legal_ways_and_only_by_the_shops_hands() {
    let app = TestApp::new().await;
    let mut scene = Scene::new(&app).await;
    let (anonymous, guest) = (app.anonymous(), app.guest("souk_c_guest"));
    for from in STATES {
        for to in STATES {
            for (who, refusal) in [
                ("anonymous", Some("!UNAUTHENTICATED")),
                ("guest", Some("!UNAUTHENTICATED")),
                ("customer", Some("!FORBIDDEN")),
                ("neighbour", Some("!FORBIDDEN")),
                ("rival", Some("NOT_FOUND id")),
                ("seller", None),
                ("manager", None),
                ("admin", None),
            ] {
                scene.put(from).await;
                let actor = match who {
                    "anonymous" => &anonymous,
                    "guest" => &guest,
                    "customer" => &scene.customer,
                    "neighbour" => &scene.neighbour,
                    "rival" => &scene.rival,
                    "seller" => &scene.seller,
                    "manager" => &scene.manager,
                    _ => &scene.admin,
                };
                let legal = MOVES.contains(&(from, to));
                let expected = refusal.unwrap_or(if legal { "done" } else { "ILLEGAL_TRANSITION status" });
                assert_eq!(scene.moved(actor, to).await, expected, "{who}: {from} to {to}");
                let stays = if expected == "done" { to } else { from };
                assert_eq!(scene.status().await, stays, "{who}: {from} to {to}");
                if expected == "done" {
                    // What was shipped stays shipped.
                    scene.renew().await;
                }
            }
        }
    }
    app.database.assert_books_balance().await;
}

#[tokio::test]
async fn a_customer_cancels_while_the_order_is_pending_and_staff_until_it_is_shipped() {
    let app = TestApp::new().await;
    let scene = Scene::new(&app).await;
    let anonymous = app.anonymous();
    // Done in how many of the first states, and what is said in the others.
    let actors: [(&str, &Actor, usize, &str); 7] = [
        ("anonymous", &anonymous, 0, "!UNAUTHENTICATED"),
        ("customer", &scene.customer, 1, "ILLEGAL_TRANSITION id"),
        ("neighbour", &scene.neighbour, 0, "NOT_FOUND id"),
        ("seller", &scene.seller, 0, "NOT_FOUND id"),
        ("rival", &scene.rival, 0, "NOT_FOUND id"),
        ("manager", &scene.manager, 2, "ILLEGAL_TRANSITION id"),
        ("admin", &scene.admin, 2, "ILLEGAL_TRANSITION id"),
    ];
    for (who, actor, last, refusal) in actors {
        for (index, from) in STATES.into_iter().enumerate() {
            scene.put(from).await;
            let expected = if index < last { "done" } else { refusal };
            assert_eq!(scene.cancelled(actor).await, expected, "{who}: {from}");
            let stays = if expected == "done" { "CANCELLED" } else { from };
            assert_eq!(scene.status().await, stays, "{who}: {from}");
        }
    }
    app.database.assert_books_balance().await;
}

#[tokio::test]
async fn a_move_gives_no_stock_back_and_a_cancellation_gives_it_back_once() {
    let app = TestApp::new().await;
    let scene = Scene::new(&app).await;
    assert_eq!(scene.stocks().await, [STOCK - 2, STOCK - 3]);
    assert_eq!(scene.moved(&scene.seller, "CONFIRMED").await, "done");
    assert_eq!(scene.stocks().await, [STOCK - 2, STOCK - 3]);

    assert_eq!(scene.moved(&scene.manager, "CANCELLED").await, "done");
    assert_eq!(scene.stocks().await, [STOCK, STOCK]);
    let by = scene.manager.id.0;
    let [first, second] = scene.products.map(|product| product.0);
    let ledger = "SELECT product_id, delta, balance, order_id, user_id FROM stock_movements
        WHERE reason = 'cancellation' ORDER BY id";
    let back = [format!("({first},2,{STOCK},1,{by})"), format!("({second},3,{STOCK},1,{by})")];
    assert_eq!(app.database.rows(ledger).await, back);

    let before = app.database.contents().await;
    assert_eq!(scene.cancelled(&scene.customer).await, "ILLEGAL_TRANSITION id");
    assert_eq!(scene.cancelled(&scene.admin).await, "ILLEGAL_TRANSITION id");
    assert_eq!(scene.moved(&scene.admin, "CANCELLED").await, "ILLEGAL_TRANSITION status");
    assert_eq!(app.database.contents().await, before);
}

#[tokio::test]
async fn a_cancellation_gives_back_what_the_ledger_says_after_every_change_of_the_lines() {
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
    assert_eq!(customer.mutate("orderDetailAdd", "", add(4)).await.verdict("orderDetailAdd"), "done");
    assert_eq!(customer.mutate("orderDetailAdd", "", add(1)).await.verdict("orderDetailAdd"), "done");
    for quantity in [7, 5] {
        let update = json!({ "id": kept_line, "quantity": quantity });
        assert_eq!(customer.mutate("orderDetailUpdate", "", update).await.verdict("orderDetailUpdate"), "done");
    }
    let remove = json!({ "id": removed_line });
    assert_eq!(customer.mutate("orderDetailRemove", "", remove).await.verdict("orderDetailRemove"), "done");
    assert_eq!([app.stock(kept).await, app.stock(removed).await, app.stock(added).await], [15, 20, 15]);

    let cancelled = customer.mutate("orderCancel", "order { status }", json!({ "id": id })).await;
    assert_eq!(cancelled.text_at("orderCancel.order.status"), "CANCELLED");
    assert_eq!([app.stock(kept).await, app.stock(removed).await, app.stock(added).await], [20, 20, 20]);
    let ledger = "SELECT product_id, delta FROM stock_movements WHERE reason = 'cancellation' ORDER BY id";
    assert_eq!(app.database.rows(ledger).await, [format!("({},5)", kept.0), format!("({},5)", added.0)]);
    app.database.assert_books_balance().await;
}

#[tokio::test]
async fn cancelling_an_order_that_took_no_stock_gives_none() {
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
    assert_eq!(cancelled.verdict("orderCancel"), "done");
    assert_eq!(app.stock(rope.id).await, 5);
    assert_eq!(app.database.rows("SELECT 1 FROM stock_movements WHERE reason <> 'opening'").await.len(), 0);
}

#[tokio::test]
async fn a_seller_does_not_run_what_they_bought_themselves() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await;
    let seller = app.seller().await;
    let spec = ProductSpec { stock: 5, seller: Some(seller.id), ..ProductSpec::default() };
    let own = app.product(website.id, spec).await;
    let order = seller.order(&[(own.id, 1)]).await;
    let input = json!({ "id": order, "status": "CONFIRMED" });
    let refused = seller.mutate("orderStatusUpdate", "", input).await;
    assert_eq!(refused.verdict("orderStatusUpdate"), "NOT_FOUND id");
    let cancelled = seller.mutate("orderCancel", "", json!({ "id": order })).await;
    assert_eq!(cancelled.verdict("orderCancel"), "done");
}

#[tokio::test]
async fn ids_of_no_order_are_refused_in_every_move() {
    let app = TestApp::new().await;
    let scene = Scene::new(&app).await;
    let before = app.database.contents().await;
    for (id, expected) in [
        (OrderId(1_000_000).to_global_id(), "NOT_FOUND id"),
        (scene.products[0].to_global_id(), "INVALID id"),
        (String::new(), "INVALID id"),
        ("T3JkZXI6MDE".to_owned(), "INVALID id"),
    ] {
        let input = json!({ "id": id, "status": "CONFIRMED" });
        let answer = scene.admin.mutate("orderStatusUpdate", "", input).await;
        assert_eq!(answer.verdict("orderStatusUpdate"), expected, "{id}");
        let answer = scene.admin.mutate("orderCancel", "", json!({ "id": id })).await;
        assert_eq!(answer.verdict("orderCancel"), expected, "{id}");
    }
    for status in [json!("pending"), json!("PAID"), json!(null), json!(1)] {
        let input = json!({ "id": scene.order, "status": status });
        let answer = scene.admin.mutate("orderStatusUpdate", "", input).await;
        assert_eq!(answer.verdict("orderStatusUpdate"), "!BAD_USER_INPUT", "{status}");
    }
    assert_eq!(app.database.contents().await, before);
}
