//! Shipping orders in parts: quantities, permissions, the order's status, and emails to the customer.

use futures_util::future::join_all;
use serde_json::{Value, json};
use souk::ids::{OrderDetailId, OrderId, ProductId, RowId, ShipmentId};

use crate::support::{
    Actor, ProductSpec, TestApp, TestResponse,
    psql::{Psql, violated_constraint},
};

/// Every field of a shipment.
const SHIPMENT: &str = "shipment { id carrier trackingNumber trackingUrl deliveredAt lines { quantity detail { name } }
    order { status details { quantity shippedQuantity } shipments { id } } }";

/// A confirmed order of seven ropes, which a seller sells, and three nails.
struct OrderFixture<'a> {
    app: &'a TestApp,
    order: String,
    /// Global ids of the lines: ropes, then nails.
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
        let spec =
            |name: &str, seller| ProductSpec { name: Some(name.into()), stock: 100, seller, ..ProductSpec::default() };
        let rope = app.product(website.id, spec("Rope", Some(seller.id))).await.id;
        let nail = app.product(website.id, spec("Nail", None)).await.id;
        let placed = customer.try_order(&[(rope, 7), (nail, 3)], "k").await;
        let line = |index: usize| placed.text_at(&format!("orderCreate.order.details.{index}.id"));
        let (order, lines) = (placed.text_at("orderCreate.order.id"), [line(0), line(1)]);
        let fixture = Self { app, order, lines, products: [rope, nail], customer, seller, manager };
        assert_eq!(fixture.try_set_status("CONFIRMED").await, "done");
        fixture
    }

    async fn try_set_status(&self, to: &str) -> String {
        let input = json!({ "id": self.order, "status": to });
        self.manager.mutate("orderStatusUpdate", "", input).await.outcome("orderStatusUpdate")
    }

    async fn ship(&self, actor: &Actor<'_>, lines: Value, key: &str) -> TestResponse {
        let mut input = json!({ "orderId": self.order, "idempotencyKey": key });
        if !lines.is_null() {
            input["lines"] = lines;
        }
        actor.mutate("shipmentCreate", SHIPMENT, input).await
    }

    /// Returns shipment lines for this many ropes and nails.
    fn shipment_lines(&self, ropes: i32, nails: i32) -> Value {
        let line = |index: usize, n: i32| json!({ "orderDetailId": self.lines[index], "quantity": n });
        let lines = [(0, ropes), (1, nails)].into_iter().filter(|(_, n)| *n != 0).map(|(index, n)| line(index, n));
        lines.collect()
    }

    async fn status(&self) -> String {
        self.app.database.scalar("SELECT status FROM orders WHERE id = 1").await
    }
}

#[tokio::test]
async fn order_is_shipped_with_its_last_unit_and_delivered_with_its_last_shipment() {
    let app = TestApp::new().await;
    let fixture = OrderFixture::new(&app).await;
    let first = fixture.ship(&fixture.manager, fixture.shipment_lines(2, 3), "1").await;
    assert_eq!(first.outcome("shipmentCreate"), "done");
    let shipment = first.at("shipmentCreate.shipment").clone();
    let in_it =
        json!([{ "quantity": 2, "detail": { "name": "Rope" } }, { "quantity": 3, "detail": { "name": "Nail" } }]);
    assert_eq!(shipment["lines"], in_it);
    assert_eq!(shipment["order"]["status"], "CONFIRMED");
    let details = json!([{ "quantity": 7, "shippedQuantity": 2 }, { "quantity": 3, "shippedQuantity": 3 }]);
    assert_eq!(shipment["order"]["details"], details);

    // An early shipment's delivery does not make the order delivered.
    let deliver = async |id: &Value| {
        let delivered = fixture.manager.mutate("shipmentDeliver", SHIPMENT, json!({ "id": id })).await;
        (delivered.outcome("shipmentDeliver"), fixture.status().await)
    };
    assert_eq!(deliver(&shipment["id"]).await, ("done".into(), "confirmed".into()));
    assert_eq!(deliver(&shipment["id"]).await, ("ILLEGAL_TRANSITION id".into(), "confirmed".into()));

    let second = fixture.ship(&fixture.manager, Value::Null, "2").await;
    assert_eq!(second.at("shipmentCreate.shipment.lines"), &json!([{ "quantity": 5, "detail": { "name": "Rope" } }]));
    assert_eq!(second.at("shipmentCreate.shipment.order.status"), "SHIPPED");
    assert_eq!(second.at("shipmentCreate.shipment.order.shipments").as_array().map(Vec::len), Some(2));
    assert_eq!(
        fixture.ship(&fixture.manager, Value::Null, "3").await.outcome("shipmentCreate"),
        "ILLEGAL_TRANSITION orderId"
    );
    assert_eq!(deliver(second.at("shipmentCreate.shipment.id")).await, ("done".into(), "delivered".into()));
    app.database.assert_invariants().await;
}

