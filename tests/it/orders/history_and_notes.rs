//! The history of an order: its events, their order and actors, and who reads and writes notes.

use serde_json::{Value, json};
use souk::{auth::Permission, ids::RowId};

use crate::support::{
    Actor, ProductSpec, TestApp, TestResponse,
    psql::{Psql, violated_constraint},
};

const EVENTS: &str = "query ($id: ID!) { order(id: $id) { events {
    kind by { id } fromStatus toStatus quantity amount { amount currency } message isInternal } } }";

async fn add_note(actor: &Actor<'_>, order: &str, text: &str, is_internal: bool) -> String {
    let input = json!({ "orderId": order, "text": text, "isInternal": is_internal });
    actor.mutate("orderNoteAdd", "order { id }", input).await.outcome("orderNoteAdd")
}

async fn events(actor: &Actor<'_>, order: &str) -> TestResponse {
    actor.run_with(EVENTS, json!({ "id": order })).await
}

/// Returns each event as text: kind, actor, and the remaining fields that are not null.
fn describe_events(response: &TestResponse, people: &[(&str, &Actor<'_>)]) -> Vec<String> {
    let who = |id: &Value| {
        let known = people.iter().find(|(_, actor)| id["id"] == actor.global_id());
        known.map_or("-", |(name, _)| *name).to_owned()
    };
    let events = response.at("order.events").as_array().expect("events").iter();
    let line = |event: &Value| {
        let mut parts = vec![event["kind"].as_str().expect("a kind").to_owned(), who(&event["by"])];
        for field in ["fromStatus", "toStatus", "quantity", "message"] {
            parts.extend(
                Some(&event[field]).filter(|value| !value.is_null()).map(|value| value.to_string().replace('"', "")),
            );
        }
        parts.join(" ")
    };
    events.map(line).collect()
}

#[tokio::test]
async fn history_lists_events_in_order_with_their_actor() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await;
    let (customer, manager, admin) = (app.customer().await, app.manager().await, app.admin().await);
    let named = |name: &str| ProductSpec { name: Some(name.into()), stock: 10, ..ProductSpec::default() };
    let (rope, nail) =
        (app.product(website.id, named("Rope")).await.id, app.product(website.id, named("Nail")).await.id);
    let placed = customer.try_order(&[(rope, 2)], "k").await;
    let (order, line) = (placed.text_at("orderCreate.order.id"), placed.text_at("orderCreate.order.details.0.id"));
    let done = async |actor: &Actor<'_>, mutation: &str, input: Value| {
        assert_eq!(actor.mutate(mutation, "", input).await.outcome(mutation), "done", "{mutation}");
    };
    let add = json!({ "orderId": order, "productId": nail.to_global_id(), "quantity": 3 });
    let added = customer.mutate("orderDetailAdd", "order { details { id } }", add).await;
    let nails = added.text_at("orderDetailAdd.order.details.1.id");
    done(&manager, "orderDetailUpdate", json!({ "id": line, "quantity": 4 })).await;
    done(&customer, "orderDetailRemove", json!({ "id": nails })).await;
    assert_eq!(add_note(&customer, &order, "Please ring twice.\nThank you!", false).await, "done");
    done(&manager, "orderStatusUpdate", json!({ "id": order, "status": "CONFIRMED" })).await;
    assert_eq!(add_note(&admin, &order, "Rings twice, always.", true).await, "done");
    let ship = json!({ "orderId": order, "carrier": "Post", "trackingNumber": "P 1", "idempotencyKey": "1" });
    let shipped = manager.mutate("shipmentCreate", "shipment { id }", ship).await;
    let shipment = shipped.text_at("shipmentCreate.shipment.id");
    done(&admin, "shipmentUpdate", json!({ "id": shipment, "trackingNumber": "P 2" })).await;
    done(&manager, "shipmentDeliver", json!({ "id": shipment })).await;
    let back = async |key: &str| {
        let lines = json!([{ "orderDetailId": line, "quantity": 1, "reason": "torn" }]);
        let input = json!({ "orderId": order, "lines": lines, "idempotencyKey": key });
        customer.mutate("returnCreate", "return { id }", input).await.text_at("returnCreate.return.id")
    };
    done(&manager, "returnReceive", json!({ "id": back("1").await })).await;
    done(&admin, "returnReject", json!({ "id": back("2").await, "reason": "Worn." })).await;

    let people = [("customer", &customer), ("manager", &manager), ("admin", &admin)];
    let expected = [
        "PLACED customer PENDING",
        "LINE_ADDED customer 3 Nail",
        "LINE_CHANGED manager 4 Rope",
        "LINE_REMOVED customer 3 Nail",
        r"NOTE customer Please ring twice.\nThank you!",
        "STATUS_CHANGED manager PENDING CONFIRMED",
        "NOTE admin Rings twice, always.",
        "SHIPPED manager 4 Post P 1",
        "STATUS_CHANGED manager CONFIRMED SHIPPED",
        "TRACKING_CHANGED admin Post P 2",
        "DELIVERED manager 4 Post P 2",
        "STATUS_CHANGED manager SHIPPED DELIVERED",
        "RETURN_REQUESTED customer 1",
        "RETURN_RECEIVED manager 1",
        "RETURN_REQUESTED customer 1",
        "RETURN_REJECTED admin 1",
    ];
    assert_eq!(describe_events(&events(&admin, &order).await, &people), expected);
    // The customer sees neither the internal note nor the staff members' names.
    let hidden = |line: &&str| !line.contains("always");
    let seen = |line: &str| line.replace(" manager", " -").replace(" admin", " -");
    let open: Vec<_> = expected.iter().copied().filter(hidden).map(seen).collect();
    assert_eq!(describe_events(&events(&customer, &order).await, &people), open);
}

