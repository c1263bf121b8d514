//! The stock ledger in GraphQL, and setting a stock to a counted quantity.

use serde_json::{Value, json};
use souk::ids::{ProductId, RowId};

use crate::support::{Actor, ProductSpec, TestApp};

const LEDGER: &str = "query ($id: ID!, $first: Int, $after: String, $last: Int, $before: String) { product(id: $id) {
    stockMovements(first: $first, after: $after, last: $last, before: $before) { totalCount { value }
        nodes { reason delta balanceAfter note order { id } user { id } product { id } createdAt }
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } } }";

async fn set_stock(actor: &Actor<'_>, product: ProductId, input: Value) -> String {
    let mut input = input;
    input["productId"] = json!(product.to_global_id());
    actor.mutate("stockSet", "product { id stock }", input).await.outcome("stockSet")
}

#[tokio::test]
async fn ledger_lists_entries_latest_first() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await.id;
    let product = app.product(website, ProductSpec { stock: 10, ..ProductSpec::default() }).await.id;
    let (manager, buyer) = (app.manager().await, app.customer().await);
    let order = buyer.order(&[(product, 2)]).await;
    assert_eq!(set_stock(&manager, product, json!({ "quantity": 7, "note": "one is torn" })).await, "done");
    let cancelled = buyer.mutate("orderCancel", "order { id }", json!({ "id": order })).await;
    assert_eq!(cancelled.outcome("orderCancel"), "done");
    let response = manager.run_with(LEDGER, json!({ "id": product.to_global_id() })).await;
    let nodes = response.at("product.stockMovements.nodes").as_array().expect("a list");
    let reported: Vec<_> = nodes
        .iter()
        .map(|node| {
            assert_eq!(node["product"]["id"], product.to_global_id());
            let who = match node["user"]["id"].as_str() {
                Some(id) if id == manager.global_id() => "manager",
                Some(id) if id == buyer.global_id() => "buyer",
                _ => "-",
            };
            let by_order = if node["order"]["id"] == order.as_str() { "order" } else { "-" };
            let text = |field: &str| node[field].as_str().unwrap_or("-").to_owned();
            format!("{} {} {} {by_order} {who} {}", text("reason"), node["delta"], node["balanceAfter"], text("note"))
        })
        .collect();
    let expected = [
        "CANCELLATION 2 9 order buyer -",
        "ADJUSTMENT -1 7 - manager one is torn",
        "SALE -2 8 order buyer -",
        "OPENING 10 10 - - -",
    ];
    assert_eq!(reported, expected);
    assert_eq!(*response.at("product.stockMovements.totalCount.value"), 4);
    app.database.assert_invariants().await;
}

#[tokio::test]
async fn ledger_is_paged_in_both_directions() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await.id;
    let product = app.product(website, ProductSpec::default()).await.id;
    let other = app.product(website, ProductSpec { stock: 5, ..ProductSpec::default() }).await.id;
    let manager = app.manager().await;
    for quantity in 1..=5 {
        assert_eq!(set_stock(&manager, product, json!({ "quantity": quantity })).await, "done");
    }
    let page = async |arguments: Value| {
        let mut arguments = arguments;
        arguments["id"] = json!(product.to_global_id());
        let response = manager.run_with(LEDGER, arguments).await;
        let at = |path: &str| response.at(&format!("product.stockMovements.{path}")).clone();
        let nodes = at("nodes");
        let balances: Vec<_> =
            nodes.as_array().expect("a list").iter().map(|node| node["balanceAfter"].clone()).collect();
        (Value::from(balances), at("pageInfo"))
    };
    let (first, info) = page(json!({ "first": 2 })).await;
    assert_eq!((first, &info["hasNextPage"]), (json!([5, 4]), &json!(true)));
    // New entries do not change the pages after the cursor.
    assert_eq!(set_stock(&manager, product, json!({ "quantity": 9 })).await, "done");
    let (second, info) = page(json!({ "first": 2, "after": info["endCursor"] })).await;
    assert_eq!(second, json!([3, 2]));
    let (before, info) = page(json!({ "last": 2, "before": info["startCursor"] })).await;
    assert_eq!((before, &info["hasPreviousPage"]), (json!([5, 4]), &json!(true)));
    assert_eq!(page(json!({ "last": 1 })).await.0, json!([1]));
    let foreign = json!({ "id": other.to_global_id(), "after": "bm9uc2Vuc2U" });
    assert_eq!(manager.run_with(LEDGER, foreign).await.code(), "BAD_USER_INPUT");
}