#[tokio::test]
async fn status_update_ships_and_delivers_the_remaining_units() {
    let app = TestApp::new().await;
    let fixture = OrderFixture::new(&app).await;
    fixture.ship(&fixture.manager, fixture.shipment_lines(4, 0), "1").await;
    assert_eq!(fixture.try_set_status("SHIPPED").await, "done");
    let lines = "SELECT shipment_id, order_detail_id, quantity FROM shipment_lines ORDER BY 1, 2";
    assert_eq!(app.database.rows(lines).await, ["(1,1,4)", "(2,1,3)", "(2,2,3)"]);
    assert_eq!(fixture.try_set_status("DELIVERED").await, "done");
    assert_eq!(app.database.rows("SELECT count(delivered_at) FROM shipments").await, ["(2)"]);
    let select =
        "SELECT kind, from_status, to_status, quantity, user_id FROM order_events WHERE kind <> 'placed' ORDER BY id";
    let by = fixture.manager.id.0;
    let events = [
        format!("(status_changed,pending,confirmed,,{by})"),
        format!("(shipped,,,4,{by})"),
        format!("(shipped,,,6,{by})"),
        format!("(status_changed,confirmed,shipped,,{by})"),
        format!("(delivered,,,4,{by})"),
        format!("(delivered,,,6,{by})"),
        format!("(status_changed,shipped,delivered,,{by})"),
    ];
    assert_eq!(app.database.rows(select).await, events);
}

#[tokio::test]
async fn partially_shipped_order_cannot_be_canceled() {
    let app = TestApp::new().await;
    let fixture = OrderFixture::new(&app).await;
    fixture.ship(&fixture.manager, fixture.shipment_lines(1, 0), "1").await;
    let before = app.database.contents().await;
    assert_eq!(fixture.try_set_status("CANCELLED").await, "ILLEGAL_TRANSITION status");
    let cancelled = fixture.manager.mutate("orderCancel", "", json!({ "id": fixture.order })).await;
    assert_eq!(cancelled.outcome("orderCancel"), "ILLEGAL_TRANSITION id");
    assert_eq!(app.database.contents().await, before);
    assert_eq!([app.stock(fixture.products[0]).await, app.stock(fixture.products[1]).await], [93, 97]);
}

