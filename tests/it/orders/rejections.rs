//! Rejected orders: each with its error code and field, and without any write.

use serde_json::{Value, json};
use souk::ids::{AddressId, ProductId, RowId};

use crate::support::{ProductSpec, TestApp};

/// Invalid and unknown ids, each with the expected error code.
fn invalid_ids(foreign: &str) -> Vec<(Value, &'static str)> {
    let encoded = |text: &str| {
        use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
        URL_SAFE_NO_PAD.encode(text)
    };
    vec![
        (json!(foreign), "INVALID"),
        (json!(""), "INVALID"),
        (json!("x"), "INVALID"),
        (json!("Product:1"), "INVALID"),
        (json!(1), "INVALID"),
        (json!(encoded("Product:01")), "INVALID"),
        (json!(encoded("Product:+1")), "INVALID"),
        (json!(encoded("Product:-1")), "INVALID"),
        (json!(encoded("Product:0")), "INVALID"),
        (json!(encoded("Product:1 ")), "INVALID"),
        (json!(encoded("Product:99999999999999999999")), "INVALID"),
        (json!("A".repeat(100_000)), "INVALID"),
    ]
}

#[tokio::test]
async fn rejected_order_returns_errors_and_writes_nothing() {
    let app = TestApp::new().await;
    let (here, there) = (app.website("here").await, app.website("there").await);
    let spec = |stock: i32, price: &'static str| ProductSpec { stock, price: Some(price), ..ProductSpec::default() };
    let rope = app.product(here.id, spec(5, "10.00")).await.id.to_global_id();
    let nail = app.product(here.id, spec(5, "1.00")).await.id.to_global_id();
    let away = app.product(there.id, spec(5, "10.00")).await.id.to_global_id();
    let dear = app.product(here.id, spec(1_000_000, "999999999999.99")).await.id.to_global_id();
    let removed = app.product(here.id, spec(5, "10.00")).await.id.to_global_id();
    let category = app.category("ropes", None).await.id.to_global_id();
    let (customer, neighbour) = (app.customer().await, app.customer().await);
    let theirs = neighbour.address().await.id.to_global_id();
    let mine = customer.address().await.id.to_global_id();
    let deleted = app.manager().await.mutate("productDelete", "", json!({ "id": removed })).await;
    assert_eq!(deleted.outcome("productDelete"), "done");

    let line = |id: &str, quantity: i32| json!({ "productId": id, "quantity": quantity });
    let of = |lines: Vec<Value>| json!({ "lines": lines, "idempotencyKey": "k" });
    let quantity = |quantity: Value| of(vec![json!({ "productId": rope, "quantity": quantity })]);
    let keyed = |key: Value| json!({ "lines": [line(&rope, 1)], "idempotencyKey": key });
    let unknown = ProductId(1_000_000).to_global_id();
    let mut cases = vec![
        (of(vec![]), "REQUIRED lines"),
        (of(vec![line(&rope, 1); 501]), "OUT_OF_RANGE lines"),
        (quantity(json!(-1)), "OUT_OF_RANGE lines.0.quantity"),
        (quantity(json!(0)), "OUT_OF_RANGE lines.0.quantity"),
        (quantity(json!(1_000_001)), "OUT_OF_RANGE lines.0.quantity"),
        (quantity(json!(i32::MAX)), "OUT_OF_RANGE lines.0.quantity"),
        (quantity(json!(i32::MIN)), "OUT_OF_RANGE lines.0.quantity"),
        (quantity(json!(2_147_483_648_i64)), "!BAD_USER_INPUT"),
        (quantity(json!(-2_147_483_649_i64)), "!BAD_USER_INPUT"),
        (quantity(json!(u64::MAX)), "!BAD_USER_INPUT"),
        (quantity(json!(1e300)), "!BAD_USER_INPUT"),
        (quantity(json!(1.5)), "!BAD_USER_INPUT"),
        (quantity(json!("1")), "!BAD_USER_INPUT"),
        (quantity(json!(true)), "!BAD_USER_INPUT"),
        (quantity(Value::Null), "!BAD_USER_INPUT"),
        (
            of(vec![line(&rope, 0), line(&nail, 1), line(&rope, -1)]),
            "OUT_OF_RANGE lines.0.quantity, OUT_OF_RANGE lines.2.quantity",
        ),
        (of(vec![line(&rope, 6)]), "OUT_OF_STOCK lines.0.quantity"),
        (
            of(vec![line(&nail, 1), line(&rope, 3), line(&rope, 3)]),
            "OUT_OF_STOCK lines.1.quantity, OUT_OF_STOCK lines.2.quantity",
        ),
        (of(vec![line(&rope, 1), line(&removed, 1)]), "NOT_FOUND lines.1.productId"),
        (of(vec![line(&rope, 1), line(&away, 1)]), "MULTIPLE_WEBSITES lines.1.productId"),
        (of(vec![line(&rope, 1), line(&unknown, 1)]), "NOT_FOUND lines.1.productId"),
        (of(vec![line(&unknown, 1), line(&rope, 1), line(&nail, 1)]), "NOT_FOUND lines.0.productId"),
        (
            of(vec![line(&unknown, 1), line(&rope, 1), line(&away, 9)]),
            "NOT_FOUND lines.0.productId, MULTIPLE_WEBSITES lines.2.productId, OUT_OF_STOCK lines.2.quantity",
        ),
        (of(vec![line(&dear, 101)]), "OUT_OF_RANGE lines"),
        (of(vec![line(&dear, 1_000_000)]), "OUT_OF_RANGE lines"),
        (of(vec![line(&dear, 100), line(&nail, 1)]), "OUT_OF_RANGE lines"),
        (keyed(json!("")), "INVALID idempotencyKey"),
        (keyed(json!(" \t\n\u{a0}")), "INVALID idempotencyKey"),
        (keyed(json!("ü".repeat(201))), "INVALID idempotencyKey"),
        (keyed(json!("a\0b")), "!BAD_USER_INPUT"),
        (keyed(Value::Null), "!BAD_USER_INPUT"),
        (json!({ "lines": [line(&rope, 1)] }), "!BAD_USER_INPUT"),
        (json!({ "lines": null, "idempotencyKey": "k" }), "!BAD_USER_INPUT"),
        (json!({ "lines": [null], "idempotencyKey": "k" }), "!BAD_USER_INPUT"),
        (json!({ "lines": [line(&rope, 1)], "idempotencyKey": "k", "status": "DELIVERED" }), "!BAD_USER_INPUT"),
        (
            json!({ "lines": [{ "productId": rope, "quantity": 1, "unitPrice": "0.01" }], "idempotencyKey": "k" }),
            "!BAD_USER_INPUT",
        ),
    ];
    let to = |address: Value| json!({ "lines": [line(&rope, 1)], "addressId": address, "idempotencyKey": "k" });
    cases.push((to(json!(theirs)), "NOT_FOUND addressId"));
    cases.push((to(json!(AddressId(1_000_000).to_global_id())), "NOT_FOUND addressId"));
    let expected = |code: &str, field: &str| format!("{code} {field}");
    let mut all: Vec<(Value, String)> = cases.into_iter().map(|(input, outcome)| (input, outcome.to_owned())).collect();
    for (id, code) in invalid_ids(&category) {
        let lines = vec![line(&rope, 1), json!({ "productId": id, "quantity": 1 })];
        all.push((of(lines), expected(code, "lines.1.productId")));
        all.push((to(id), expected(code, "addressId")));
    }
    all.push((to(json!(rope)), expected("INVALID", "addressId")));
    all.push((of(vec![line(&mine, 1)]), expected("INVALID", "lines.0.productId")));

    let before = app.database.contents().await;
    for (input, outcome) in all {
        let response = customer.mutate("orderCreate", "order { id }", input.clone()).await;
        let shown: String = input.to_string().chars().take(300).collect();
        assert_eq!(response.outcome("orderCreate"), outcome, "{shown}");
        if !outcome.starts_with('!') {
            assert!(response.at("orderCreate.order").is_null(), "{shown}");
        }
    }
    let refused = app.anonymous().mutate("orderCreate", "", of(vec![line(&rope, 1)])).await;
    assert_eq!(refused.outcome("orderCreate"), "!UNAUTHENTICATED");
    assert_eq!(app.database.contents().await, before);

    // The maximum values are accepted.
    for input in [
        of(vec![line(&dear, 100)]),
        json!({ "lines": [line(&rope, 5)], "addressId": mine, "idempotencyKey": "ü".repeat(200) }),
    ] {
        let response = customer.mutate("orderCreate", "", input).await;
        assert_eq!(response.outcome("orderCreate"), "done");
    }
}