#[tokio::test]
async fn internal_notes_are_visible_only_to_website_staff() {
    let app = TestApp::new().await;
    let (here, there) = (app.website("sailor").await, app.website("rise").await);
    let (customer, neighbour, seller) = (app.customer().await, app.customer().await, app.seller().await);
    let spec = ProductSpec { stock: 10, seller: Some(seller.id), ..ProductSpec::default() };
    let rope = app.product(here.id, spec).await.id;
    let order = customer.order(&[(rope, 1)]).await;
    let orders = &[Permission::ManageOrders];
    let (of_here, of_there) = (app.user_with(orders, &[here.id]).await, app.user_with(orders, &[there.id]).await);
    let own_of_there = of_there.order(&[(rope, 1)]).await;
    let (manager, anonymous, guest) = (app.manager().await, app.anonymous(), app.guest("souk_c_guest"));
    let guests = customer.order(&[(rope, 1)]).await;
    app.assign_to_guest(&guests, "souk_c_guest").await;
    // The order, who writes, and the expected outcomes of a public and an internal note.
    for (order, who, actor, open, internal) in [
        (&order, "anonymous", &anonymous, "!UNAUTHENTICATED", "!UNAUTHENTICATED"),
        (&order, "guest", &guest, "NOT_FOUND orderId", "NOT_FOUND orderId"),
        (&guests, "guest", &guest, "done", "INVALID isInternal"),
        (&guests, "stranger", &app.guest("souk_c_other"), "NOT_FOUND orderId", "NOT_FOUND orderId"),
        (&order, "customer", &customer, "done", "INVALID isInternal"),
        (&order, "neighbour", &neighbour, "NOT_FOUND orderId", "NOT_FOUND orderId"),
        (&order, "seller", &seller, "NOT_FOUND orderId", "NOT_FOUND orderId"),
        (&order, "staff elsewhere", &of_there, "NOT_FOUND orderId", "NOT_FOUND orderId"),
        (&own_of_there, "staff elsewhere", &of_there, "done", "INVALID isInternal"),
        (&order, "staff here", &of_here, "done", "done"),
        (&order, "manager", &manager, "done", "done"),
    ] {
        assert_eq!(add_note(actor, order, "open", false).await, open, "{who}");
        assert_eq!(add_note(actor, order, "secret", true).await, internal, "{who}");
    }
    assert_eq!(add_note(&manager, &own_of_there, "secret", true).await, "done");
    for (order, who, actor, secrets) in [
        (&order, "customer", &customer, 0),
        (&order, "staff here", &of_here, 2),
        (&order, "manager", &manager, 2),
        (&guests, "guest", &guest, 0),
        (&own_of_there, "staff elsewhere", &of_there, 0),
        (&own_of_there, "staff here", &of_here, 1),
    ] {
        let response = events(actor, order).await;
        assert_eq!(response.text.matches("secret").count(), secrets, "{who}: {}", response.text);
        assert!(response.text.contains("\"message\":\"open\""), "{who}: {}", response.text);
    }
    // The same holds for lists and for several orders at once. The history is not for sellers.
    let listed = customer.run("{ orders { nodes { events { message } } } }").await;
    assert!(!listed.text.contains("secret") && listed.text.contains("open"), "{}", listed.text);
    let listed = seller.run("{ orders { nodes { events { message } } } }").await;
    assert_eq!(*listed.at("orders.nodes"), json!([{ "events": [] }, { "events": [] }, { "events": [] }]));
}