#[tokio::test]
async fn staff_and_sellers_in_the_order_ship_it_only_while_confirmed() {
    let app = TestApp::new().await;
    let fixture = OrderFixture::new(&app).await;
    let (rival, neighbour, anonymous) = (app.seller().await, app.customer().await, app.anonymous());
    app.product(app.website("rise").await.id, ProductSpec { seller: Some(rival.id), ..ProductSpec::default() }).await;
    let made = fixture.ship(&fixture.manager, fixture.shipment_lines(1, 0), "0").await;
    let shipment = json!({ "id": made.text_at("shipmentCreate.shipment.id"), "carrier": "Post" });
    for (who, actor, create, change) in [
        ("anonymous", &anonymous, "!UNAUTHENTICATED", "!UNAUTHENTICATED"),
        ("guest", &app.guest("souk_c_guest"), "!UNAUTHENTICATED", "!UNAUTHENTICATED"),
        ("customer", &fixture.customer, "!FORBIDDEN", "!FORBIDDEN"),
        ("neighbour", &neighbour, "!FORBIDDEN", "!FORBIDDEN"),
        ("rival", &rival, "NOT_FOUND orderId", "NOT_FOUND id"),
        ("seller", &fixture.seller, "done", "done"),
        ("manager", &fixture.manager, "done", "done"),
    ] {
        let shipped = fixture.ship(actor, fixture.shipment_lines(1, 0), who).await;
        assert_eq!(shipped.outcome("shipmentCreate"), create, "{who}");
        let updated = actor.mutate("shipmentUpdate", "", shipment.clone()).await;
        assert_eq!(updated.outcome("shipmentUpdate"), change, "{who}");
        let delivered = actor.mutate("shipmentDeliver", "", json!({ "id": ShipmentId(999).to_global_id() })).await;
        let expected = if change == "done" { "NOT_FOUND id" } else { change };
        assert_eq!(delivered.outcome("shipmentDeliver"), expected, "{who}");
    }
    // Everyone who sees the order sees the shipments.
    let query = "query ($id: ID!) { node(id: $id) { ... on Shipment { carrier } } }";
    for (actor, seen) in
        [(&fixture.customer, true), (&fixture.seller, true), (&rival, false), (&neighbour, false), (&anonymous, false)]
    {
        let response = actor.run_with(query, json!({ "id": shipment["id"] })).await;
        assert_eq!(response.at("node").is_object(), seen);
    }
    for status in ["pending", "shipped", "delivered"] {
        app.database.sql(&format!("UPDATE orders SET status = '{status}'")).await;
        let refused = fixture.ship(&fixture.manager, fixture.shipment_lines(1, 0), status).await;
        assert_eq!(refused.outcome("shipmentCreate"), "ILLEGAL_TRANSITION orderId", "{status}");
    }
}

#[tokio::test]
async fn rejected_shipment_returns_errors_and_writes_nothing() {
    let app = TestApp::new().await;
    let fixture = OrderFixture::new(&app).await;
    let other = fixture.customer.try_order(&[(fixture.products[1], 9)], "other").await;
    let foreign = other.text_at("orderCreate.order.details.0.id");
    let line = |id: &str, n: i64| json!({ "orderDetailId": id, "quantity": n });
    let [rope, nail] = &fixture.lines;
    let before = app.database.contents().await;
    for (lines, expected) in [
        (json!([]), "REQUIRED lines"),
        (json!([line(rope, 0)]), "OUT_OF_RANGE lines.0.quantity"),
        (json!([line(rope, -1)]), "OUT_OF_RANGE lines.0.quantity"),
        (json!([line(rope, 1_000_000_000)]), "OUT_OF_RANGE lines.0.quantity"),
        (json!([line(rope, 8)]), "OUT_OF_RANGE lines.0.quantity"),
        (json!([line(rope, 7), line(nail, 4)]), "OUT_OF_RANGE lines.1.quantity"),
        (json!([line(rope, 1), line(rope, 1)]), "INVALID lines.1.orderDetailId"),
        (json!([line(&foreign, 1)]), "NOT_FOUND lines.0.orderDetailId"),
        (json!([line(&OrderDetailId(999).to_global_id(), 1)]), "NOT_FOUND lines.0.orderDetailId"),
        (json!([line(rope, 9), line(&foreign, 1)]), "OUT_OF_RANGE lines.0.quantity, NOT_FOUND lines.1.orderDetailId"),
        (json!([line(&fixture.order, 1)]), "INVALID lines.0.orderDetailId"),
        (json!([line(rope, 3_000_000_000)]), "!BAD_USER_INPUT"),
    ] {
        assert_eq!(
            fixture.ship(&fixture.manager, lines.clone(), "k").await.outcome("shipmentCreate"),
            expected,
            "{lines}"
        );
    }
    for (field, value, expected) in [
        ("orderId", json!(OrderId(999).to_global_id()), "NOT_FOUND orderId"),
        ("orderId", json!(nail), "INVALID orderId"),
        ("idempotencyKey", json!(" "), "INVALID idempotencyKey"),
        ("carrier", json!("x".repeat(101)), "TOO_LONG carrier"),
        ("trackingNumber", json!("a\nb"), "INVALID trackingNumber"),
        ("trackingUrl", json!("javascript:alert(1)"), "INVALID trackingUrl"),
        ("trackingUrl", json!("https://post.example/ x"), "INVALID trackingUrl"),
        ("trackingUrl", json!(format!("https://{}", "x".repeat(2000))), "TOO_LONG trackingUrl"),
    ] {
        let mut input = json!({ "orderId": fixture.order, "idempotencyKey": "k" });
        input[field] = value.clone();
        let refused = fixture.manager.mutate("shipmentCreate", SHIPMENT, input).await;
        assert_eq!(refused.outcome("shipmentCreate"), expected, "{field} {value}");
    }
    assert_eq!(app.database.contents().await, before);
}

