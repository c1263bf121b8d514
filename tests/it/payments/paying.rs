//! Paying an order, and what staff do with payments: permissions, rejections, and remaining amounts.

use serde_json::{Value, json};
use souk::{
    auth::{GuestKey, Permission},
    ids::{PaymentId, RowId},
};

use crate::support::{
    Actor, ProductSpec, TestApp,
    payments::{PAYMENT_FIELDS, describe_payment, payment_id},
    psql::{Psql, violated_constraint},
};

const VALID_CARD: &str = "4111111111111111";

async fn pay_manually(actor: &Actor<'_>, order: &str, method: &str, key: &str) -> crate::support::TestResponse {
    let input = json!({ "orderId": order, "provider": "MANUAL", "method": method, "idempotencyKey": key });
    actor.mutate("paymentCreate", PAYMENT_FIELDS, input).await
}

#[tokio::test]
async fn cash_on_delivery_is_captured_and_refunded_in_parts() {
    let app = TestApp::new().await;
    let (customer, _, order) = app.unpaid_order().await;
    let manager = app.manager().await;
    assert_eq!(app.payment_status(&order).await, "none 0.00/0.00");
    let response = pay_manually(&customer, &order, "CASH_ON_DELIVERY", "k").await;
    let payment = response.at("paymentCreate.payment");
    assert_eq!(describe_payment(payment), "authorized 0.00/0.00: authorize 20.00 succeeded");
    assert_eq!(payment["amount"], json!({ "amount": "20.00", "currency": "EUR" }));
    assert!(payment["operations"][0]["at"].is_string() && payment["operations"][0]["settledAt"].is_string());
    assert_eq!(app.payment_status(&order).await, "authorized 0.00/0.00");
    let id = payment["id"].as_str().unwrap();
    let operations = "authorize 20.00 succeeded, capture 5.00 succeeded";
    assert_eq!(
        manager.payment_operation("paymentCapture", id, Some("5")).await,
        format!("captured 5.00/0.00: {operations}")
    );
    assert_eq!(app.payment_status(&order).await, "partially_paid 5.00/0.00");
    let operations = format!("{operations}, capture 15.00 succeeded");
    assert_eq!(
        manager.payment_operation("paymentCapture", id, None).await,
        format!("captured 20.00/0.00: {operations}")
    );
    let input = json!({ "id": id, "amount": "3.50", "reason": " scratched ", "idempotencyKey": "r" });
    let refunded = manager.mutate("paymentRefund", PAYMENT_FIELDS, input).await;
    assert_eq!(refunded.at("paymentRefund.payment.operations.3.reason"), "scratched");
    assert_eq!(app.payment_status(&order).await, "partially_refunded 20.00/3.50");
    let operations = format!("{operations}, refund 3.50 succeeded, refund 16.50 succeeded");
    assert_eq!(
        manager.payment_operation("paymentRefund", id, None).await,
        format!("refunded 20.00/20.00: {operations}")
    );
    assert_eq!(app.payment_status(&order).await, "refunded 20.00/20.00");
    let history = ["authorized 20.00", "captured 5.00", "captured 15.00", "refunded 3.50 scratched", "refunded 16.50"];
    assert_eq!(app.payment_history(&order).await, history);
    let users = "SELECT string_agg(user_id::text, ' ' ORDER BY id) FROM order_events WHERE kind LIKE 'payment%'";
    let (m, c) = (manager.id.0, customer.id.0);
    assert_eq!(app.database.scalar(users).await, format!("{c} {m} {m} {m} {m}"));
    assert_eq!(app.database.scalar("SELECT count(*) FROM jobs").await, "0", "a settled operation needs no job");
    // After a full refund the order can be paid again, and its status follows the new payment.
    let again = customer.pay(&order, VALID_CARD).await;
    assert_eq!(app.payment_status(&order).await, "authorized 20.00/20.00");
    manager.payment_operation("paymentCapture", &again, None).await;
    assert_eq!(app.payment_status(&order).await, "paid 40.00/20.00");
}

