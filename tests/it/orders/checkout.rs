//! Checkout: its input, what it copies into the orders, stock and cart changes, idempotency, and that it is all or
//! nothing.

use serde_json::{Value, json};
use souk::ids::RowId;

use crate::support::{ProductSpec, TestApp, fixtures::TestCart};

fn spec(price: &'static str, stock: i32) -> ProductSpec {
    ProductSpec { price: Some(price), stock, ..ProductSpec::default() }
}

#[tokio::test]
async fn cart_with_two_websites_becomes_two_orders() {
    let app = TestApp::new().await;
    let (sailor, lamps) = (app.website("sailor").await, app.website("lamps").await);
    let rope = app.product(sailor.id, ProductSpec { name: Some("Rope".into()), ..spec("12.50", 9) }).await.id;
    let nail = app.product(sailor.id, ProductSpec { name: Some("Nail".into()), ..spec("0.99", 9) }).await.id;
    let lamp = app.product(lamps.id, ProductSpec { name: Some("Lamp".into()), ..spec("40.00", 2) }).await.id;
    let guest = app.anonymous();
    let cart = guest.create_cart(&[(rope, 2), (lamp, 1), (nail, 3)]).await;
    assert_eq!(cart.total, "67.97");
    let guest = guest.with_cart(cart.token.clone());
    let bought = guest.checkout_with(&cart, "k", json!({ "note": " Ring twice. " })).await;
    assert_eq!(bought.outcome("checkout"), "done", "{bought:?}");
    let orders = bought.at("checkout.orders").as_array().unwrap();
    let lines = |order: &Value| {
        order["details"].as_array().unwrap().iter().map(|l| json!([l["name"], l["quantity"]])).collect::<Vec<_>>()
    };
    assert_eq!(orders.len(), 2);
    assert_eq!(
        (&orders[0]["sourceWebsite"]["code"], &orders[0]["totalAmount"]["amount"]),
        (&json!("sailor"), &json!("27.97"))
    );
    assert_eq!(json!(lines(&orders[0])), json!([["Rope", 2], ["Nail", 3]]));
    assert_eq!(
        (&orders[1]["sourceWebsite"]["code"], &orders[1]["totalAmount"]["amount"]),
        (&json!("lamps"), &json!("40.00"))
    );
    assert!(orders[1]["orderNumber"].as_str().unwrap().starts_with("LAMPS-"));

    // The guest sees the orders with the cart token, unchanged since checkout; nobody else does.
    let query = "query ($id: ID!) { order(id: $id) { totalAmount { amount } customerNote paymentStatus user { id }
        contact { name email phone } shippingAddress { address city postalCode } createdAt updatedAt } }";
    let id = json!({ "id": orders[0]["id"] });
    let seen = guest.run_with(query, id.clone()).await;
    assert_eq!(seen.at("order.totalAmount.amount"), "27.97");
    assert_eq!(seen.at("order.customerNote"), "Ring twice.");
    assert_eq!(seen.at("order.contact"), &json!({ "name": "Ada", "email": "ada@souk.example", "phone": null }));
    assert_eq!(seen.at("order.shippingAddress.postalCode"), "20457");
    assert_eq!((seen.at("order.user"), seen.at("order.paymentStatus")), (&Value::Null, &json!("NONE")));
    assert_eq!(app.anonymous().run_with(query, id.clone()).await.at("order"), &Value::Null);
    assert_eq!(app.customer().await.run_with(query, id).await.at("order"), &Value::Null);

    assert_eq!([app.stock(rope).await, app.stock(nail).await, app.stock(lamp).await], [7, 6, 1]);
    assert_eq!(
        guest.run("{ cart { lines { id } total { amount } } }").await.at("cart.total.amount"),
        "0.00",
        "the cart is empty"
    );
    assert_eq!(app.email_summaries().await.len(), 2, "one confirmation for each order");
    app.database.assert_invariants().await;
}