#[tokio::test]
async fn concurrent_shipments_never_exceed_the_ordered_quantity() {
    let app = TestApp::new().await;
    app.database.disable_deadlock_detection().await;
    let fixture = OrderFixture::new(&app).await;
    let sent = join_all((0..20).map(|index| {
        let fixture = &fixture;
        // Half of them list the lines in reverse order.
        let mut lines = fixture.shipment_lines(1, 1);
        if index % 2 == 1 {
            lines.as_array_mut().expect("lines").reverse();
        }
        async move { fixture.ship(&fixture.manager, lines, &index.to_string()).await.outcome("shipmentCreate") }
    }))
    .await;
    assert_eq!(sent.iter().filter(|outcome| *outcome == "done").count(), 3, "{sent:?}");
    let shipped = "SELECT quantity, shipped_quantity FROM order_details ORDER BY id";
    assert_eq!(app.database.rows(shipped).await, ["(7,3)", "(3,3)"]);
    let sent =
        join_all(
            (0..20).map(|index| {
                let (fixture, key) = (&fixture, format!("rope-{index}"));
                async move {
                    fixture.ship(&fixture.manager, fixture.shipment_lines(1, 0), &key).await.outcome("shipmentCreate")
                }
            }),
        )
        .await;
    assert_eq!(sent.iter().filter(|outcome| *outcome == "done").count(), 4, "{sent:?}");
    assert_eq!(app.database.rows(shipped).await, ["(7,7)", "(3,3)"]);
    assert_eq!(fixture.status().await, "shipped");
}

#[tokio::test]
async fn shipment_with_a_repeated_key_is_created_once() {
    let app = TestApp::new().await;
    let fixture = OrderFixture::new(&app).await;
    let responses =
        join_all((0..8).map(|_| fixture.ship(&fixture.manager, fixture.shipment_lines(2, 0), "same"))).await;
    let ids: Vec<_> = responses.iter().map(|response| response.text_at("shipmentCreate.shipment.id")).collect();
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    assert_eq!(app.database.rows("SELECT sum(quantity) FROM shipment_lines").await, ["(2)"]);
    let other = fixture.ship(&fixture.manager, fixture.shipment_lines(3, 0), "same").await;
    assert_eq!(other.outcome("shipmentCreate"), "IDEMPOTENCY_MISMATCH idempotencyKey");
    let theirs = fixture.ship(&fixture.seller, fixture.shipment_lines(2, 0), "same").await;
    assert_ne!(theirs.text_at("shipmentCreate.shipment.id"), ids[0], "keys are separate per user");
}

