//! Placing orders: the data that an order copies, and its totals.

use serde_json::json;
use souk::ids::RowId;

use crate::support::{ProductSpec, TestApp};

/// Every field of an order.
const ORDER: &str = "order { id orderNumber status totalAmount { amount currency } sourceWebsite { code } user { id }
    shippingAddress { countryCode country city district address postalCode }
    details { name sku quantity unitPrice { amount currency } totalPrice { amount } product { id } } }";

#[tokio::test]
async fn lines_of_one_product_are_merged_and_the_total_is_the_sum_of_the_lines() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await;
    let rope = app.product(website.id, spec("Rope", "R-1", "12.50", 9)).await;
    let nail = app.product(website.id, spec("Nail", "N-1", "0.99", 9)).await;
    let customer = app.customer().await;
    let line = |id: &str, quantity: i32| json!({ "productId": id, "quantity": quantity });
    let (rope, nail) = (rope.id.to_global_id(), nail.id.to_global_id());
    let input = json!({ "lines": [line(&nail, 3), line(&rope, 1), line(&rope, 2)], "idempotencyKey": "k" });
    let response = customer.mutate("orderCreate", ORDER, input).await;
    assert_eq!(response.outcome("orderCreate"), "done", "{response:?}");
    let order = response.at("orderCreate.order");
    let money = |amount: &str| json!({ "amount": amount, "currency": "EUR" });
    assert_eq!(
        order["details"],
        json!([
            { "name": "Rope", "sku": "R-1", "quantity": 3, "unitPrice": money("12.50"),
              "totalPrice": { "amount": "37.50" }, "product": { "id": rope } },
            { "name": "Nail", "sku": "N-1", "quantity": 3, "unitPrice": money("0.99"),
              "totalPrice": { "amount": "2.97" }, "product": { "id": nail } },
        ])
    );
    assert_eq!(order["totalAmount"], money("40.47"));
    assert_eq!(order["status"], "PENDING");
    assert_eq!(order["user"]["id"], customer.global_id());
    assert_eq!(order["sourceWebsite"]["code"], "sailor");
    app.database.assert_invariants().await;
}

#[tokio::test]
async fn order_keeps_product_and_address_data_after_they_change() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await;
    let rope = app.product(website.id, spec("Rope", "R-1", "12.50", 9)).await;
    let (customer, manager) = (app.customer().await, app.manager().await);
    let address = customer.address().await.id.to_global_id();
    let lines = json!([{ "productId": rope.id.to_global_id(), "quantity": 2 }]);
    let input = json!({ "lines": lines, "addressId": address, "idempotencyKey": "k" });
    let before = customer.mutate("orderCreate", ORDER, input).await;
    let id = before.text_at("orderCreate.order.id");
    let agreed = before.at("orderCreate.order");
    assert_eq!(agreed["shippingAddress"]["address"], "Hafenstrasse 1");

    let change = json!({ "id": rope.id.to_global_id(), "name": "Cord", "sku": "C-9", "price": "99.00" });
    assert_eq!(manager.mutate("productUpdate", "", change).await.outcome("productUpdate"), "done");
    let change =
        json!({ "id": address, "countryCode": "FR", "city": "Brest", "address": "Quai 9", "postalCode": "29200" });
    assert_eq!(customer.mutate("addressUpdate", "", change).await.outcome("addressUpdate"), "done");
    let reread = format!(
        "query ($id: ID!) {{ order(id: $id) {{ ...Whole }} }} fragment Whole on Order {{ {} }}",
        order_fields()
    );
    let after = customer.run_with(&reread, json!({ "id": id })).await;
    assert_eq!(after.at("order"), agreed);

    let removed = customer.mutate("addressDelete", "", json!({ "id": address })).await;
    assert_eq!(removed.outcome("addressDelete"), "done");
    let removed = manager.mutate("productDelete", "", json!({ "id": rope.id.to_global_id() })).await;
    assert_eq!(removed.outcome("productDelete"), "done");
    let after = customer.run_with(&reread, json!({ "id": id })).await;
    assert_eq!(after.at("order"), agreed);
}

#[tokio::test]
async fn shipping_address_is_the_given_one_else_the_default_else_null() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await;
    let rope = app.product(website.id, spec("Rope", "R-1", "12.50", 9)).await;
    let customer = app.customer().await;
    let place = async |key: &str, address: Option<&str>| {
        let lines = json!([{ "productId": rope.id.to_global_id(), "quantity": 1 }]);
        let input = json!({ "lines": lines, "addressId": address, "idempotencyKey": key });
        let response = customer.mutate("orderCreate", ORDER, input).await;
        response.at("orderCreate.order.shippingAddress").clone()
    };
    assert!(place("nowhere", None).await.is_null());

    let add = async |city: &str| {
        let input = json!({ "countryCode": "DE", "city": city, "address": "Hafenstrasse 1", "postalCode": "20457" });
        customer.mutate("addressCreate", "address { id }", input).await.text_at("addressCreate.address.id")
    };
    let (first, second) = (add("Hamburg").await, add("Kiel").await);
    let default = place("default", None).await;
    let whole = json!({ "countryCode": "DE", "country": "Germany", "city": "Hamburg", "district": null,
        "address": "Hafenstrasse 1", "postalCode": "20457" });
    assert_eq!(default, whole);
    assert_eq!(place("second", Some(&second)).await["city"], "Kiel");

    let removed = customer.mutate("addressDelete", "", json!({ "id": first })).await;
    assert_eq!(removed.outcome("addressDelete"), "done");
    assert!(place("no default", None).await.is_null(), "without a default address there is none");
}