#[tokio::test]
async fn address_and_contact_default_to_the_account() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await;
    let rope = app.product(website.id, spec("12.50", 9)).await.id;
    let (ada, bob) = (app.customer().await, app.customer().await);
    let cart = ada.create_cart(&[(rope, 1)]).await;
    let nothing = json!({ "address": null, "contact": null });
    assert_eq!(ada.checkout_with(&cart, "k", nothing.clone()).await.outcome("checkout"), "REQUIRED addressId");
    let theirs = bob.address().await.id.to_global_id();
    let foreign = json!({ "address": null, "addressId": theirs });
    assert_eq!(ada.checkout_with(&cart, "k", foreign).await.outcome("checkout"), "NOT_FOUND addressId");
    ada.address().await;
    app.database.sql(&format!("UPDATE addresses SET is_default = true WHERE user_id = {}", ada.id.0)).await;
    let bought = ada.checkout_with(&cart, "k", nothing).await;
    assert_eq!(bought.outcome("checkout"), "done", "{bought:?}");
    let query = "query ($id: ID!) { order(id: $id) { user { id } contact { name } shippingAddress { city } } }";
    let seen = ada.run_with(query, json!({ "id": bought.text_at("checkout.orders.0.id") })).await;
    assert_eq!(seen.at("order.contact.name"), "A Customer");
    assert_eq!(seen.at("order.shippingAddress.city"), "Hamburg");
    assert_eq!(seen.text_at("order.user.id"), ada.global_id());
}

#[tokio::test]
async fn rejected_checkout_returns_errors_and_writes_nothing() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await;
    let [a, b] = [app.product(website.id, spec("2.00", 9)).await.id, app.product(website.id, spec("3.00", 9)).await.id];
    let (guest, bob) = (app.anonymous(), app.customer().await);
    let cart = guest.create_cart(&[(a, 1), (b, 2)]).await;
    let theirs = bob.create_cart(&[(a, 1)]).await;
    let guest = guest.with_cart(cart.token.clone());
    let long = "x".repeat(1001);
    let address = |field: &str, value: &str| {
        let mut address =
            json!({ "countryCode": "DE", "city": "Hamburg", "address": "Hafenstrasse 1", "postalCode": "20457" });
        address[field] = json!(value);
        json!({ "address": address })
    };
    let table = [
        (json!({ "address": null }), "REQUIRED address"),
        (json!({ "contact": null }), "REQUIRED contact"),
        (json!({ "address": null, "contact": null }), "REQUIRED address, REQUIRED contact"),
        (json!({ "contact": { "name": " ", "email": "nobody" } }), "REQUIRED contact.name, INVALID contact.email"),
        (json!({ "contact": { "name": "Ada", "email": "ada@souk.example", "phone": "12" } }), "INVALID contact.phone"),
        (address("city", " "), "REQUIRED address.city"),
        (address("postalCode", &"9".repeat(21)), "TOO_LONG address.postalCode"),
        (address("postalCode", "##"), "INVALID address.postalCode"),
        (address("countryCode", "US"), "REQUIRED address.subdivisionCode"),
        (address("countryCode", "Narnia"), "!BAD_USER_INPUT"),
        (json!({ "note": long }), "TOO_LONG note"),
        (json!({ "idempotencyKey": " " }), "INVALID idempotencyKey"),
        (json!({ "idempotencyKey": long }), "INVALID idempotencyKey"),
        (json!({ "expectedTotal": "7.99" }), "PRICE_CHANGED expectedTotal"),
        (json!({ "expectedTotal": "eight" }), "!BAD_USER_INPUT"),
        (json!({ "cartId": theirs.id }), "NOT_FOUND cartId"),
        (json!({ "cartId": a.to_global_id() }), "INVALID cartId"),
        (json!({ "addressId": bob.address().await.id.to_global_id() }), "INVALID address"),
        (json!({ "address": null, "addressId": bob.address().await.id.to_global_id() }), "NOT_FOUND addressId"),
    ];
    let before = app.database.contents().await;
    for (change, expected) in table {
        assert_eq!(guest.checkout_with(&cart, "k", change.clone()).await.outcome("checkout"), expected, "{change}");
    }
    assert_eq!(app.anonymous().checkout(&cart, "k").await.outcome("checkout"), "NOT_FOUND cartId");
    assert_eq!(bob.checkout(&cart, "k").await.outcome("checkout"), "NOT_FOUND cartId");
    assert_eq!(app.database.contents().await, before, "nothing was written");

    // Changes to the products between cart and checkout.
    let meanwhile = [
        (format!("UPDATE products SET price = 2.01 WHERE id = {}", a.0), "8.00", "PRICE_CHANGED expectedTotal"),
        (format!("UPDATE products SET price = 2.01 WHERE id = {}", a.0), "null", "PRICE_CHANGED lines.0.unitPrice"),
        (
            format!("UPDATE products SET price = 2, is_active = false WHERE id = {}", a.0),
            "6.00",
            "PRODUCT_INACTIVE lines.0.productId",
        ),
        (
            format!(
                "UPDATE products SET is_active = true WHERE id = {};
                 INSERT INTO stock_movements (product_id, reason, delta) VALUES ({1}, 'adjustment', -8)",
                a.0, b.0
            ),
            "8.00",
            "OUT_OF_STOCK lines.1.quantity",
        ),
    ];
    for (change, expected_total, expected) in meanwhile {
        app.database.sql(&change).await;
        let before = app.database.contents().await;
        let total = if expected_total == "null" { Value::Null } else { json!(expected_total) };
        let refused = guest.checkout_with(&cart, "k", json!({ "expectedTotal": total })).await;
        assert_eq!(refused.outcome("checkout"), expected, "{change}");
        assert_eq!(refused.at("checkout.orders"), &json!([]));
        assert_eq!(app.database.contents().await, before, "nothing was written: {change}");
    }
    guest.mutate("cartClear", "cart { id }", json!({ "id": cart.id })).await;
    assert_eq!(guest.checkout(&cart, "k").await.outcome("checkout"), "CART_EMPTY cartId");
}