#[tokio::test]
async fn tracking_is_updated_and_cleared_and_every_change_is_recorded() {
    let app = TestApp::new().await;
    let fixture = OrderFixture::new(&app).await;
    let made = fixture.ship(&fixture.manager, Value::Null, "1").await;
    let id = made.text_at("shipmentCreate.shipment.id");
    let update = async |change: Value| {
        let mut input = change;
        input["id"] = json!(id);
        let updated = fixture.manager.mutate("shipmentUpdate", SHIPMENT, input).await;
        assert_eq!(updated.outcome("shipmentUpdate"), "done");
        let shipment = updated.at("shipmentUpdate.shipment");
        [&shipment["carrier"], &shipment["trackingNumber"], &shipment["trackingUrl"]].map(Clone::clone)
    };
    let (post, url) = (json!("Penny Post"), json!("https://post.example/1"));
    let all = json!({ "carrier": post, "trackingNumber": "P 1", "trackingUrl": url });
    assert_eq!(update(all).await, [post.clone(), json!("P 1"), url.clone()]);
    assert_eq!(update(json!({})).await, [post.clone(), json!("P 1"), url.clone()]);
    assert_eq!(update(json!({ "carrier": post })).await, [post.clone(), json!("P 1"), url.clone()]);
    assert_eq!(update(json!({ "trackingNumber": null })).await, [post, Value::Null, url]);
    let select = "SELECT message FROM order_events WHERE kind = 'tracking_changed' ORDER BY id";
    assert_eq!(app.database.rows(select).await, ["(\"Penny Post P 1\")", "(\"Penny Post\")"]);
    let bad = json!({ "id": id, "trackingUrl": "ftp://post.example" });
    let refused = fixture.manager.mutate("shipmentUpdate", SHIPMENT, bad).await;
    assert_eq!(refused.outcome("shipmentUpdate"), "INVALID trackingUrl");
}

#[tokio::test]
async fn imported_shipped_order_is_delivered_without_a_shipment() {
    let app = TestApp::new().await;
    let fixture = OrderFixture::new(&app).await;
    app.database.sql("UPDATE orders SET status = 'shipped'").await;
    let query = "query ($id: ID!) { order(id: $id) { details { shippedQuantity } shipments { id } } }";
    let seen = fixture.customer.run_with(query, json!({ "id": fixture.order })).await;
    assert_eq!(
        seen.at("order"),
        &json!({ "details": [{ "shippedQuantity": 7 }, { "shippedQuantity": 3 }], "shipments": [] })
    );
    assert_eq!(fixture.try_set_status("DELIVERED").await, "done");
    assert_eq!(app.database.rows("SELECT FROM shipments").await.len(), 0);
}

#[tokio::test]
async fn order_contact_is_notified_of_shipments_and_cancellations() {
    let app = TestApp::new().await;
    let fixture = OrderFixture::new(&app).await;
    app.emails().await;
    app.database.sql("UPDATE orders SET contact_name = 'Ada', contact_email = 'ada@souk.example'").await;
    let tracked = json!({ "orderId": fixture.order, "lines": fixture.shipment_lines(2, 3), "idempotencyKey": "1",
        "carrier": "Penny Post", "trackingNumber": "P 1", "trackingUrl": "https://post.example/1" });
    assert_eq!(fixture.manager.mutate("shipmentCreate", "", tracked).await.outcome("shipmentCreate"), "done");
    assert_eq!(fixture.try_set_status("SHIPPED").await, "done");
    let [part, rest] = app.emails().await.try_into().expect("two emails");
    assert_eq!(part.to, ["ada@souk.example"]);
    assert_eq!(part.header("subject"), "Your order SAILOR-1001 at Shop sailor is on its way");
    assert!(part.text.contains("- 2 x Rope\n- 3 x Nail\n\nShipped by Penny Post, tracking number P 1.\n\nTrack your shipment: https://post.example/1\n\n5 more items will follow"), "{}", part.text);
    assert!(rest.text.contains("- 5 x Rope") && !rest.text.contains("follow"), "{}", rest.text);

    let other = fixture.customer.order(&[(fixture.products[1], 2)]).await;
    app.database.sql("DELETE FROM jobs").await;
    app.database.sql("UPDATE orders SET contact_name = 'Ada', contact_email = 'ada@souk.example'").await;
    app.set_payment(&other, "paid", "20").await;
    app.emails().await;
    assert_eq!(fixture.customer.mutate("orderCancel", "", json!({ "id": other })).await.outcome("orderCancel"), "done");
    let [cancelled] = app.emails().await.try_into().expect("one email");
    assert_eq!(cancelled.header("subject"), "Your order SAILOR-1002 at Shop sailor has been canceled");
    assert_eq!(cancelled.to, ["ada@souk.example"]);
    assert!(cancelled.text.contains("- 2 x Nail\n\nYour payment of 20.00 EUR will be refunded"), "{}", cancelled.text);

    // No contact to notify: imported orders have none.
    let silent = fixture.customer.order(&[(fixture.products[1], 1)]).await;
    app.database.sql("UPDATE orders SET contact_name = NULL, contact_email = NULL, contact_phone = NULL").await;
    app.emails().await;
    assert_eq!(
        fixture.customer.mutate("orderCancel", "", json!({ "id": silent })).await.outcome("orderCancel"),
        "done"
    );
    assert!(app.emails().await.is_empty());
}