#[tokio::test]
async fn void_releases_the_uncaptured_amount() {
    let app = TestApp::new().await;
    let manager = app.manager().await;
    let (customer, _, order) = app.unpaid_order().await;
    let payment = customer.pay(&order, VALID_CARD).await;
    let voided = "voided 0.00/0.00: authorize 20.00 succeeded, void 20.00 succeeded";
    assert_eq!(manager.payment_operation("paymentVoid", &payment, None).await, voided);
    assert_eq!(app.payment_status(&order).await, "none 0.00/0.00");
    for mutation in ["paymentVoid", "paymentCapture", "paymentRefund"] {
        assert_eq!(manager.payment_operation(mutation, &payment, None).await, "INVALID_PAYMENT_STATUS id");
    }
    // Voids the rest of a partially captured payment.
    let payment = customer.pay(&order, VALID_CARD).await;
    manager.payment_operation("paymentCapture", &payment, Some("5")).await;
    assert!(manager.payment_operation("paymentVoid", &payment, None).await.ends_with("void 15.00 succeeded"));
    assert_eq!(app.payment_status(&order).await, "partially_paid 5.00/0.00");
    assert_eq!(manager.payment_operation("paymentCapture", &payment, None).await, "INVALID_PAYMENT_STATUS id");
    assert!(manager.payment_operation("paymentRefund", &payment, None).await.starts_with("refunded 5.00/5.00"));
}

#[tokio::test]
async fn payments_are_created_and_visible_by_permission() {
    let app = TestApp::new().await;
    let (website, elsewhere) = (app.website("sailor").await.id, app.website("rise").await.id);
    let seller = app.seller().await;
    let spec = ProductSpec { stock: 10, seller: Some(seller.id), ..ProductSpec::default() };
    let product = app.product(website, spec).await.id;
    let customer = app.customer().await;
    let order = customer.order(&[(product, 1)]).await;
    let guests = customer.order(&[(product, 1)]).await;
    let (_, key) = souk::ids::decode(&guests).unwrap();
    let hash = hex::encode(GuestKey::from_token("souk_c_mine").hash());
    let guest = format!("UPDATE orders SET user_id = NULL, cart_token_hash = '\\x{hash}' WHERE id = {key}");
    app.database.sql(&guest).await;
    let guest = |token: &str| app.anonymous().with_cart(Some(token.to_owned()));
    let payments = [Permission::ManagePayments];
    // The actor, the outcome of paying the customer's and the guest's order, and whether the actor sees these payments.
    let table = [
        ("anonymous", app.anonymous(), ["!UNAUTHENTICATED"; 2], [false; 2]),
        ("guest", guest("souk_c_mine"), ["NOT_FOUND orderId", "done"], [false, true]),
        ("other guest", guest("souk_c_other"), ["NOT_FOUND orderId"; 2], [false; 2]),
        ("customer", customer, ["done", "NOT_FOUND orderId"], [true, false]),
        ("other customer", app.customer().await, ["NOT_FOUND orderId"; 2], [false; 2]),
        ("seller", seller, ["NOT_FOUND orderId"; 2], [false; 2]),
        ("sees orders", app.user_with(&[Permission::ManageOrders], &[]).await, ["NOT_FOUND orderId"; 2], [true; 2]),
        ("payments", app.user_with(&payments, &[website]).await, ["done"; 2], [true; 2]),
        ("payments elsewhere", app.user_with(&payments, &[elsewhere]).await, ["NOT_FOUND orderId"; 2], [false; 2]),
        ("manager", app.manager().await, ["done"; 2], [true; 2]),
    ];
    let mut made = 0;
    for (name, actor, pays, sees) in &table {
        for (order, (pays, sees)) in [&order, &guests].into_iter().zip(pays.iter().zip(sees)) {
            assert_eq!(actor.try_pay(order, VALID_CARD, order).await.outcome("paymentCreate"), *pays, "{name}");
            let key = app.database.scalar("SELECT max(id) FROM payments").await;
            if *pays == "done" {
                made += 1;
                assert_eq!(key, made.to_string(), "{name}");
            }
            let (_, number) = souk::ids::decode(order).unwrap();
            let stage = format!("SELECT max(id) FROM payments WHERE order_id = {number}");
            let Ok(payment) = app.database.scalar(&stage).await.parse().map(payment_id) else { continue };
            assert_eq!(actor.payment_summary(&payment).await != "-", *sees, "{name}");
            let node = actor.run_with("query ($id: ID!) { node(id: $id) { id } }", json!({ "id": payment })).await;
            assert_eq!(node.at("node").is_object(), *sees, "{name}");
            // Everyone with access to the order sees it; its payments are visible to fewer.
            let nested = "query ($id: ID!) { order(id: $id) { payments { id order { id } } } }";
            let nested = actor.run_with(nested, json!({ "id": order })).await;
            match nested.at("order") {
                Value::Null => assert!(["payments", "anonymous"].contains(name) || !sees, "{name}"),
                found => assert_eq!(found["payments"] != json!([]), *sees, "{name}"),
            }
            for mutation in ["paymentCapture", "paymentVoid", "paymentRefund"] {
                let may = match *name {
                    "payments" | "manager" => continue,
                    "payments elsewhere" => "NOT_FOUND id",
                    "anonymous" | "guest" | "other guest" => "!UNAUTHENTICATED",
                    _ => "!FORBIDDEN",
                };
                assert_eq!(actor.payment_operation(mutation, &payment, None).await, may, "{name} {mutation}");
            }
            if *pays == "done" {
                table[9].1.payment_operation("paymentVoid", &payment, None).await;
            }
        }
    }
    assert_eq!(made, 6);
}

