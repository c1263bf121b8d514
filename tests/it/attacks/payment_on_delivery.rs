//! An order to be paid on delivery holds its units without any money: it may not hold most of the stock.

use serde_json::json;
use souk::{
    config::OrderSettings,
    ids::{ProductId, RowId},
};

use super::unpaid_stock::{ELSEWHERE, HERE, STOCK, app_with, from, unpaid, verified_customer, website_of};
use crate::support::{Actor, ProductSpec, TestApp, TestResponse};

/// Orders units as this user and returns the order.
async fn placed(actor: &Actor<'_>, product: ProductId, units: i32) -> String {
    let lines = json!([{ "productId": product.to_global_id(), "quantity": units }]);
    let input = json!({ "lines": lines, "idempotencyKey": uuid::Uuid::new_v4().to_string() });
    let response = from(actor, HERE, "orderCreate", "order { id }", input).await;
    assert_eq!(response.outcome("orderCreate"), "done", "{response:?}");
    response.text_at("orderCreate.order.id")
}

/// Chooses a payment method.
async fn pay(actor: &Actor<'_>, order: &str, method: &str) -> TestResponse {
    pay_from(actor, HERE, order, method).await
}

/// Chooses a payment method from this address.
async fn pay_from(actor: &Actor<'_>, address: &str, order: &str, method: &str) -> TestResponse {
    let key = uuid::Uuid::new_v4().to_string();
    let input = json!({ "orderId": order, "provider": "MANUAL", "method": method, "idempotencyKey": key });
    from(actor, address, "paymentCreate", "payment { status }", input).await
}

async fn deliver(app: &TestApp, order: &str) {
    let manager = app.manager().await;
    let confirm = json!({ "id": order, "status": "CONFIRMED" });
    assert_eq!(manager.try_mutate("orderStatusUpdate", confirm).await, "done");
    app.database.sql("UPDATE orders SET status = 'shipped' WHERE status = 'confirmed'").await;
    app.database.sql("UPDATE orders SET status = 'delivered' WHERE status = 'shipped'").await;
}

#[tokio::test]
async fn most_of_the_stock_is_not_ordered_with_payment_on_delivery() {
    let (app, product) = app_with(OrderSettings::default()).await;
    let customer = verified_customer(&app).await;
    let order = placed(&customer, product, STOCK).await;
    let refused = pay(&customer, &order, "CASH_ON_DELIVERY").await;
    assert_eq!(refused.outcome("paymentCreate"), "OUT_OF_RANGE method");
    let message = refused.text_at("paymentCreate.userErrors.0.message");
    assert!(message.contains("cannot be paid on delivery"), "{message}");
    assert_eq!(
        app.database.scalar("SELECT bool_and(expires_at < now() + interval '1 hour') FROM unpaid_orders").await,
        "t"
    );
    assert_eq!(app.payment_status(&order).await, "none 0.00/0.00");
    // The order can be paid otherwise.
    assert_eq!(pay(&customer, &order, "BANK_TRANSFER").await.outcome("paymentCreate"), "done");
}

#[tokio::test]
async fn units_within_the_share_are_ordered_with_payment_on_delivery() {
    let (app, product) = app_with(OrderSettings::default()).await;
    let small = app.product(website_of(&app).await, ProductSpec { stock: 2, ..ProductSpec::default() }).await.id;
    let customer = verified_customer(&app).await;
    for (product, units) in [(product, 25), (small, 2)] {
        let order = placed(&customer, product, units).await;
        assert_eq!(pay(&customer, &order, "CASH_ON_DELIVERY").await.outcome("paymentCreate"), "done", "{units}");
    }
    // A guest, too.
    let (guest, order) = unpaid(&app, ELSEWHERE, product, 10).await;
    let paid = pay_from(&guest, ELSEWHERE, &order, "CASH_ON_DELIVERY").await;
    assert_eq!(paid.outcome("paymentCreate"), "done");
}

#[tokio::test]
async fn all_unpaid_orders_of_a_client_count_for_payment_on_delivery() {
    // A large share for orders without payment, which staff lower later.
    let (app, product) = app_with(OrderSettings { unpaid_share: 100, ..OrderSettings::default() }).await;
    let customer = verified_customer(&app).await;
    let (one, two) = (placed(&customer, product, 20).await, placed(&customer, product, 20).await);
    let strict =
        TestApp::builder().database(app.database.second_handle().await).orders(OrderSettings::default()).build().await;
    let customer = strict.existing_user(customer.id, "customer").await;
    for order in [&one, &two] {
        let refused = pay(&customer, order, "CASH_ON_DELIVERY").await;
        assert_eq!(refused.outcome("paymentCreate"), "OUT_OF_RANGE method");
    }
    assert_eq!(customer.try_mutate("orderCancel", json!({ "id": two })).await, "done");
    assert_eq!(pay(&customer, &one, "CASH_ON_DELIVERY").await.outcome("paymentCreate"), "done");
}

#[tokio::test]
async fn customers_who_received_an_order_and_staff_are_trusted() {
    let (app, product) = app_with(OrderSettings::default()).await;
    let customer = verified_customer(&app).await;
    let first = placed(&customer, product, 1).await;
    deliver(&app, &first).await;
    let order = placed(&customer, product, STOCK - 1).await;
    assert_eq!(pay(&customer, &order, "CASH_ON_DELIVERY").await.outcome("paymentCreate"), "done");

    let (app, product) = app_with(OrderSettings::default()).await;
    let order = placed(&verified_customer(&app).await, product, STOCK).await;
    let admin = app.admin().await;
    assert_eq!(pay(&admin, &order, "CASH_ON_DELIVERY").await.outcome("paymentCreate"), "done");

    // What staff placed is theirs to decide.
    let (app, product) = app_with(OrderSettings::default()).await;
    let manager = app.manager().await;
    let order = placed(&manager, product, STOCK).await;
    assert_eq!(pay(&manager, &order, "CASH_ON_DELIVERY").await.outcome("paymentCreate"), "done");
}
