//! What a guest can do with an order that they placed, identified only by their cart token.

use serde_json::json;
use souk::ids::RowId;

use crate::support::{Actor, ProductSpec, TestApp};

const TOKEN: &str = "souk_c_guest";

fn spec() -> ProductSpec {
    ProductSpec { stock: 10, ..ProductSpec::default() }
}

#[tokio::test]
async fn guest_cancels_only_their_own_pending_order() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await;
    let rope = app.product(website.id, spec()).await.id;
    let (customer, manager) = (app.customer().await, app.manager().await);
    let (own, other) = (customer.order(&[(rope, 2)]).await, customer.order(&[(rope, 3)]).await);
    app.assign_to_guest(&own, TOKEN).await;
    let cancel = async |actor: &Actor<'_>, order: &str| {
        actor.mutate("orderCancel", "order { status }", json!({ "id": order })).await.outcome("orderCancel")
    };
    let (guest, stranger) = (app.guest(TOKEN), app.guest("souk_c_stranger"));
    assert_eq!(cancel(&app.anonymous(), &own).await, "!UNAUTHENTICATED");
    assert_eq!(cancel(&stranger, &own).await, "NOT_FOUND id");
    assert_eq!(cancel(&guest, &other).await, "NOT_FOUND id");
    // A logged-in user's cart token gives no access to a guest's order.
    assert_eq!(cancel(&customer.log_in_again().await.with_cart(Some(TOKEN.into())), &own).await, "NOT_FOUND id");
    let confirm = json!({ "id": own, "status": "CONFIRMED" });
    let moved = guest.mutate("orderStatusUpdate", "", confirm.clone()).await;
    assert_eq!(moved.outcome("orderStatusUpdate"), "!UNAUTHENTICATED");
    assert_eq!(cancel(&guest, &own).await, "done");
    assert_eq!(app.stock(rope).await, 7);
    assert_eq!(cancel(&guest, &own).await, "ILLEGAL_TRANSITION id");
    let by = "SELECT user_id FROM stock_movements WHERE reason = 'cancellation'";
    assert_eq!(app.database.rows(by).await, ["()"]);

    app.assign_to_guest(&other, TOKEN).await;
    let confirm = json!({ "id": other, "status": "CONFIRMED" });
    assert_eq!(manager.mutate("orderStatusUpdate", "", confirm).await.outcome("orderStatusUpdate"), "done");
    assert_eq!(cancel(&guest, &other).await, "ILLEGAL_TRANSITION id", "confirmed by the shop");
    app.database.assert_invariants().await;
}

#[tokio::test]
async fn guest_updates_lines_of_their_pending_order() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await;
    let rope = app.product(website.id, spec()).await;
    let customer = app.customer().await;
    let placed = customer.try_order(&[(rope.id, 2)], "k").await;
    let (order, line) = (placed.text_at("orderCreate.order.id"), placed.text_at("orderCreate.order.details.0.id"));
    app.assign_to_guest(&order, TOKEN).await;
    let more = json!({ "id": line, "quantity": 4 });
    for (actor, expected) in [
        (app.anonymous(), "!UNAUTHENTICATED"),
        (app.guest("souk_c_stranger"), "NOT_FOUND id"),
        (customer, "NOT_FOUND id"),
        (app.guest(TOKEN), "done"),
    ] {
        assert_eq!(actor.mutate("orderDetailUpdate", "", more.clone()).await.outcome("orderDetailUpdate"), expected);
    }
    assert_eq!(app.stock(rope.id).await, 6);
    let seen = app
        .guest(TOKEN)
        .run_with("query ($id: ID!) { order(id: $id) { details { quantity } } }", json!({ "id": order }))
        .await;
    assert_eq!(seen.at("order.details"), &json!([{ "quantity": 4 }]));
}

#[tokio::test]
async fn paid_order_is_immutable_and_its_cancellation_notifies_payments() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await;
    let rope = app.product(website.id, spec()).await;
    let (customer, admin) = (app.customer().await, app.admin().await);
    let kind =
        format!("SELECT payload ->> 'order' FROM jobs WHERE kind = '{}'", souk::orders::model::REVERSE_PAYMENTS.kind);
    let statuses = ["pending", "authorized", "partially_paid", "paid", "partially_refunded", "refunded"];
    for (index, status) in statuses.into_iter().enumerate() {
        let placed = customer.try_order(&[(rope.id, 1), (rope.id, 1)], status).await;
        let (order, line) = (placed.text_at("orderCreate.order.id"), placed.text_at("orderCreate.order.details.0.id"));
        app.set_payment(&order, status, "20").await;
        let before = app.database.contents().await;
        let add = json!({ "orderId": order, "productId": rope.id.to_global_id(), "quantity": 1 });
        for actor in [&customer, &admin] {
            let outcome = actor.mutate("orderDetailAdd", "", add.clone()).await.outcome("orderDetailAdd");
            assert_eq!(outcome, "PAYMENT_EXISTS orderId");
            let outcome = actor.mutate("orderDetailUpdate", "", json!({ "id": line, "quantity": 1 })).await;
            assert_eq!(outcome.outcome("orderDetailUpdate"), "PAYMENT_EXISTS id");
            let outcome = actor.mutate("orderDetailRemove", "", json!({ "id": line })).await;
            assert_eq!(outcome.outcome("orderDetailRemove"), "PAYMENT_EXISTS id");
        }
        assert_eq!(app.database.contents().await, before, "{status}");
        assert_eq!(customer.mutate("orderCancel", "", json!({ "id": order })).await.outcome("orderCancel"), "done");
        assert_eq!(app.database.rows(&kind).await.len(), index + 1, "{status}");
    }
    // Nothing is queued if nothing was paid or if the cancellation fails.
    let order = customer.order(&[(rope.id, 1)]).await;
    for expected in ["done", "ILLEGAL_TRANSITION id"] {
        assert_eq!(customer.mutate("orderCancel", "", json!({ "id": order })).await.outcome("orderCancel"), expected);
    }
    assert_eq!(app.database.rows(&kind).await, ["(1)", "(2)", "(3)", "(4)", "(5)", "(6)"]);
}

#[tokio::test]
async fn order_line_cannot_use_reserved_stock() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await;
    let rope = app.product(website.id, spec()).await;
    let customer = app.customer().await;
    let placed = customer.try_order(&[(rope.id, 2)], "k").await;
    let line = placed.text_at("orderCreate.order.details.0.id");
    let reserve = format!(
        "INSERT INTO carts (token_hash, currency, expires_at) VALUES (sha256('x'), 'EUR', now() + interval '1 hour');
         INSERT INTO cart_reservations (cart_id, product_id, quantity, expires_at)
         SELECT id, {}, 5, now() + interval '1 hour' FROM carts",
        rope.id.0
    );
    app.database.sql(&reserve).await;
    let update = async |quantity: i32| {
        let input = json!({ "id": line, "quantity": quantity });
        customer.mutate("orderDetailUpdate", "", input).await.outcome("orderDetailUpdate")
    };
    assert_eq!(update(6).await, "OUT_OF_STOCK quantity", "8 in stock, 5 of them reserved, 4 more wanted");
    assert_eq!(update(5).await, "done");
    assert_eq!(update(1).await, "done", "reducing the quantity is always possible");
}