#[tokio::test]
async fn rejected_payment_returns_errors_and_writes_nothing() {
    let app = TestApp::new().await;
    let (customer, website, order) = app.unpaid_order().await;
    let product = async |price| {
        app.product(website, ProductSpec { stock: 10, price: Some(price), ..ProductSpec::default() }).await.id
    };
    let free = customer.order(&[(product("0").await, 1)]).await;
    let cancelled = customer.order(&[(product("5").await, 1)]).await;
    let cancel = customer.mutate("orderCancel", "order { id }", json!({ "id": cancelled })).await;
    assert_eq!(cancel.outcome("orderCancel"), "done");
    let long = "4".repeat(501);
    let pay = |order: &str, provider: &str, method: &str, source: Option<&str>, key: &str| json!({ "orderId": order, "provider": provider, "method": method, "source": source, "idempotencyKey": key });
    let table = [
        (pay(&free, "TEST", "CARD", Some(VALID_CARD), "k"), "OUT_OF_RANGE orderId"),
        (pay(&cancelled, "TEST", "CARD", Some(VALID_CARD), "k"), "ILLEGAL_TRANSITION orderId"),
        (pay(&order, "TEST", "BANK_TRANSFER", Some(VALID_CARD), "k"), "INVALID method"),
        (pay(&order, "MANUAL", "CARD", None, "k"), "INVALID method"),
        (pay(&order, "MANUAL", "BANK_TRANSFER", Some(VALID_CARD), "k"), "INVALID source"),
        (pay(&order, "TEST", "CARD", None, "k"), "INVALID source"),
        (pay(&order, "TEST", "CARD", Some("4242424242424242"), "k"), "INVALID source"),
        (pay(&order, "TEST", "CARD", Some(&long), "k"), "TOO_LONG source"),
        (pay(&order, "TEST", "CARD", Some(VALID_CARD), " "), "INVALID idempotencyKey"),
        (pay(&order, "TEST", "CARD", Some(VALID_CARD), &"k".repeat(201)), "INVALID idempotencyKey"),
        (pay(&PaymentId(1).to_global_id(), "TEST", "CARD", Some(VALID_CARD), "k"), "INVALID orderId"),
    ];
    let before = app.database.contents().await;
    for (input, expected) in table {
        let outcome = customer.mutate("paymentCreate", PAYMENT_FIELDS, input.clone()).await.outcome("paymentCreate");
        assert_eq!(outcome, expected, "{input}");
    }
    assert_eq!(app.database.contents().await, before);
    // One open payment at a time, but any number of failed attempts.
    let declined = customer.try_pay(&order, "4000 0000 0000 0002", "1").await;
    assert_eq!(
        describe_payment(declined.at("paymentCreate.payment")),
        "failed 0.00/0.00: authorize 20.00 failed card_declined"
    );
    assert_eq!(declined.at("paymentCreate.payment.failure"), "card_declined");
    assert_eq!(app.payment_status(&order).await, "none 0.00/0.00");
    customer.pay(&order, VALID_CARD).await;
    assert_eq!(customer.try_pay(&order, VALID_CARD, "2").await.outcome("paymentCreate"), "PAYMENT_EXISTS orderId");
    let payments = "query ($id: ID!) { order(id: $id) { payments { status } } }";
    let payments = customer.run_with(payments, json!({ "id": order })).await;
    assert_eq!(payments.at("order.payments"), &json!([{ "status": "FAILED" }, { "status": "AUTHORIZED" }]));
}

