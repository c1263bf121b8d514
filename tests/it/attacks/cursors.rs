//! Cursors and scores of public lists, from which someone reads what the public may not know: the units sold.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use souk::ids::{ProductId, RowId};

use crate::support::{Actor, ProductSpec, TestApp, TestResponse};

/// The searches whose order depends on the units sold.
const SEARCHES: &[&str] = &[
    "orderBy: {field: POPULARITY}",
    "orderBy: {field: POPULARITY, direction: ASC}",
    "where: {createdAt: {gte: \"2000-01-01T00:00:00Z\"}}",
    "query: \"lantern\"",
    "query: \"lantern\", orderBy: {field: RELEVANCE, direction: ASC}",
    "query: \"lantern\", orderBy: {field: POPULARITY}",
];

/// Creates three products that differ only in the units sold.
async fn shop(app: &TestApp) -> Vec<ProductId> {
    let website = app.website("sailor").await.id;
    let mut products = Vec::new();
    for _ in 0..3 {
        let spec = ProductSpec { name: Some("Lantern".to_owned()), stock: 10, ..ProductSpec::default() };
        products.push(app.product(website, spec).await.id);
    }
    products
}

/// Stores how popular a product is.
async fn set_popularity(app: &TestApp, product: ProductId, popularity: f32) {
    let update = format!(
        "UPDATE search_documents SET popularity = {popularity} WHERE kind = 'product' AND node_id = {}",
        product.0
    );
    app.database.sql(&update).await;
}

async fn search(actor: &Actor<'_>, arguments: &str) -> TestResponse {
    let fields = "edges { cursor score node { ... on Product { id } } } pageInfo { startCursor endCursor }";
    actor.run(&format!("{{ search({arguments}) {{ {fields} }} }}")).await
}

fn edges(response: &TestResponse) -> Vec<Value> {
    response.at("search.edges").as_array().expect("edges").clone()
}

/// Returns the scores by product.
fn scores(response: &TestResponse) -> BTreeMap<String, String> {
    let text = |value: &Value| value.to_string();
    edges(response).iter().map(|edge| (text(&edge["node"]["id"]), text(&edge["score"]))).collect()
}

/// Returns what a cursor says to those who decode it.
fn decode(cursor: &Value) -> Value {
    let bytes = URL_SAFE_NO_PAD.decode(cursor.as_str().expect("a cursor")).expect("base64");
    serde_json::from_slice(&bytes).expect("JSON")
}

fn encode(cursor: &Value) -> String {
    URL_SAFE_NO_PAD.encode(cursor.to_string())
}

/// Returns the encrypted key of a cursor, the only key that it has.
fn sealed_key(cursor: &Value) -> Vec<u8> {
    let cursor = decode(cursor);
    let key = cursor["key"].as_object().unwrap_or_else(|| panic!("{cursor}"));
    assert_eq!(key.keys().collect::<Vec<_>>(), ["s"], "{cursor}");
    URL_SAFE_NO_PAD.decode(key["s"].as_str().expect("text")).expect("base64")
}

#[tokio::test]
async fn cursors_and_scores_do_not_tell_how_many_units_were_sold() {
    let app = TestApp::new().await;
    let products = shop(&app).await;
    let public = app.anonymous();
    for product in &products {
        set_popularity(&app, *product, 0.0).await;
    }
    let mut unsold = Vec::new();
    for arguments in SEARCHES {
        unsold.push(scores(&search(&public, arguments).await));
    }
    for (product, popularity) in products.iter().zip([0.0_f32, 3.0, 6.9]) {
        set_popularity(&app, *product, popularity).await;
    }
    for (arguments, unsold) in SEARCHES.iter().zip(unsold) {
        let response = search(&public, arguments).await;
        let found = edges(&response);
        assert_eq!(found.len(), 3, "{arguments}");
        assert_eq!(scores(&response), unsold, "{arguments}");
        let keys: Vec<_> = found.iter().map(|edge| sealed_key(&edge["cursor"])).collect();
        for end in ["startCursor", "endCursor"] {
            assert!(keys.contains(&sealed_key(response.at(&format!("search.pageInfo.{end}")))), "{arguments}");
        }
        for key in &keys {
            assert_eq!(key.len(), keys[0].len(), "{arguments}");
            for popularity in [0.0_f32, 3.0, 6.9] {
                for bytes in [popularity.to_be_bytes(), popularity.to_le_bytes()] {
                    assert!(!key.windows(4).any(|part| part == bytes), "{arguments}");
                }
            }
        }
    }
}

#[tokio::test]
async fn products_that_sell_equally_have_different_keys() {
    let app = TestApp::new().await;
    for product in shop(&app).await {
        set_popularity(&app, product, 3.0).await;
    }
    for arguments in SEARCHES {
        let found = edges(&search(&app.anonymous(), arguments).await);
        let mut keys: Vec<_> = found.iter().map(|edge| sealed_key(&edge["cursor"])).collect();
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), 3, "{arguments}");
    }
}

