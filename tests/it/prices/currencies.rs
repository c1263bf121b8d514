//! Currencies: which are accepted, and their decimal places in inputs, outputs, totals, payments and the database.

use serde_json::{Value, json};
use souk::{
    ids::{ProductId, RowId, WebsiteId},
    money::Currency,
};

use crate::support::{
    Actor, TestApp,
    psql::{Psql, violated_constraint},
};

/// Creates a website with this currency.
async fn website(admin: &Actor<'_>, currency: &str) -> WebsiteId {
    let code = currency.to_lowercase();
    let input = json!({ "code": code, "name": code, "baseUrl": "https://shop.example", "currency": currency });
    let made = admin.mutate("websiteCreate", "website { id }", input).await;
    WebsiteId::parse("id", &made.text_at("websiteCreate.website.id")).expect("an id")
}

/// Creates a product in stock with this price.
async fn product(app: &TestApp, admin: &Actor<'_>, website: WebsiteId, price: &str) -> ProductId {
    let input = json!({ "sourceWebsiteId": website.to_global_id(), "name": "Rope", "sku": price, "price": price });
    let made = admin.mutate("productCreate", "product { id }", input).await;
    let id = ProductId::parse("id", &made.text_at("productCreate.product.id")).expect("an id");
    let stock = format!("INSERT INTO stock_movements (product_id, reason, delta) VALUES ({}, 'opening', 100)", id.0);
    app.database.sql(&stock).await;
    id
}

#[tokio::test]
async fn prices_have_the_decimal_places_of_the_websites_currency() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    for (currency, prices) in [
        ("JPY", vec![("1000", Ok("1000")), ("1000.00", Ok("1000")), ("1000.50", Err(0))]),
        ("EUR", vec![("1.5", Ok("1.50")), ("1.255", Err(2))]),
        ("KWD", vec![("1.255", Ok("1.255")), ("12.5", Ok("12.500")), ("1.2555", Err(3))]),
        ("VND", vec![("150000000", Ok("150000000")), ("0.5", Err(0))]),
    ] {
        let website = website(&admin, currency).await;
        for (price, expected) in prices {
            let fields = "product { price { amount currency } compareAtPrice { amount } costPrice { amount } }";
            let input = |field: &str| {
                let mut input =
                    json!({ "sourceWebsiteId": website.to_global_id(), "name": "Rope", "sku": price, "price": "1" });
                input[field] = json!(price);
                input
            };
            match expected {
                Ok(amount) => {
                    let mut input = input("price");
                    input["compareAtPrice"] = json!(price);
                    input["costPrice"] = json!(price);
                    let made = admin.mutate("productCreate", fields, input).await;
                    let amounts = json!({ "price": { "amount": amount, "currency": currency },
                        "compareAtPrice": { "amount": amount }, "costPrice": { "amount": amount } });
                    assert_eq!(*made.at("productCreate.product"), amounts, "{currency} {price}");
                }
                Err(digits) => {
                    for field in ["price", "compareAtPrice", "costPrice"] {
                        let made = admin.mutate("productCreate", fields, input(field)).await;
                        let rule = format!("{field} must have at most {digits} decimal places in {currency}");
                        let error = json!([{ "code": "INVALID", "field": field, "message": rule }]);
                        assert_eq!(*made.at("productCreate.userErrors"), error, "{currency} {price}");
                    }
                }
            }
        }
    }
}

#[tokio::test]
async fn update_of_a_price_is_checked_by_the_currency() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let website = website(&admin, "JPY").await;
    let id = product(&app, &admin, website, "1000").await.to_global_id();
    for (input, expected) in [
        (json!({ "id": id, "price": "999.5" }), "INVALID price"),
        (json!({ "id": id, "compareAtPrice": "1999.5" }), "INVALID compareAtPrice"),
        (json!({ "id": id, "price": "999.0" }), "done"),
        (json!({ "id": id, "compareAtPrice": null, "name": "Hemp" }), "done"),
    ] {
        assert_eq!(admin.try_mutate("productUpdate", input.clone()).await, expected, "{input}");
    }
    let query =
        "query ($id: ID!) { product(id: $id) { price { amount } priceHistory { nodes { price { amount } } } } }";
    let seen = admin.run_with(query, json!({ "id": id })).await;
    assert_eq!(seen.text_at("product.price.amount"), "999");
    assert_eq!(seen.text_at("product.priceHistory.nodes.1.price.amount"), "1000");
    // A filter accepts any number of decimal places.
    let found =
        admin.run("{ products(where: { price: { gte: \"998.5555\", lte: \"999.000\" } }) { nodes { id } } }").await;
    assert_eq!(found.text_at("products.nodes.0.id"), id);
}