#[tokio::test]
async fn order_number_is_the_website_code_and_a_unique_number() {
    let app = TestApp::new().await;
    let longest = "long-".repeat(10);
    let customer = app.customer().await;
    let mut numbers = Vec::new();
    for code in ["sailor", "tiny-shop", &longest] {
        let website = app.website(code).await;
        let rope = app.product(website.id, spec("Rope", "R-1", "12.50", 9)).await;
        let response = customer.try_order(&[(rope.id, 1)], code).await;
        assert_eq!(response.outcome("orderCreate"), "done", "{code}: {response:?}");
        numbers.push(response.text_at("orderCreate.order.orderNumber"));
    }
    assert_eq!(numbers, ["SAILOR-1001", "TINY-SHOP-1002", &format!("{}-1003", longest.to_uppercase())]);
}

#[tokio::test]
async fn imported_order_numbers_are_skipped() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await;
    let rope = app.product(website.id, spec("Rope", "R-1", "12.50", 9)).await;
    let imported = format!(
        "INSERT INTO orders (source_website_id, order_number) SELECT {}, 'SAILOR-' || n FROM generate_series(1001, 1003) n",
        website.id.0
    );
    app.database.sql(&imported).await;
    let response = app.customer().await.try_order(&[(rope.id, 1)], "k").await;
    assert_eq!(response.outcome("orderCreate"), "done", "{response:?}");
    assert_eq!(response.text_at("orderCreate.order.orderNumber"), "SAILOR-1004");
    assert_eq!(app.stock(rope.id).await, 8);
}

#[tokio::test]
async fn order_reduces_stock_through_the_ledger() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await;
    let rope = app.product(website.id, spec("Rope", "R-1", "12.50", 9)).await;
    let nail = app.product(website.id, spec("Nail", "N-1", "0.99", 3)).await;
    let customer = app.customer().await;
    customer.order(&[(nail.id, 3), (rope.id, 2)]).await;
    assert_eq!((app.stock(rope.id).await, app.stock(nail.id).await), (7, 0));
    let ledger = "SELECT product_id, reason, delta, balance, order_id, user_id FROM stock_movements
        WHERE reason <> 'opening' ORDER BY id";
    let (order, me) = (1, customer.id.0);
    let expected =
        [format!("({},sale,-2,7,{order},{me})", rope.id.0), format!("({},sale,-3,0,{order},{me})", nail.id.0)];
    assert_eq!(app.database.rows(ledger).await, expected);
    app.database.assert_invariants().await;
}

#[tokio::test]
async fn order_with_a_repeated_key_is_placed_once() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await;
    let rope = app.product(website.id, spec("Rope", "R-1", "12.50", 9)).await;
    let customer = app.customer().await;
    let key = "ключ".repeat(50);
    let first = customer.try_order(&[(rope.id, 2)], &key).await;
    assert_eq!(first.outcome("orderCreate"), "done");
    let written = app.database.contents().await;
    let again = customer.try_order(&[(rope.id, 2)], &key).await;
    assert_eq!(again.at("orderCreate"), first.at("orderCreate"));
    let other = customer.try_order(&[(rope.id, 3)], &key).await;
    assert_eq!(other.outcome("orderCreate"), "IDEMPOTENCY_MISMATCH idempotencyKey");
    assert_eq!(app.database.contents().await, written);

    let neighbour = app.customer().await.try_order(&[(rope.id, 2)], &key).await;
    assert_ne!(neighbour.text_at("orderCreate.order.id"), first.text_at("orderCreate.order.id"));
    assert_eq!(app.stock(rope.id).await, 5);
}

#[tokio::test]
async fn key_of_a_rejected_order_can_be_reused() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await;
    let rope = app.product(website.id, spec("Rope", "R-1", "12.50", 2)).await;
    let customer = app.customer().await;
    let refused = customer.try_order(&[(rope.id, 3)], "k").await;
    assert_eq!(refused.outcome("orderCreate"), "OUT_OF_STOCK lines.0.quantity");
    assert_eq!(customer.try_order(&[(rope.id, 2)], "k").await.outcome("orderCreate"), "done");
}

fn spec(name: &str, sku: &str, price: &'static str, stock: i32) -> ProductSpec {
    ProductSpec { name: Some(name.into()), sku: Some(sku.into()), price: Some(price), stock, ..ProductSpec::default() }
}

/// Returns the fields inside [`ORDER`].
fn order_fields() -> &'static str {
    ORDER.trim_start_matches("order {").trim_end_matches('}').trim_end()
}

#[tokio::test]
async fn contact_is_shown_if_only_its_email_is_known() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await;
    let rope = app.product(website.id, ProductSpec { stock: 2, ..ProductSpec::default() }).await;
    let order = app.customer().await.order(&[(rope.id, 1)]).await;
    let contact = async || {
        let document = "query ($id: ID!) { order(id: $id) { contact { name email } } }";
        app.manager().await.run_with(document, json!({ "id": order })).await.at("order.contact").clone()
    };
    app.database.sql("UPDATE orders SET contact_name = NULL, contact_email = 'old@souk.example'").await;
    assert_eq!(contact().await, json!({ "name": null, "email": "old@souk.example" }));
    app.database.sql("UPDATE orders SET contact_email = NULL, contact_phone = NULL").await;
    assert_eq!(contact().await, json!(null));
}