#[tokio::test]
async fn pages_continue_after_a_row_that_was_deleted_or_hidden() {
    let app = TestApp::new().await;
    let products = shop(&app).await;
    for (product, popularity) in products.iter().zip([1.0_f32, 2.0, 3.0]) {
        set_popularity(&app, *product, popularity).await;
    }
    let public = app.anonymous();
    for arguments in ["orderBy: {field: POPULARITY}", "query: \"lantern\""] {
        let found = edges(&search(&public, arguments).await);
        let ids: Vec<_> = found.iter().map(|edge| edge["node"]["id"].clone()).collect();
        let middle = products[1].0;
        let rest = async |cursor: &Value| {
            let page = search(&public, &format!("{arguments}, after: {cursor}")).await;
            edges(&page).iter().map(|edge| edge["node"]["id"].clone()).collect::<Vec<_>>()
        };
        assert_eq!(rest(&found[0]["cursor"]).await, ids[1..], "{arguments}");
        assert_eq!(rest(&found[1]["cursor"]).await, ids[2..], "{arguments}");
        app.database.sql(&format!("UPDATE products SET is_active = false WHERE id = {middle}")).await;
        assert_eq!(rest(&found[1]["cursor"]).await, ids[2..], "{arguments}: hidden");
        app.database.sql(&format!("UPDATE products SET is_active = true WHERE id = {middle}")).await;
    }
    let cursor = edges(&search(&public, "orderBy: {field: POPULARITY}").await)[1]["cursor"].clone();
    let delete = json!({ "id": products[1].to_global_id() });
    assert_eq!(app.manager().await.try_mutate("productDelete", delete).await, "done");
    let page = search(&public, &format!("orderBy: {{field: POPULARITY}}, after: {cursor}")).await;
    assert_eq!(edges(&page).len(), 1, "deleted");
}

#[tokio::test]
async fn cursors_with_guessed_or_moved_numbers_are_rejected() {
    let app = TestApp::new().await;
    let products = shop(&app).await;
    for (product, popularity) in products.iter().zip([1.0_f32, 2.0, 3.0]) {
        set_popularity(&app, *product, popularity).await;
    }
    let public = app.anonymous();
    let by_popularity = edges(&search(&public, "orderBy: {field: POPULARITY}").await);
    let by_relevance = edges(&search(&public, "query: \"lantern\"").await);
    let (first, second) = (decode(&by_popularity[0]["cursor"]), decode(&by_popularity[1]["cursor"]));
    let with = |key: &str, value: Value| {
        let mut cursor = first.clone();
        cursor[key] = value;
        encode(&cursor)
    };
    let guessed = [2.0_f32.to_bits(), 0, u32::MAX, f32::INFINITY.to_bits()].map(|bits| json!({ "r": bits }));
    let mut forged: Vec<_> = guessed.into_iter().map(|key| with("key", key)).collect();
    forged.extend([
        with("key", json!({ "n": "2.0" })),
        with("key", json!({ "t": "2.0" })),
        with("key", json!({ "s": "" })),
        with("key", json!({ "s": URL_SAFE_NO_PAD.encode([0; 20]) })),
        with("key", json!({ "s": URL_SAFE_NO_PAD.encode(2.0_f32.to_be_bytes()) })),
        // The key of another row, and of the same row in another list.
        with("key", second["key"].clone()),
        with("id", second["id"].clone()),
        with("key", decode(&by_relevance[0]["cursor"])["key"].clone()),
    ]);
    for cursor in &forged {
        for argument in ["after", "before"] {
            let rejected = search(&public, &format!("orderBy: {{field: POPULARITY}}, {argument}: {cursor:?}")).await;
            assert_eq!(rejected.code(), "BAD_USER_INPUT", "{argument}: {cursor}");
            assert_eq!(rejected.json["errors"][0]["extensions"]["field"], argument, "{cursor}");
        }
    }
    // The cursor itself is valid, written in any way.
    let valid = search(&public, &format!("orderBy: {{field: POPULARITY}}, after: {:?}", encode(&first))).await;
    assert_eq!(edges(&valid).len(), 2);
}

#[tokio::test]
async fn lists_by_other_hidden_numbers_have_no_rows_whose_number_is_hidden() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await.id;
    let seller = app.seller().await;
    for owner in [Some(seller.id), None] {
        app.product(website, ProductSpec { stock: 77, seller: owner, ..ProductSpec::default() }).await;
    }
    let list = "{ products(orderBy: {field: STOCK}) { edges { cursor node { stock } } } }";
    for stranger in [app.anonymous(), app.customer().await] {
        assert_eq!(stranger.run(list).await.code(), "FORBIDDEN");
    }
    let own = seller.run(list).await;
    let own = own.at("products.edges").as_array().expect("edges");
    assert_eq!(own.len(), 1);
    assert_eq!((&own[0]["node"]["stock"], &decode(&own[0]["cursor"])["key"]), (&json!(77), &json!({ "z": 77 })));
}