#[tokio::test]
async fn five_hundred_lines_of_a_million_units_do_not_overflow() {
    let app = TestApp::new().await;
    let website = app.website("here").await;
    let spec = ProductSpec { stock: 1_000_000, price: Some("0.00"), ..ProductSpec::default() };
    let dust = app.product(website.id, spec).await;
    let customer = app.customer().await;
    let before = app.database.contents().await;
    let response = customer.try_order(&[(dust.id, 1_000_000); 500], "k").await;
    let errors = response.user_errors("orderCreate");
    assert_eq!(errors.len(), 500);
    assert_eq!(errors[499], ("OUT_OF_STOCK".to_owned(), "lines.499.quantity".to_owned()));
    assert_eq!(app.database.contents().await, before);

    let small = vec![(dust.id, 2); 500];
    let response = customer.try_order(&small, "k").await;
    assert_eq!(response.outcome("orderCreate"), "done");
    assert_eq!(response.at("orderCreate.order.details.0.quantity"), 1000);
    assert_eq!(response.text_at("orderCreate.order.totalAmount.amount"), "0.00");
}

#[tokio::test]
async fn literals_in_the_document_follow_the_same_rules_as_variables() {
    let app = TestApp::new().await;
    let website = app.website("here").await;
    let rope = app.product(website.id, ProductSpec { stock: 5, ..ProductSpec::default() }).await.id.to_global_id();
    let customer = app.customer().await;
    let before = app.database.contents().await;
    for quantity in
        ["2147483648", "-2147483649", "99999999999999999999999999", "1.0", "1e2", "\"1\"", "null", "true", "ONE"]
    {
        let document = format!(
            "mutation {{ orderCreate(input: {{ lines: [{{ productId: \"{rope}\", quantity: {quantity} }}],
                idempotencyKey: \"k\" }}) {{ userErrors {{ code field }} }} }}"
        );
        assert_eq!(customer.run(&document).await.outcome("orderCreate"), "!BAD_USER_INPUT", "{quantity}");
    }
    for key in ["a\\u0000b", "a\0b"] {
        let document = format!(
            "mutation {{ orderCreate(input: {{ lines: [{{ productId: \"{rope}\", quantity: 1 }}],
                idempotencyKey: \"{key}\" }}) {{ userErrors {{ code field }} }} }}"
        );
        assert_eq!(customer.run(&document).await.outcome("orderCreate"), "!BAD_USER_INPUT", "{key:?}");
    }
    assert_eq!(app.database.contents().await, before);
}