#[tokio::test]
async fn stock_is_set_only_if_unchanged_since_the_count() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await.id;
    let product = app.product(website, ProductSpec { stock: 10, ..ProductSpec::default() }).await.id;
    let manager = app.manager().await;
    for (input, expected, stock) in [
        (json!({ "quantity": 8, "compare": 9 }), "STOCK_CHANGED compare", 10),
        (json!({ "quantity": 8, "compare": 10 }), "done", 8),
        (json!({ "quantity": 8, "compare": 10 }), "STOCK_CHANGED compare", 8),
        (json!({ "quantity": 8, "compare": 8 }), "done", 8),
        (json!({ "quantity": 0 }), "done", 0),
        (json!({ "quantity": 1_000_000, "compare": 0 }), "done", 1_000_000),
        (json!({ "quantity": -1 }), "OUT_OF_RANGE quantity", 1_000_000),
        (json!({ "quantity": 1_000_001 }), "OUT_OF_RANGE quantity", 1_000_000),
        (json!({ "quantity": 1, "compare": -1 }), "OUT_OF_RANGE compare", 1_000_000),
        (json!({ "quantity": 1_000_000, "note": "" }), "done", 1_000_000),
        (json!({ "quantity": 1, "idempotencyKey": "" }), "INVALID idempotencyKey", 1_000_000),
    ] {
        assert_eq!(set_stock(&manager, product, input.clone()).await, expected, "{input}");
        assert_eq!(app.stock(product).await, stock, "{input}");
    }
    let changed = json!({ "productId": product.to_global_id(), "quantity": 1, "compare": 5 });
    let changed = manager.mutate("stockSet", "product { id }", changed).await;
    assert!(changed.json.to_string().contains("the stock is now 1000000"), "{changed:#?}");
    let entries = app.database.scalar("SELECT count(*) FROM stock_movements WHERE reason = 'adjustment'").await;
    assert_eq!(entries, "3", "an unchanged stock adds no entry");
    app.database.assert_invariants().await;
}

#[tokio::test]
async fn concurrent_stock_counts_succeed_once() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await.id;
    let product = app.product(website, ProductSpec { stock: 10, ..ProductSpec::default() }).await.id;
    let manager = app.manager().await;
    let counts = (0..8).map(|i| set_stock(&manager, product, json!({ "quantity": i, "compare": 10 })));
    let mut outcomes = futures_util::future::join_all(counts).await;
    outcomes.sort();
    assert_eq!(outcomes[..7], ["STOCK_CHANGED compare"; 7]);
    assert_eq!(outcomes[7], "done");
    app.database.assert_invariants().await;
}

#[tokio::test]
async fn stock_count_with_a_repeated_key_applies_once() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await.id;
    let product = app.product(website, ProductSpec { stock: 10, ..ProductSpec::default() }).await.id;
    let manager = app.manager().await;
    let keyed = |quantity: i32| json!({ "quantity": quantity, "compare": 10, "idempotencyKey": "count" });
    assert_eq!(set_stock(&manager, product, keyed(4)).await, "done");
    assert_eq!(
        set_stock(&manager, product, keyed(4)).await,
        "done",
        "the stock has changed, but it is the same request"
    );
    assert_eq!(set_stock(&manager, product, keyed(5)).await, "IDEMPOTENCY_MISMATCH idempotencyKey");
    assert_eq!(app.stock(product).await, 4);
}