#[tokio::test]
async fn payment_attempts_per_order_are_limited() {
    let app = TestApp::new().await;
    let (customer, _, order) = app.unpaid_order().await;
    let tried = "INSERT INTO payments (order_id, provider, method, amount, currency)
            SELECT id, 'test', 'card', 20, 'EUR' FROM orders;
        INSERT INTO payment_operations (payment_id, kind, amount) SELECT max(id), 'authorize', 20 FROM payments;
        UPDATE payment_operations SET status = 'failed', failure = 'x', settled_at = now() WHERE status = 'pending';";
    app.database.sql(&tried.repeat(50)).await;
    assert_eq!(customer.try_pay(&order, VALID_CARD, "k").await.outcome("paymentCreate"), "OUT_OF_RANGE orderId");
}

#[tokio::test]
async fn amounts_beyond_the_remainder_are_rejected() {
    let app = TestApp::new().await;
    let (customer, _, order) = app.unpaid_order().await;
    let manager = app.manager().await;
    let id = customer.pay(&order, VALID_CARD).await;
    assert_eq!(
        manager.payment_operation("paymentRefund", &id, None).await,
        "INVALID_PAYMENT_STATUS id",
        "nothing is paid yet"
    );
    let amounts = ["0", "-1", "20.01", "1000000000", "0.001"];
    let outcomes =
        ["OUT_OF_RANGE amount", "OUT_OF_RANGE amount", "OUT_OF_RANGE amount", "OUT_OF_RANGE amount", "INVALID amount"];
    for (amount, outcome) in amounts.iter().zip(outcomes) {
        assert_eq!(manager.payment_operation("paymentCapture", &id, Some(amount)).await, outcome, "{amount}");
    }
    manager.payment_operation("paymentCapture", &id, None).await;
    assert_eq!(
        manager.payment_operation("paymentCapture", &id, None).await,
        "INVALID_PAYMENT_STATUS id",
        "captured twice"
    );
    assert_eq!(
        manager.payment_operation("paymentVoid", &id, None).await,
        "INVALID_PAYMENT_STATUS id",
        "voided after the capture"
    );
    for (amount, outcome) in amounts.iter().zip(outcomes) {
        assert_eq!(manager.payment_operation("paymentRefund", &id, Some(amount)).await, outcome, "{amount}");
    }
    manager.payment_operation("paymentRefund", &id, Some("15")).await;
    assert_eq!(
        manager.payment_operation("paymentRefund", &id, Some("15")).await,
        "OUT_OF_RANGE amount",
        "above the rest"
    );
    manager.payment_operation("paymentRefund", &id, None).await;
    assert_eq!(
        manager.payment_operation("paymentRefund", &id, None).await,
        "INVALID_PAYMENT_STATUS id",
        "refunded twice"
    );
    let long = json!({ "id": id, "reason": "x".repeat(501), "idempotencyKey": "long" });
    assert_eq!(manager.mutate("paymentRefund", PAYMENT_FIELDS, long).await.outcome("paymentRefund"), "TOO_LONG reason");
    assert_eq!(app.payment_status(&order).await, "refunded 20.00/20.00");
}

#[tokio::test]
async fn user_export_includes_payments() {
    let app = TestApp::new().await;
    let (customer, _, order) = app.unpaid_order().await;
    let id = customer.pay(&order, VALID_CARD).await;
    let export = customer.run("{ userExport }").await;
    let payment = export.at("userExport.payments.0");
    assert_eq!((&payment["id"], &payment["orderId"]), (&json!(id), &json!(order)));
    assert_eq!((&payment["status"], &payment["amount"]), (&json!("AUTHORIZED"), &json!("20.00")));
    assert!(!export.text.contains(VALID_CARD));
}

/// A website, an order of 20.00, and an authorized payment for it.
const SETUP: &str = "
    INSERT INTO websites (code, name, base_url, currency) VALUES ('sailor', 'Sailor', 'https://sailor.example', 'EUR');
    INSERT INTO products (source_website_id, name, slug, sku, price) SELECT id, 'P', 'p', 'p', 10 FROM websites;
    INSERT INTO orders (source_website_id, order_number) SELECT id, 'n' FROM websites;
    INSERT INTO order_details (order_id, product_id, name, sku, quantity, unit_price) VALUES (1, 1, 'P', 'p', 2, 10);
    INSERT INTO payments (order_id, provider, method, amount, currency) VALUES (1, 'test', 'card', 20, 'EUR');
    INSERT INTO payment_operations (payment_id, kind, amount) VALUES (1, 'authorize', 20);";