#[tokio::test]
async fn overflowing_total_is_rejected() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await;
    let dear = app.product(website.id, spec("999999999999.99", 1000)).await.id;
    let customer = app.customer().await;
    let cart = customer.create_cart(&[(dear, 100)]).await;
    // Bypasses the checks of the cart.
    app.database.sql("UPDATE cart_lines SET quantity = 101").await;
    let before = app.database.contents().await;
    let cart = TestCart { total: "100999999999998.99".into(), ..cart };
    assert_eq!(customer.checkout(&cart, "k").await.outcome("checkout"), "OUT_OF_RANGE cartId");
    assert_eq!(app.database.contents().await, before);
}

#[tokio::test]
async fn repeated_key_returns_the_same_orders_and_rejects_a_different_request() {
    let app = TestApp::new().await;
    let (sailor, lamps) = (app.website("sailor").await, app.website("lamps").await);
    let rope = app.product(sailor.id, spec("2.00", 9)).await.id;
    let lamp = app.product(lamps.id, spec("3.00", 9)).await.id;
    let (guest, bob) = (app.anonymous(), app.customer().await);
    let cart = guest.create_cart(&[(rope, 1), (lamp, 1)]).await;
    let guest = guest.with_cart(cart.token.clone());
    let first = guest.checkout(&cart, "k").await;
    assert_eq!(first.outcome("checkout"), "done");
    // The cart is empty now, then filled again; the response stays the same.
    assert_eq!(guest.checkout(&cart, "k").await.at("checkout.orders"), first.at("checkout.orders"));
    let more = json!({ "cartId": cart.id, "productId": rope.to_global_id(), "quantity": 1 });
    assert_eq!(guest.mutate("cartLineAdd", "cart { id }", more).await.outcome("cartLineAdd"), "done");
    assert_eq!(guest.checkout(&cart, "k").await.at("checkout.orders"), first.at("checkout.orders"));
    // The same total in another notation and a name with surrounding whitespace: the same request.
    let same = json!({ "expectedTotal": "5.0", "contact": { "name": "Ada ", "email": "ada@SOUK.example" } });
    assert_eq!(guest.checkout_with(&cart, "k", same).await.at("checkout.orders"), first.at("checkout.orders"));
    for other in [
        json!({ "expectedTotal": "2.00" }),
        json!({ "note": "Ring" }),
        json!({ "address": { "countryCode": "DE", "city": "Kiel", "address": "Hafen 1", "postalCode": "24103" } }),
    ] {
        assert_eq!(
            guest.checkout_with(&cart, "k", other).await.outcome("checkout"),
            "IDEMPOTENCY_MISMATCH idempotencyKey"
        );
    }
    // Another user's key with the same text is a different key.
    let theirs = bob.create_cart(&[(rope, 1)]).await;
    assert_eq!(bob.checkout(&theirs, "k").await.outcome("checkout"), "done");
    let counted = "SELECT (SELECT count(*) FROM orders) || ' ' || (SELECT count(*) FROM order_details)";
    assert_eq!(app.database.scalar(counted).await, "3 3");
    assert_eq!(app.stock(rope).await, 7);
}

