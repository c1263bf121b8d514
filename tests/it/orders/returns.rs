//! Returning shipped units: who may request a return, how many units, and how staff settle it.

use futures_util::future::join_all;
use serde_json::{Value, json};
use souk::{
    auth::Permission,
    ids::{OrderDetailId, OrderId, ProductId, ReturnId, RowId},
};

use crate::support::{
    Actor, ProductSpec, TestApp, TestResponse,
    psql::{Psql, violated_constraint},
};

/// Every field of a return.
const RETURN: &str = "return { id status note rejection settledAt lines { quantity reason isRestocked detail { name } }
    order { details { quantity shippedQuantity returnedQuantity } returns { id } } }";

/// A confirmed order of five ropes and three nails, of which four ropes are shipped.
struct OrderFixture<'a> {
    app: &'a TestApp,
    order: String,
    lines: [String; 2],
    products: [ProductId; 2],
    customer: Actor<'a>,
    seller: Actor<'a>,
    manager: Actor<'a>,
}

impl<'a> OrderFixture<'a> {
    async fn new(app: &'a TestApp) -> Self {
        let website = app.website("sailor").await;
        let (customer, seller, manager) = (app.customer().await, app.seller().await, app.manager().await);
        let spec = |name: &str| ProductSpec {
            name: Some(name.into()),
            stock: 100,
            seller: Some(seller.id),
            ..ProductSpec::default()
        };
        let products = [app.product(website.id, spec("Rope")).await.id, app.product(website.id, spec("Nail")).await.id];
        let placed = customer.try_order(&[(products[0], 5), (products[1], 3)], "k").await;
        let line = |index: usize| placed.text_at(&format!("orderCreate.order.details.{index}.id"));
        let (order, lines) = (placed.text_at("orderCreate.order.id"), [line(0), line(1)]);
        let fixture = Self { app, order, lines, products, customer, seller, manager };
        let confirm = json!({ "id": fixture.order, "status": "CONFIRMED" });
        let moved = fixture.manager.mutate("orderStatusUpdate", "", confirm).await;
        assert_eq!(moved.outcome("orderStatusUpdate"), "done");
        let four = json!([{ "orderDetailId": fixture.lines[0], "quantity": 4 }]);
        let ship = json!({ "orderId": fixture.order, "lines": four, "idempotencyKey": "1" });
        assert_eq!(fixture.manager.mutate("shipmentCreate", "", ship).await.outcome("shipmentCreate"), "done");
        fixture
    }

    fn line(&self, index: usize, quantity: i64) -> Value {
        json!({ "orderDetailId": self.lines[index], "quantity": quantity, "reason": "torn" })
    }

    async fn try_return(&self, actor: &Actor<'_>, lines: Value, key: &str) -> TestResponse {
        let input = json!({ "orderId": self.order, "lines": lines, "note": "A pity.", "idempotencyKey": key });
        actor.mutate("returnCreate", RETURN, input).await
    }

    /// Requests a return of this many ropes; returns its id.
    async fn return_ropes(&self, quantity: i64, key: &str) -> String {
        self.try_return(&self.customer, json!([self.line(0, quantity)]), key).await.text_at("returnCreate.return.id")
    }

    async fn returned_quantities(&self) -> Vec<String> {
        self.app.database.rows("SELECT returned_quantity FROM order_details ORDER BY id").await
    }
}

