//! Stock adjustments: rejections, ledger entries, and idempotency keys.

use serde_json::{Value, json};
use souk::ids::{ProductId, RowId};

use crate::support::{Actor, ProductSpec, TestApp};

async fn adjust(actor: &Actor<'_>, product: ProductId, input: Value) -> String {
    let mut input = input;
    if input["productId"].is_null() {
        input["productId"] = json!(product.to_global_id());
    }
    actor.mutate("stockAdjust", "product { id stock }", input).await.outcome("stockAdjust")
}

#[tokio::test]
async fn adjustment_is_recorded_in_the_ledger() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await.id;
    let product = app.product(website, ProductSpec::default()).await.id;
    let manager = app.manager().await;
    for (delta, note, stock) in
        [(7, Some("found"), 7), (-7, None, 0), (1_000_000, None, 1_000_000), (-1_000_000, None, 0)]
    {
        let input = json!({ "productId": product.to_global_id(), "delta": delta, "note": note });
        let response = manager.mutate("stockAdjust", "product { stock }", input).await;
        assert_eq!(*response.at("stockAdjust.product.stock"), stock);
    }
    let ledger = "SELECT reason, delta, balance, note, order_id, user_id FROM stock_movements ORDER BY id LIMIT 2";
    let me = manager.id.0;
    let expected = [format!("(adjustment,7,7,found,,{me})"), format!("(adjustment,-7,0,,,{me})")];
    assert_eq!(app.database.rows(ledger).await, expected);
    app.database.assert_invariants().await;
}

#[tokio::test]
async fn rejected_adjustment_returns_errors_and_writes_nothing() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await.id;
    let product = app.product(website, ProductSpec { stock: 10, ..ProductSpec::default() }).await.id;
    let manager = app.manager().await;
    let before = app.database.contents().await;
    for (input, expected) in [
        (json!({ "delta": 0 }), "OUT_OF_RANGE delta"),
        (json!({ "delta": 1_000_001 }), "OUT_OF_RANGE delta"),
        (json!({ "delta": -1_000_001 }), "OUT_OF_RANGE delta"),
        (json!({ "delta": i32::MIN }), "OUT_OF_RANGE delta"),
        (json!({ "delta": i32::MAX }), "OUT_OF_RANGE delta"),
        (json!({ "delta": 999_991 }), "OUT_OF_RANGE delta"),
        (json!({ "delta": -11 }), "OUT_OF_STOCK delta"),
        (json!({ "delta": 2_147_483_648_i64 }), "!BAD_USER_INPUT"),
        (json!({ "delta": 1.5 }), "!BAD_USER_INPUT"),
        (json!({ "delta": "1" }), "!BAD_USER_INPUT"),
        (json!({ "delta": null }), "!BAD_USER_INPUT"),
        (json!({}), "!BAD_USER_INPUT"),
        (json!({ "delta": 1, "idempotencyKey": "" }), "INVALID idempotencyKey"),
        (json!({ "delta": 1, "idempotencyKey": "k".repeat(201) }), "INVALID idempotencyKey"),
        (json!({ "delta": 1, "productId": ProductId(99).to_global_id() }), "NOT_FOUND productId"),
        (json!({ "delta": 1, "productId": website.to_global_id() }), "INVALID productId"),
    ] {
        assert_eq!(adjust(&manager, product, input.clone()).await, expected, "{input}");
    }
    assert_eq!(app.database.contents().await, before);
    assert_eq!(adjust(&manager, product, json!({ "delta": 999_990 })).await, "done");
    assert_eq!(app.stock(product).await, 1_000_000);
}

#[tokio::test]
async fn adjustment_with_a_repeated_key_applies_once() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await.id;
    let product = app.product(website, ProductSpec { stock: 10, ..ProductSpec::default() }).await.id;
    let (manager, admin) = (app.manager().await, app.admin().await);
    let keyed = |delta: i32, note: Option<&str>| json!({ "delta": delta, "note": note, "idempotencyKey": "count" });
    assert_eq!(adjust(&manager, product, keyed(5, None)).await, "done");
    let written = app.database.contents().await;
    assert_eq!(adjust(&manager, product, keyed(5, None)).await, "done");
    assert_eq!(adjust(&manager, product, keyed(6, None)).await, "IDEMPOTENCY_MISMATCH idempotencyKey");
    assert_eq!(adjust(&manager, product, keyed(5, Some("why"))).await, "IDEMPOTENCY_MISMATCH idempotencyKey");
    assert_eq!(app.database.contents().await, written);
    assert_eq!(adjust(&admin, product, keyed(5, None)).await, "done");
    assert_eq!(app.stock(product).await, 20);
    // Keys of adjustments and of orders are separate.
    assert_eq!(manager.try_order(&[(product, 1)], "count").await.outcome("orderCreate"), "done");
    // Without a key, a repeated adjustment applies twice.
    assert_eq!(adjust(&manager, product, json!({ "delta": 1 })).await, "done");
    assert_eq!(adjust(&manager, product, json!({ "delta": 1 })).await, "done");
    assert_eq!(app.stock(product).await, 21);
}

#[tokio::test]
async fn key_of_a_rejected_adjustment_can_be_reused() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await.id;
    let product = app.product(website, ProductSpec::default()).await.id;
    let manager = app.manager().await;
    let keyed = |delta: i32| json!({ "delta": delta, "idempotencyKey": "count" });
    assert_eq!(adjust(&manager, product, keyed(-1)).await, "OUT_OF_STOCK delta");
    assert_eq!(adjust(&manager, product, keyed(1)).await, "done");
}