#[tokio::test]
async fn shipment_rules_are_enforced_by_the_database() {
    let app = TestApp::new().await;
    let fixture = OrderFixture::new(&app).await;
    fixture.ship(&fixture.manager, fixture.shipment_lines(2, 1), "1").await;
    fixture.customer.order(&[(fixture.products[0], 1)]).await;
    let psql = Psql::connect(&app.database.url).await;
    let line = |values: &str| {
        format!(
            "INSERT INTO order_details (order_id, product_id, name, sku, quantity, unit_price, shipped_quantity) VALUES {values}"
        )
    };
    for (sql, constraint) in [
        ("UPDATE order_details SET shipped_quantity = 1", "order_details_shipped_from_shipments"),
        (&line("(2, 1, 'A', 'a', 2, 5, 1)"), "order_details_shipped_from_shipments"),
        ("UPDATE order_details SET quantity = 1 WHERE id = 1", "order_details_shipped_quantity_range"),
        ("DELETE FROM order_details WHERE id = 1", "shipment_lines_order_detail_id_fkey"),
        ("INSERT INTO shipments (order_id) VALUES (2)", "shipments_order_confirmed"),
        ("INSERT INTO shipment_lines VALUES (1, 3, 1)", "shipment_lines_of_its_order"),
        (
            "WITH s AS (INSERT INTO shipments (order_id) VALUES (1) RETURNING id) INSERT INTO shipment_lines SELECT id, 1, 6 FROM s",
            "order_details_shipped_quantity_range",
        ),
        ("UPDATE shipment_lines SET quantity = 1", "shipments_stay"),
        ("DELETE FROM shipment_lines", "shipments_stay"),
        ("TRUNCATE shipment_lines", "shipments_stay"),
        ("DELETE FROM shipments", "shipments_stay"),
        ("UPDATE shipments SET order_id = 2", "shipments_stay"),
        ("UPDATE shipments SET shipped_at = now()", "shipments_stay"),
        ("UPDATE shipments SET delivered_at = shipped_at - interval '1 s'", "shipments_delivered_after_shipped"),
        ("UPDATE orders SET status = 'cancelled' WHERE id = 1", "orders_cancelled_unshipped"),
        ("UPDATE shipments SET tracking_url = 'javascript:'", "shipments_tracking_url_form"),
    ] {
        match psql.try_run(sql).await {
            Ok(_) => panic!("no constraint rejected {sql}"),
            Err(error) => assert_eq!(violated_constraint(&error), constraint, "{sql}"),
        }
    }
    assert_eq!(
        psql.scalar("SELECT string_agg(shipped_quantity::text, ' ' ORDER BY id) FROM order_details").await,
        "2 1 0"
    );
}
