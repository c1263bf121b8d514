//! The shipping and the billing address of an order.

use serde_json::{Value, json};
use souk::ids::RowId;

use crate::support::{Actor, ProductSpec, TestApp};

const ADDRESSES: &str = "query ($id: ID!) { order(id: $id) {
    shippingAddress { recipientName company phone countryCode country subdivisionCode subdivision city district address postalCode }
    billingAddress { recipientName company phone countryCode country subdivisionCode subdivision city district address postalCode } } }";

fn office() -> Value {
    json!({ "recipientName": "Accounts", "company": "Rope Ltd", "phone": "(202) 555-0143", "countryCode": "US",
        "subdivisionCode": "NY", "city": "New York", "district": null, "address": "5 Dock St", "postalCode": "10001" })
}

/// Returns the office as an order has it.
fn office_of_order() -> Value {
    let mut office = office();
    office["phone"] = json!("+12025550143");
    office["country"] = json!("United States");
    office["subdivisionCode"] = json!("US-NY");
    office["subdivision"] = json!("New York");
    office
}

async fn addresses(actor: &Actor<'_>, id: &str) -> (Value, Value) {
    let seen = actor.run_with(ADDRESSES, json!({ "id": id })).await;
    (seen.at("order.shippingAddress").clone(), seen.at("order.billingAddress").clone())
}

#[tokio::test]
async fn order_is_billed_to_the_shipping_address_unless_another_one_is_given() {
    let app = TestApp::new().await;
    let rope = app.product(app.website("sailor").await.id, ProductSpec { stock: 9, ..ProductSpec::default() }).await.id;
    let guest = app.anonymous();
    let cart = guest.create_cart(&[(rope, 1)]).await;
    let guest = guest.with_cart(cart.token.clone());
    let bought = guest.checkout(&cart, "a").await;
    let (shipping, billing) = addresses(&guest, &bought.text_at("checkout.orders.0.id")).await;
    assert_eq!((&shipping["city"], &shipping), (&json!("Hamburg"), &billing));
    assert_eq!(app.database.scalar("SELECT count(billing_address) FROM orders").await, "0");

    let cart = app.anonymous().create_cart(&[(rope, 1)]).await;
    let guest = app.anonymous().with_cart(cart.token.clone());
    let bought = guest.checkout_with(&cart, "b", json!({ "billingAddress": office() })).await;
    let (shipping, billing) = addresses(&guest, &bought.text_at("checkout.orders.0.id")).await;
    assert_eq!((&shipping["city"], billing), (&json!("Hamburg"), office_of_order()));

    // The same address twice is stored once.
    let cart = app.anonymous().create_cart(&[(rope, 1)]).await;
    let guest = app.anonymous().with_cart(cart.token.clone());
    let both = json!({ "address": office(), "billingAddress": office() });
    let bought = guest.checkout_with(&cart, "c", both).await;
    let (shipping, billing) = addresses(&guest, &bought.text_at("checkout.orders.0.id")).await;
    assert_eq!((&shipping, &billing), (&office_of_order(), &office_of_order()));
    assert_eq!(app.database.scalar("SELECT count(billing_address) FROM orders").await, "1");
}