#[tokio::test]
async fn returned_units_are_restocked_if_sellable() {
    let app = TestApp::new().await;
    let fixture = OrderFixture::new(&app).await;
    let rest = json!({ "orderId": fixture.order, "idempotencyKey": "2" });
    assert_eq!(fixture.manager.mutate("shipmentCreate", "", rest).await.outcome("shipmentCreate"), "done");
    let asked = fixture.try_return(&fixture.customer, json!([fixture.line(0, 2), fixture.line(1, 3)]), "1").await;
    let id = asked.text_at("returnCreate.return.id");
    let line = |quantity: i32, is_restocked: bool, name: &str| json!({ "quantity": quantity, "reason": "torn", "isRestocked": is_restocked, "detail": { "name": name } });
    let expected = json!({
        "id": id, "status": "REQUESTED", "note": "A pity.", "rejection": null, "settledAt": null,
        "lines": [line(2, false, "Rope"), line(3, false, "Nail")],
        "order": {
            "details": [
                { "quantity": 5, "shippedQuantity": 5, "returnedQuantity": 2 },
                { "quantity": 3, "shippedQuantity": 3, "returnedQuantity": 3 },
            ],
            "returns": [{ "id": id }],
        },
    });
    let shown = "query ($id: ID!) { node(id: $id) { ... on Return { RETURN } } }"
        .replace("RETURN", RETURN.trim_start_matches("return {").trim_end_matches('}'));
    assert_eq!(fixture.customer.run_with(&shown, json!({ "id": id })).await.at("node"), &expected);

    assert_eq!([app.stock(fixture.products[0]).await, app.stock(fixture.products[1]).await], [95, 97]);
    let lines = json!([
        { "orderDetailId": fixture.lines[1], "restock": true }, { "orderDetailId": fixture.lines[0], "restock": false },
    ]);
    let received = fixture.manager.mutate("returnReceive", RETURN, json!({ "id": id, "lines": lines })).await;
    assert_eq!(received.text_at("returnReceive.return.status"), "RECEIVED");
    assert!(received.at("returnReceive.return.settledAt").is_string());
    let lines = json!([line(2, false, "Rope"), line(3, true, "Nail")]);
    assert_eq!(received.at("returnReceive.return.lines"), &lines);
    assert_eq!([app.stock(fixture.products[0]).await, app.stock(fixture.products[1]).await], [95, 100]);
    let ledger = "SELECT product_id, delta, order_id, user_id FROM stock_movements WHERE reason = 'return'";
    assert_eq!(app.database.rows(ledger).await, [format!("({},3,1,{})", fixture.products[1].0, fixture.manager.id.0)]);
    // A return is settled only once.
    let again = fixture.manager.mutate("returnReceive", "", json!({ "id": id })).await;
    assert_eq!(again.outcome("returnReceive"), "ILLEGAL_TRANSITION id");
    let again = fixture.manager.mutate("returnReject", "", json!({ "id": id, "reason": "no" })).await;
    assert_eq!(again.outcome("returnReject"), "ILLEGAL_TRANSITION id");
    app.database.assert_invariants().await;
}

#[tokio::test]
async fn units_of_a_rejected_return_can_be_returned_again() {
    let app = TestApp::new().await;
    let fixture = OrderFixture::new(&app).await;
    let id = fixture.return_ropes(4, "1").await;
    let refused = fixture.try_return(&fixture.customer, json!([fixture.line(0, 1)]), "2").await;
    assert_eq!(refused.outcome("returnCreate"), "OUT_OF_RANGE lines.0.quantity");
    let reject = json!({ "id": id, "reason": "Cut to length." });
    let rejected = fixture.manager.mutate("returnReject", RETURN, reject).await;
    assert_eq!(rejected.text_at("returnReject.return.status"), "REJECTED");
    assert_eq!(rejected.text_at("returnReject.return.rejection"), "Cut to length.");
    assert_eq!(fixture.returned_quantities().await, ["(0)", "(0)"]);
    fixture.return_ropes(1, "3").await;
    assert_eq!(fixture.returned_quantities().await, ["(1)", "(0)"]);
    assert_eq!(app.stock(fixture.products[0]).await, 95, "nothing was restocked");
}