#[tokio::test]
async fn statement_count_does_not_depend_on_the_cart_size() {
    let app = TestApp::new().await;
    let mut counts = Vec::new();
    for (websites, products) in [(1, 1), (1, 20), (5, 4)] {
        let mut lines = Vec::new();
        for site in 0..websites {
            let website = app.website(&format!("s{websites}-{products}-{site}")).await;
            for _ in 0..products {
                lines.push((app.product(website.id, spec("1.00", 5)).await.id, 1));
            }
        }
        let customer = app.customer().await;
        // The first unpaid order with an address is confirmed at once; the confirmation of others is deferred.
        app.database.sql("DELETE FROM unpaid_orders").await;
        let cart = customer.create_cart(&lines).await;
        let bought = customer.checkout(&cart, "k").await;
        assert_eq!(bought.outcome("checkout"), "done");
        counts.push(bought.statements());
    }
    assert!(counts.iter().all(|count| *count == counts[0]), "{counts:?}");
}

#[tokio::test]
async fn phone_number_without_country_code_is_read_in_the_country_of_the_shipping_address() {
    let app = TestApp::new().await;
    let rope = app.product(app.website("sailor").await.id, spec("1.00", 99)).await.id;
    let contact = json!({ "name": "Ada", "email": " ada@souk.example\u{a0}", "phone": "020 7946 0000" });
    let home = json!({ "countryCode": "GB", "city": "London", "address": "12 High Street\r\nFlat 3", "postalCode": "SW1A 1AA" });
    let seen = "query ($id: ID!) { order(id: $id) { contact { email phone } shippingAddress { address } } }";
    let check = async |buyer: &crate::support::Actor<'_>, bought: crate::support::TestResponse, street: &str| {
        let id = json!({ "id": bought.text_at("checkout.orders.0.id") });
        let expected = json!({ "contact": { "email": "ada@souk.example", "phone": "+442079460000" },
            "shippingAddress": { "address": street } });
        assert_eq!(*buyer.run_with(seen, id).await.at("order"), expected);
    };
    let guest = app.anonymous();
    let cart = guest.create_cart(&[(rope, 1)]).await;
    let guest = guest.with_cart(cart.token.clone());
    let abroad = json!({ "contact": contact });
    assert_eq!(guest.checkout_with(&cart, "a", abroad).await.outcome("checkout"), "INVALID contact.phone");
    let given = json!({ "contact": contact, "address": home });
    let bought = guest.checkout_with(&cart, "b", given.clone()).await;
    // The same request again is the same order.
    let again = guest.checkout_with(&cart, "b", given).await;
    assert_eq!(again.text_at("checkout.orders.0.id"), bought.text_at("checkout.orders.0.id"));
    check(&guest, bought, "12 High Street\nFlat 3").await;

    let customer = app.customer().await;
    let saved = customer.mutate("addressCreate", "address { id }", home).await.text_at("addressCreate.address.id");
    for (key, id) in [("c", Some(saved)), ("d", None)] {
        let cart = customer.create_cart(&[(rope, 1)]).await;
        let given = json!({ "contact": contact, "address": null, "addressId": id });
        check(&customer, customer.checkout_with(&cart, key, given).await, "12 High Street\nFlat 3").await;
    }
}
