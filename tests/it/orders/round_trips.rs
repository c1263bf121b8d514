//! Round trips to the database of a purchase. BEGIN and COMMIT are one each.

use serde_json::{Value, json};
use souk::ids::RowId;

use crate::support::{Actor, ProductSpec, TestApp, TestResponse};

async fn order(buyer: &Actor<'_>, lines: &Value, key: &str) -> TestResponse {
    buyer.mutate("orderCreate", "order { id }", json!({ "lines": lines, "idempotencyKey": key })).await
}

#[tokio::test]
async fn order_takes_five_round_trips() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await;
    let mut lines = Vec::new();
    for _ in 0..3 {
        let product = app.product(website.id, ProductSpec { stock: 50, ..ProductSpec::default() }).await;
        lines.push(json!({ "productId": product.id.to_global_id(), "quantity": 2 }));
    }
    let lines = Value::from(lines);
    for is_verified in [true, false] {
        let buyer = app.customer().await;
        let verified = if is_verified { "now()" } else { "NULL" };
        app.database.sql(&format!("UPDATE users SET email_verified_at = {verified} WHERE id = {}", buyer.id.0)).await;
        // The confirmation of the second order is deferred if the email address is not verified.
        for key in ["first", "second"] {
            app.database.sql("UPDATE unpaid_orders SET network = NULL").await;
            let placed = order(&buyer, &lines, key).await;
            assert_eq!(placed.outcome("orderCreate"), "done", "{is_verified} {key}");
            assert_eq!(placed.round_trips(), 5, "{is_verified} {key}: {:#?}", placed.sql);
            let again = order(&buyer, &lines, key).await;
            assert_eq!(again.data(), placed.data());
        }
    }
    app.database.assert_invariants().await;
}

#[tokio::test]
async fn checkout_takes_six_round_trips() {
    let app = TestApp::new().await;
    let mut lines = Vec::new();
    for code in ["sailor", "baker"] {
        let website = app.website(code).await;
        for _ in 0..2 {
            lines.push((app.product(website.id, ProductSpec { stock: 50, ..ProductSpec::default() }).await.id, 2));
        }
    }
    let (anonymous, customer) = (app.anonymous(), app.customer().await);
    for is_guest in [true, false] {
        for is_reserved in [true, false] {
            app.database.sql("UPDATE unpaid_orders SET network = NULL").await;
            let shopper = if is_guest { &anonymous } else { &customer };
            let cart = shopper.create_cart(&lines).await;
            let guest;
            let shopper = if is_guest {
                guest = app.anonymous().with_cart(cart.token.clone());
                &guest
            } else {
                shopper
            };
            if is_reserved {
                assert_eq!(
                    shopper.mutate("cartReserve", "", json!({ "id": cart.id })).await.outcome("cartReserve"),
                    "done"
                );
            }
            let key = format!("{is_guest} {is_reserved}");
            let input = json!({
                "cartId": cart.id,
                "address": { "countryCode": "DE", "city": "Hamburg", "address": "Hafenstrasse 1", "postalCode": "20457" },
                "contact": { "name": "Ada", "email": format!("ada-{is_guest}-{is_reserved}@souk.example") },
                "idempotencyKey": key,
            });
            let bought = shopper.mutate("checkout", "orders { id }", input).await;
            assert_eq!(bought.outcome("checkout"), "done", "{key}: {}", bought.text);
            assert_eq!(bought.round_trips(), 6, "{key}: {:#?}", bought.sql);
        }
    }
    assert_eq!(app.database.scalar("SELECT count(*) FROM cart_reservations").await, "0");
    assert_eq!(app.database.scalar("SELECT count(*) FROM cart_lines").await, "0");
    app.database.assert_invariants().await;
}