#[tokio::test]
async fn buyers_request_returns_and_staff_settle_them() {
    let app = TestApp::new().await;
    let fixture = OrderFixture::new(&app).await;
    let elsewhere = app.website("rise").await;
    let of_there = app.user_with(&[Permission::ManageOrders], &[elsewhere.id]).await;
    let (neighbour, anonymous, guest) = (app.customer().await, app.anonymous(), app.guest("souk_c_guest"));
    for (who, actor, ask, settle) in [
        ("anonymous", &anonymous, "!UNAUTHENTICATED", "!UNAUTHENTICATED"),
        ("guest", &guest, "NOT_FOUND orderId", "!UNAUTHENTICATED"),
        ("neighbour", &neighbour, "NOT_FOUND orderId", "!FORBIDDEN"),
        ("seller", &fixture.seller, "NOT_FOUND orderId", "!FORBIDDEN"),
        ("staff elsewhere", &of_there, "NOT_FOUND orderId", "NOT_FOUND id"),
        ("customer", &fixture.customer, "done", "!FORBIDDEN"),
        ("manager", &fixture.manager, "done", "done"),
    ] {
        let asked = fixture.try_return(actor, json!([fixture.line(0, 1)]), who).await;
        assert_eq!(asked.outcome("returnCreate"), ask, "{who}");
        let id = fixture.return_ropes(1, &format!("for {who}")).await;
        let rejected = actor.mutate("returnReject", "", json!({ "id": id, "reason": "no" })).await;
        assert_eq!(rejected.outcome("returnReject"), settle, "{who}");
        let open = |outcome: &str| outcome != "done";
        if open(&rejected.outcome("returnReject")) {
            let received = actor.mutate("returnReceive", "", json!({ "id": id })).await;
            assert_eq!(received.outcome("returnReceive"), settle, "{who}");
            let reject = json!({ "id": id, "reason": "no" });
            assert_eq!(fixture.manager.mutate("returnReject", "", reject).await.outcome("returnReject"), "done");
        }
    }
    app.assign_to_guest(&fixture.order, "souk_c_guest").await;
    let asked = fixture.try_return(&guest, json!([fixture.line(0, 1)]), "guest").await;
    assert_eq!(asked.outcome("returnCreate"), "done");
    let again = fixture.try_return(&guest, json!([fixture.line(0, 1)]), "guest").await;
    assert_eq!(again.at("returnCreate.return.id"), asked.at("returnCreate.return.id"));
    // Everyone who sees the order sees the return.
    let query = "query ($id: ID!) { node(id: $id) { ... on Return { note } } }";
    let id = json!({ "id": asked.at("returnCreate.return.id") });
    for (actor, seen) in
        [(&guest, true), (&fixture.seller, true), (&fixture.customer, false), (&of_there, false), (&anonymous, false)]
    {
        assert_eq!(actor.run_with(query, id.clone()).await.at("node").is_object(), seen);
    }
}

#[tokio::test]
async fn rejected_return_returns_errors_and_writes_nothing() {
    let app = TestApp::new().await;
    let fixture = OrderFixture::new(&app).await;
    let other = fixture.customer.try_order(&[(fixture.products[1], 9)], "other").await;
    let foreign = other.text_at("orderCreate.order.details.0.id");
    let of = |id: &str| json!({ "orderDetailId": id, "quantity": 1, "reason": "torn" });
    let because = |reason: &str| json!({ "orderDetailId": fixture.lines[0], "quantity": 1, "reason": reason });
    let id = fixture.return_ropes(1, "open").await;
    let before = app.database.contents().await;
    for (lines, expected) in [
        (json!([]), "REQUIRED lines"),
        (json!([fixture.line(0, 0)]), "OUT_OF_RANGE lines.0.quantity"),
        (json!([fixture.line(0, -1)]), "OUT_OF_RANGE lines.0.quantity"),
        (json!([fixture.line(0, 1_000_000_000)]), "OUT_OF_RANGE lines.0.quantity"),
        (json!([fixture.line(0, 4)]), "OUT_OF_RANGE lines.0.quantity"),
        (json!([fixture.line(1, 1)]), "OUT_OF_RANGE lines.0.quantity"),
        (json!([fixture.line(0, 1), fixture.line(0, 1)]), "INVALID lines.1.orderDetailId"),
        (json!([of(&foreign)]), "NOT_FOUND lines.0.orderDetailId"),
        (json!([of(&OrderDetailId(999).to_global_id())]), "NOT_FOUND lines.0.orderDetailId"),
        (json!([of(&fixture.order)]), "INVALID lines.0.orderDetailId"),
        (json!([because("")]), "REQUIRED lines.0.reason"),
        (json!([because(&"x".repeat(501))]), "TOO_LONG lines.0.reason"),
        (json!([fixture.line(0, 3_000_000_000)]), "!BAD_USER_INPUT"),
    ] {
        let refused = fixture.try_return(&fixture.customer, lines.clone(), "k").await;
        assert_eq!(refused.outcome("returnCreate"), expected, "{lines}");
    }
    for (field, value, expected) in [
        ("orderId", json!(OrderId(999).to_global_id()), "NOT_FOUND orderId"),
        ("orderId", json!(other.text_at("orderCreate.order.id")), "ILLEGAL_TRANSITION orderId"),
        ("note", json!(" "), "REQUIRED note"),
        ("note", json!("x".repeat(2001)), "TOO_LONG note"),
        ("idempotencyKey", json!(""), "INVALID idempotencyKey"),
    ] {
        let mut input = json!({ "orderId": fixture.order, "lines": [fixture.line(0, 1)], "idempotencyKey": "k" });
        input[field] = value.clone();
        let refused = fixture.customer.mutate("returnCreate", "", input).await;
        assert_eq!(refused.outcome("returnCreate"), expected, "{field} {value}");
    }
    let named = |line: &str| json!({ "orderDetailId": line, "restock": true });
    for (lines, expected) in [
        (json!([named(&fixture.lines[1])]), "NOT_FOUND lines.0.orderDetailId"),
        (json!([named(&fixture.lines[0]), named(&fixture.lines[0])]), "INVALID lines.1.orderDetailId"),
        (json!([named("nonsense")]), "INVALID lines.0.orderDetailId"),
    ] {
        let refused = fixture.manager.mutate("returnReceive", "", json!({ "id": id, "lines": lines })).await;
        assert_eq!(refused.outcome("returnReceive"), expected, "{lines}");
    }
    for (id, reason, expected) in [
        (id.clone(), " ", "REQUIRED reason"),
        (ReturnId(999).to_global_id(), "no", "NOT_FOUND id"),
        (fixture.order.clone(), "no", "INVALID id"),
    ] {
        let refused = fixture.manager.mutate("returnReject", "", json!({ "id": id, "reason": reason })).await;
        assert_eq!(refused.outcome("returnReject"), expected);
    }
    assert_eq!(app.database.contents().await, before);
}