#[tokio::test]
async fn rejected_notes_return_errors_and_the_latest_500_events_are_shown() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await;
    let customer = app.customer().await;
    let rope = app.product(website.id, ProductSpec { stock: 10, ..ProductSpec::default() }).await.id;
    let order = customer.order(&[(rope, 1)]).await;
    let other = customer.order(&[(rope, 1)]).await;
    let before = app.database.contents().await;
    for (id, text, expected) in [
        (&order, String::new(), "REQUIRED text"),
        (&order, " \n ".into(), "REQUIRED text"),
        (&order, "x".repeat(2001), "TOO_LONG text"),
        (&order, "a\u{202e}b".into(), "INVALID text"),
        (&rope.to_global_id(), "text".into(), "INVALID orderId"),
        (&souk::ids::OrderId(999).to_global_id(), "text".into(), "NOT_FOUND orderId"),
    ] {
        assert_eq!(add_note(&customer, id, &text, false).await, expected, "{text:?}");
    }
    assert_eq!(app.database.contents().await, before);
    assert_eq!(add_note(&customer, &order, &"x".repeat(2000), false).await, "done");
    let fill = "INSERT INTO order_events (order_id, kind, message) SELECT 1, 'note', 'n' FROM generate_series(1, 198)";
    app.database.sql(fill).await;
    assert_eq!(add_note(&customer, &order, "the last one", false).await, "done");
    assert_eq!(add_note(&customer, &order, "one more", false).await, "OUT_OF_RANGE orderId");

    let fill =
        "INSERT INTO order_events (order_id, kind, quantity) SELECT 1, 'shipped', n FROM generate_series(1, 499) n";
    app.database.sql(fill).await;
    let both = "query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Order { events { kind quantity message } } } }";
    let response = customer.run_with(both, json!({ "ids": [order, other] })).await;
    let shown = response.at("nodes.0.events").as_array().expect("events");
    assert_eq!(shown.len(), 500);
    assert_eq!((&shown[0]["message"], &shown[499]["quantity"]), (&json!("the last one"), &json!(499)));
    assert_eq!(response.at("nodes.1.events").as_array().map(Vec::len), Some(1), "the limit applies to each order");
}

#[tokio::test]
async fn history_is_append_only() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await;
    let customer = app.customer().await;
    let rope = app.product(website.id, ProductSpec { stock: 10, ..ProductSpec::default() }).await.id;
    customer.order(&[(rope, 1)]).await;
    let psql = Psql::connect(&app.database.url).await;
    for sql in [
        "UPDATE order_events SET message = 'x'",
        "UPDATE order_events SET message = NULL WHERE false",
        "DELETE FROM order_events",
        "TRUNCATE order_events",
    ] {
        let error = psql.try_run(sql).await.expect_err("the history is append-only");
        assert_eq!(violated_constraint(&error), "order_events_append_only", "{sql}");
    }
    assert_eq!(psql.scalar("SELECT count(*) FROM order_events").await, "1");
}