#[tokio::test]
async fn saved_address_can_be_the_billing_address() {
    let app = TestApp::new().await;
    let rope = app.product(app.website("sailor").await.id, ProductSpec { stock: 9, ..ProductSpec::default() }).await.id;
    let (ada, bob) = (app.customer().await, app.customer().await);
    let home = ada.address().await.id.to_global_id();
    let saved = ada.mutate("addressCreate", "address { id }", office()).await.text_at("addressCreate.address.id");
    let theirs = bob.address().await.id.to_global_id();

    let cart = ada.create_cart(&[(rope, 1)]).await;
    let input = |other: Value| {
        let mut input = json!({ "address": null, "addressId": home });
        input.as_object_mut().expect("an object").extend(other.as_object().expect("an object").clone());
        input
    };
    let before = app.database.contents().await;
    for (other, expected) in [
        (json!({ "billingAddressId": theirs }), "NOT_FOUND billingAddressId"),
        (json!({ "billingAddressId": saved, "billingAddress": office() }), "INVALID billingAddress"),
        (json!({ "billingAddressId": ada.global_id() }), "INVALID billingAddressId"),
    ] {
        let rejected = ada.checkout_with(&cart, "k", input(other.clone())).await;
        assert_eq!(rejected.outcome("checkout"), expected, "{other}");
    }
    let mut wrong = office();
    (wrong["postalCode"], wrong["company"]) = (json!("##"), json!(" "));
    let rejected = ada.checkout_with(&cart, "k", input(json!({ "billingAddress": wrong }))).await;
    assert_eq!(rejected.outcome("checkout"), "INVALID billingAddress.postalCode");
    assert_eq!(app.database.contents().await, before);

    let bought = ada.checkout_with(&cart, "k", input(json!({ "billingAddressId": saved }))).await;
    let order = bought.text_at("checkout.orders.0.id");
    let (shipping, billing) = addresses(&ada, &order).await;
    assert_eq!((&shipping["postalCode"], &billing), (&json!("20359"), &office_of_order()));
    // The order keeps its copy.
    assert_eq!(ada.try_mutate("addressDelete", json!({ "id": saved })).await, "done");
    assert_eq!(addresses(&ada, &order).await, (shipping, billing));

    let saved = ada.mutate("addressCreate", "address { id }", office()).await.text_at("addressCreate.address.id");
    let lines = json!([{ "productId": rope.to_global_id(), "quantity": 1 }]);
    let direct = json!({ "lines": lines, "addressId": home, "billingAddressId": saved, "idempotencyKey": "o" });
    let placed = ada.mutate("orderCreate", "order { id }", direct).await.text_at("orderCreate.order.id");
    assert_eq!(addresses(&ada, &placed).await.1, office_of_order());
    let direct = json!({ "lines": lines, "billingAddressId": theirs, "idempotencyKey": "p" });
    assert_eq!(ada.try_mutate("orderCreate", direct).await, "NOT_FOUND billingAddressId");
}

#[tokio::test]
async fn guests_have_no_saved_billing_address() {
    let app = TestApp::new().await;
    let rope = app.product(app.website("sailor").await.id, ProductSpec { stock: 9, ..ProductSpec::default() }).await.id;
    let theirs = app.customer().await.address().await.id.to_global_id();
    let cart = app.anonymous().create_cart(&[(rope, 1)]).await;
    let guest = app.anonymous().with_cart(cart.token.clone());
    let rejected = guest.checkout_with(&cart, "k", json!({ "billingAddressId": theirs })).await;
    assert_eq!(rejected.outcome("checkout"), "NOT_FOUND billingAddressId");
}

#[tokio::test]
async fn saved_address_without_a_known_country_cannot_be_shipped_to() {
    let app = TestApp::new().await;
    let rope = app.product(app.website("sailor").await.id, ProductSpec { stock: 9, ..ProductSpec::default() }).await.id;
    let ada = app.customer().await;
    let id = ada.address().await.id.to_global_id();
    app.database.sql("UPDATE addresses SET country = 'ZZ', district = 'Narnia'").await;
    let cart = ada.create_cart(&[(rope, 1)]).await;
    let input = json!({ "address": null, "addressId": id });
    assert_eq!(ada.checkout_with(&cart, "k", input.clone()).await.outcome("checkout"), "INVALID addressId");
    let fixed = json!({ "id": id, "countryCode": "DE", "district": null });
    assert_eq!(ada.try_mutate("addressUpdate", fixed).await, "done");
    assert_eq!(ada.checkout_with(&cart, "k", input).await.outcome("checkout"), "done");
}

#[tokio::test]
async fn confirmation_shows_the_address_with_the_name_of_its_country() {
    let app = TestApp::new().await;
    let rope = app.product(app.website("sailor").await.id, ProductSpec { stock: 9, ..ProductSpec::default() }).await.id;
    // Unverified addresses get no text of the sender.
    let ada = app.customer().await;
    let verified =
        format!("UPDATE users SET email = 'ada@souk.example', email_verified_at = now() WHERE id = {}", ada.id.0);
    app.database.sql(&verified).await;
    let cart = ada.create_cart(&[(rope, 1)]).await;
    assert_eq!(ada.checkout_with(&cart, "k", json!({ "address": office() })).await.outcome("checkout"), "done");
    let lines =
        app.database.scalar("SELECT payload -> 'values' ->> 'address' FROM jobs WHERE payload ? 'values'").await;
    let expected = json!(["Accounts", "Rope Ltd", "5 Dock St", "10001 New York", "New York", "United States"]);
    assert_eq!(serde_json::from_str::<Value>(&lines).expect("JSON"), expected);
}