#[tokio::test]
async fn concurrent_returns_never_exceed_shipped_units_and_restock_once() {
    let app = TestApp::new().await;
    app.database.disable_deadlock_detection().await;
    let fixture = OrderFixture::new(&app).await;
    let asked = join_all((0..20).map(|index| {
        let (fixture, key) = (&fixture, index.to_string());
        async move { fixture.try_return(&fixture.customer, json!([fixture.line(0, 1)]), &key).await }
    }))
    .await;
    let done: Vec<_> = asked.iter().filter(|response| response.outcome("returnCreate") == "done").collect();
    assert_eq!(done.len(), 4);
    assert_eq!(fixture.returned_quantities().await, ["(4)", "(0)"]);
    let id = done[0].text_at("returnCreate.return.id");
    let receive = json!({ "id": id, "lines": [{ "orderDetailId": fixture.lines[0], "restock": true }] });
    let reject = json!({ "id": id, "reason": "no" });
    let (one, two, three) = futures_util::join!(
        fixture.manager.mutate("returnReceive", "", receive.clone()),
        fixture.manager.mutate("returnReceive", "", receive),
        fixture.manager.mutate("returnReject", "", reject),
    );
    let outcomes = [one.outcome("returnReceive"), two.outcome("returnReceive"), three.outcome("returnReject")];
    assert_eq!(outcomes.iter().filter(|outcome| *outcome == "done").count(), 1, "{outcomes:?}");
    let restocked = i32::from(three.outcome("returnReject") != "done");
    assert_eq!(app.stock(fixture.products[0]).await, 95 + restocked);
    app.database.assert_invariants().await;
}