#[tokio::test]
async fn payment_rules_are_enforced_by_the_database() {
    let app = TestApp::new().await;
    let psql = Psql::connect(&app.database.url).await;
    let all_refused = async |table: &[(&str, &str)]| {
        for (sql, constraint) in table {
            match psql.try_run(sql).await {
                Ok(_) => panic!("no constraint rejected {sql}"),
                Err(error) => assert_eq!(violated_constraint(&error), *constraint, "{sql}"),
            }
        }
    };
    let begin = |kind: &str, amount: i32| {
        format!("INSERT INTO payment_operations (payment_id, kind, amount) VALUES (1, '{kind}', {amount})")
    };
    let settle = |id: i32, status: &str| {
        let failure = if status == "failed" { "'x'" } else { "NULL" };
        format!(
            "UPDATE payment_operations SET status = '{status}', failure = {failure}, settled_at = now() WHERE id = {id}"
        )
    };
    psql.rows(SETUP).await;
    all_refused(&[
        (&begin("capture", 1), "payment_operations_authorized_first"),
        (&begin("authorize", 20), "payment_operations_one_authorization"),
        (&begin("authorize", 19), "payment_operations_authorize_all"),
        ("INSERT INTO payments (order_id, provider, method, amount, currency) VALUES (1, 'test', 'card', 20, 'EUR')", "payments_one_live"),
        ("INSERT INTO payments (order_id, provider, method, amount, currency, status) VALUES (1, 'test', 'card', 20, 'EUR', 'captured')", "payments_from_operations"),
        ("UPDATE payments SET status = 'captured'", "payments_from_operations"),
        ("UPDATE payments SET captured_amount = 5", "payments_from_operations"),
        ("UPDATE payments SET amount = 21", "payments_terms_fixed"),
        ("UPDATE payments SET currency = 'USD'", "payments_terms_fixed"),
        ("DELETE FROM payments", "payments_kept"),
        ("DELETE FROM payment_operations", "payment_operations_kept"),
        ("TRUNCATE payment_operations", "payment_operations_kept"),
        ("UPDATE payment_operations SET amount = 1", "payment_operations_terms_fixed"),
        ("UPDATE payment_operations SET key = gen_random_uuid()", "payment_operations_terms_fixed"),
        ("UPDATE orders SET payment_status = 'paid', paid_amount = 20", "orders_paid_from_payments"),
    ])
    .await;
    psql.rows(&settle(1, "succeeded")).await;
    let paid = "SELECT payment_status || ' ' || round(paid_amount, 2) || '/' || round(refunded_amount, 2) FROM orders";
    assert_eq!(psql.scalar(paid).await, "authorized 0.00/0.00");
    all_refused(&[
        (&settle(1, "failed"), "payment_operations_settled_once"),
        (&settle(1, "succeeded"), "payment_operations_settled_once"),
        (&begin("refund", 1), "payment_operations_refund_range"),
        (&begin("capture", 21), "payment_operations_capture_range"),
        ("INSERT INTO payment_operations (payment_id, kind, amount, status, settled_at) VALUES (1, 'capture', 20, 'succeeded', now())", "payment_operations_begin_pending"),
    ])
    .await;
    // Pending operations count, failed ones do not.
    let [first] = psql.column(&format!("{} RETURNING id", begin("capture", 15))).await.try_into().unwrap();
    all_refused(&[(&begin("capture", 6), "payment_operations_capture_range")]).await;
    psql.rows(&settle(first.parse().unwrap(), "failed")).await;
    let [second] = psql.column(&format!("{} RETURNING id", begin("capture", 20))).await.try_into().unwrap();
    all_refused(&[
        (&begin("void", 1), "payment_operations_capture_range"),
        (&begin("refund", 1), "payment_operations_refund_range"),
    ])
    .await;
    psql.rows(&settle(second.parse().unwrap(), "succeeded")).await;
    assert_eq!(psql.scalar(paid).await, "paid 20.00/0.00");
    psql.rows(&begin("refund", 12)).await;
    all_refused(&[(&begin("refund", 9), "payment_operations_refund_range")]).await;
    psql.rows(&begin("refund", 8)).await;
    assert_eq!(psql.scalar(paid).await, "paid 20.00/0.00", "the refund is still pending");
    psql.rows("UPDATE payment_operations SET status = 'succeeded', settled_at = now() WHERE status = 'pending'").await;
    assert_eq!(psql.scalar(paid).await, "refunded 20.00/20.00");
}