#[tokio::test]
async fn orders_and_payments_have_the_decimal_places_of_their_currency() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let customer = app.customer().await;
    for (currency, price, total, refused, part, left) in [
        ("VND", "150000000", "450000000", "1000.5", "1000", "449999000"),
        ("KWD", "1.255", "3.765", "0.0005", "1.005", "2.760"),
    ] {
        let website = website(&admin, currency).await;
        let product = product(&app, &admin, website, price).await;
        let cart = customer.create_cart(&[(product, 3)]).await;
        assert_eq!(cart.total, total);
        let placed = customer.checkout(&cart, currency).await;
        assert_eq!(placed.text_at("checkout.orders.0.totalAmount.amount"), total);
        let order = placed.text_at("checkout.orders.0.id");
        let payment = customer.pay(&order, "4111111111111111").await;
        let capture = |amount: &'static str| admin.payment_operation("paymentCapture", &payment, Some(amount));
        assert_eq!(capture(refused).await, "INVALID amount", "{currency}");
        assert!(capture(part).await.starts_with(&format!("captured {part}/0")), "{currency}");
        let rest = admin.payment_operation("paymentCapture", &payment, None).await;
        assert!(rest.contains(&format!("capture {left} succeeded")), "{rest}");
    }
    let mails = app.database.scalar("SELECT string_agg(payload::text, ' ') FROM jobs WHERE kind = 'mail'").await;
    assert!(mails.contains("450000000 VND") && mails.contains("3.765 KWD"), "{mails}");
    assert!(!mails.contains("450000000.00"), "{mails}");
}

#[tokio::test]
async fn personal_data_shows_the_decimal_places_of_the_currency() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let customer = app.customer().await;
    let website = website(&admin, "KWD").await;
    let product = product(&app, &admin, website, "1.5").await;
    customer.order(&[(product, 2)]).await;
    let exported = customer.run("{ userExport }").await;
    let data: &Value = exported.at("userExport");
    assert_eq!(data["orders"][0]["totalAmount"], "3.000");
    assert_eq!(data["orders"][0]["details"][0]["unitPrice"], "1.500");
}

#[tokio::test]
async fn the_database_and_the_library_agree_on_all_currencies() {
    let app = TestApp::new().await;
    let psql = Psql::connect(&app.database.url).await;
    let codes = "SELECT code || ' ' || CASE WHEN is_currency(code) THEN currency_digits(code)::text ELSE '-' END
        FROM (SELECT chr(a) || chr(b) || chr(c) AS code
              FROM generate_series(65, 90) a, generate_series(65, 90) b, generate_series(65, 90) c) codes";
    let rows = psql.column(codes).await;
    assert_eq!(rows.len(), 26 * 26 * 26);
    let wrong: Vec<_> = rows
        .iter()
        .filter(|row| {
            let (code, digits) = row.split_once(' ').expect("two values");
            digits != Currency::parse(code).map_or("-".to_owned(), |currency| currency.digits().to_string())
        })
        .collect();
    assert!(wrong.is_empty(), "a migration has to replace is_currency and currency_digits: {wrong:?}");
}

#[tokio::test]
async fn no_writer_can_store_other_decimal_places_or_currencies() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let customer = app.customer().await;
    let website = website(&admin, "JPY").await;
    let product = product(&app, &admin, website, "1000").await;
    customer.order(&[(product, 1)]).await;
    let psql = Psql::connect(&app.database.url).await;
    let payment = |amount: &str| {
        format!(
            "INSERT INTO payments (order_id, provider, method, amount, currency)
                SELECT id, 'test', 'card', {amount}, 'JPY' FROM orders"
        )
    };
    let line = |price: &str| {
        format!(
            "INSERT INTO order_details (order_id, product_id, name, sku, quantity, unit_price)
                SELECT max(id), {}, 'R', 'R', 1, {price} FROM orders",
            product.0
        )
    };
    for (sql, constraint) in [
        ("UPDATE products SET price = 1000.5".to_owned(), "products_currency_digits"),
        ("UPDATE products SET cost_price = 0.01".to_owned(), "products_currency_digits"),
        ("UPDATE products SET price = 1000000000000".to_owned(), "products_price_maximum"),
        ("UPDATE products SET price = 'NaN'".to_owned(), "products_price_maximum"),
        (line("1000.5"), "order_details_currency_digits"),
        ("UPDATE order_details SET unit_price = 0.5".to_owned(), "order_details_currency_digits"),
        (payment("0.5"), "payments_currency_digits"),
        (
            "INSERT INTO websites (code, name, base_url, currency) VALUES ('x', 'X', 'https://x.example', 'XXX')"
                .to_owned(),
            "websites_currency_in_use",
        ),
        ("UPDATE websites SET currency = 'ZZZ'".to_owned(), "websites_currency_in_use"),
    ] {
        match psql.try_run(&sql).await {
            Ok(_) => panic!("no constraint rejected {sql}"),
            Err(error) => assert_eq!(violated_constraint(&error), constraint, "{sql}"),
        }
    }
    psql.rows("UPDATE products SET price = 900.000").await;
    assert_eq!(psql.scalar("SELECT price FROM products").await, "900");
}