#[tokio::test]
async fn all_units_of_an_imported_shipped_or_delivered_order_can_be_returned() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await;
    let rope = app.product(website.id, ProductSpec { stock: 5, ..ProductSpec::default() }).await;
    let manager = app.manager().await;
    for (id, status, expected) in [
        (1, "pending", "ILLEGAL_TRANSITION orderId"),
        (2, "cancelled", "ILLEGAL_TRANSITION orderId"),
        (3, "shipped", "done"),
        (4, "delivered", "done"),
    ] {
        let imported = format!(
            "INSERT INTO orders (source_website_id, order_number, status) VALUES ({}, 'OLD-{id}', '{status}');
             INSERT INTO order_details (order_id, product_id, name, sku, quantity, unit_price)
             VALUES ({id}, {}, 'Rope', 'R-1', 3, 10.00)",
            website.id.0, rope.id.0
        );
        app.database.sql(&imported).await;
        let line =
            |n: i32| json!([{ "orderDetailId": OrderDetailId(id).to_global_id(), "quantity": n, "reason": "torn" }]);
        let input = |n: i32| json!({ "orderId": OrderId(id).to_global_id(), "lines": line(n), "idempotencyKey": format!("{id} {n}") });
        let asked = manager.mutate("returnCreate", "return { id }", input(3)).await;
        assert_eq!(asked.outcome("returnCreate"), expected, "{status}");
        if expected == "done" {
            let more = manager.mutate("returnCreate", "", input(1)).await;
            assert_eq!(more.outcome("returnCreate"), "OUT_OF_RANGE lines.0.quantity");
            let lines = json!([{ "orderDetailId": OrderDetailId(id).to_global_id(), "restock": true }]);
            let receive = json!({ "id": asked.text_at("returnCreate.return.id"), "lines": lines });
            assert_eq!(manager.mutate("returnReceive", "", receive).await.outcome("returnReceive"), "done");
        }
    }
    assert_eq!(app.stock(rope.id).await, 11);
    app.database.assert_invariants().await;
}

#[tokio::test]
async fn return_rules_are_enforced_by_the_database() {
    let app = TestApp::new().await;
    let fixture = OrderFixture::new(&app).await;
    fixture.customer.order(&[(fixture.products[0], 1)]).await;
    let (open, settled) = (fixture.return_ropes(1, "1").await, fixture.return_ropes(1, "2").await);
    let reject = json!({ "id": settled, "reason": "no" });
    assert_eq!(fixture.manager.mutate("returnReject", "", reject).await.outcome("returnReject"), "done");
    assert_eq!([open, settled], [ReturnId(1).to_global_id(), ReturnId(2).to_global_id()]);
    let psql = Psql::connect(&app.database.url).await;
    let line = "INSERT INTO return_lines (return_id, order_detail_id, quantity, reason) VALUES";
    for (sql, constraint) in [
        ("UPDATE order_details SET returned_quantity = 1", "order_details_shipped_from_shipments"),
        (&format!("{line} (1, 2, 1, 'x')"), "order_details_returned_shipped"),
        (&format!("{line} (1, 3, 1, 'x')"), "return_lines_of_its_order"),
        (&format!("{line} (2, 2, 1, 'x')"), "return_lines_of_its_order"),
        (
            "WITH r AS (INSERT INTO returns (order_id) VALUES (1) RETURNING id)
             INSERT INTO return_lines SELECT id, 1, 4, 'x' FROM r",
            "order_details_returned_shipped",
        ),
        (
            "WITH r AS (INSERT INTO returns (order_id) VALUES (1) RETURNING id)
             INSERT INTO return_lines SELECT id, 1, 5, 'x' FROM r",
            "order_details_returned_quantity_range",
        ),
        ("INSERT INTO returns (order_id, status, settled_at) VALUES (1, 'received', now())", "returns_stay"),
        ("UPDATE returns SET status = 'requested', settled_at = NULL, rejection = NULL WHERE id = 2", "returns_stay"),
        ("UPDATE returns SET status = 'received', rejection = NULL WHERE id = 2", "returns_stay"),
        ("UPDATE returns SET status = 'received' WHERE id = 1", "returns_settled"),
        ("UPDATE returns SET order_id = 2", "returns_stay"),
        ("UPDATE return_lines SET quantity = 2", "returns_stay"),
        ("DELETE FROM return_lines", "returns_stay"),
        ("DELETE FROM returns", "returns_stay"),
        ("TRUNCATE returns CASCADE", "returns_stay"),
    ] {
        match psql.try_run(sql).await {
            Ok(_) => panic!("no constraint rejected {sql}"),
            Err(error) => assert_eq!(violated_constraint(&error), constraint, "{sql}"),
        }
    }
    assert_eq!(
        psql.scalar("SELECT string_agg(returned_quantity::text, ' ' ORDER BY id) FROM order_details").await,
        "1 0 0"
    );
}
