//! A word that was typed as a whole ranks before words that only begin with it.

use serde_json::json;

use crate::support::{Actor, TestApp, bulk::BASE};

/// Inserts an English and a German shop. The products that only begin with the typed words sell best and come last, which
/// breaks ties in their favor.
async fn shops(app: &TestApp) {
    let script = "
        INSERT INTO websites (id, code, name, base_url, currency, language) VALUES
            (BASE + 1, 'en', 'Shop', 'https://s.example', 'EUR', 'en'), (BASE + 2, 'de', 'Laden', 'https://l.example', 'EUR', 'de');
        INSERT INTO products (id, source_website_id, sku, slug, name, price) VALUES
            (BASE + 1, BASE + 1, 'A-1', 'a1', 'iPhone 12 64 GB in the color midnight black', 1),
            (BASE + 2, BASE + 1, 'A-2', 'a2', 'iPhone 120', 1),
            (BASE + 3, BASE + 1, 'B-1', 'b1', 'Leather boots, size 4', 1),
            (BASE + 4, BASE + 1, 'B-2', 'b2', 'Boots size 40', 1),
            (BASE + 5, BASE + 1, 'D-1', 'd1', 'Vitamin C 1000 mg tablets', 1),
            (BASE + 6, BASE + 1, 'D-2', 'd2', 'Vitamin Complex', 1),
            (BASE + 7, BASE + 1, 'D-3', 'd3', 'Cat cable clear case cover', 1),
            (BASE + 8, BASE + 2, 'M-1', 'm1', 'Müsli mit Nüssen und Honig', 1),
            (BASE + 9, BASE + 2, 'M-2', 'm2', 'Bio Muesli', 1),
            (BASE + 10, BASE + 2, 'M-3', 'm3', 'Mueslischale', 1),
            (BASE + 11, BASE + 1, 'T-A', 't1', 'Garden number tile made of old stones 2', 1),
            (BASE + 12, BASE + 1, 'T-B', 't2', 'Garden number tile 20', 1);
        UPDATE search_documents SET popularity = 9 WHERE kind = 'product' AND node_id IN (BASE + 2, BASE + 4, BASE + 6, BASE + 7, BASE + 10, BASE + 12);";
    app.bulk_insert(&script.replace("BASE", &BASE.to_string())).await;
}

/// Returns the SKUs that a query finds, best first, read in pages of this size.
async fn found(actor: &Actor<'_>, query: &str, size: i32) -> Vec<String> {
    let document = "query ($query: String!, $first: Int!, $after: String) {
        search(query: $query, first: $first, after: $after) {
            nodes { ... on Product { sku } } pageInfo { hasNextPage endCursor } } }";
    let (mut skus, mut after) = (Vec::new(), json!(null));
    loop {
        let page = actor.run_with(document, json!({ "query": query, "first": size, "after": after })).await;
        let nodes = page.at("search.nodes").as_array().expect("nodes");
        skus.extend(nodes.iter().map(|node| node["sku"].as_str().expect("a SKU").to_owned()));
        if page.at("search.pageInfo.hasNextPage") == &json!(false) {
            return skus;
        }
        after = page.at("search.pageInfo.endCursor").clone();
    }
}

#[tokio::test]
async fn whole_words_rank_before_words_that_begin_with_them() {
    let app = TestApp::new().await;
    shops(&app).await;
    let public = app.anonymous();
    for (query, whole, beginning) in [
        ("iphone 12", &["A-1"][..], &["A-2"][..]),
        ("IPHONE12", &["A-1"], &["A-2"]),
        ("size 4", &["B-1"], &["B-2"]),
        ("boots 4", &["B-1"], &["B-2"]),
        ("vitamin c", &["D-1"], &["D-2"]),
        ("garden number tiles 2", &["T-A"], &["T-B"]),
        ("c", &["D-1"], &["A-1", "D-2", "D-3"]),
        ("Muesli", &["M-1", "M-2"], &["M-3"]),
        ("müsli", &["M-1", "M-2"], &["M-3"]),
    ] {
        let all = found(&public, query, 100).await;
        let mut first = all[..whole.len()].to_vec();
        first.sort();
        assert_eq!(first, whole, "{query}: {all:?}");
        let mut others = all[whole.len()..].to_vec();
        others.sort();
        assert_eq!(others, beginning, "{query}: {all:?}");
        assert_eq!(found(&public, query, 1).await, all, "{query}: the cursors have the same rank");
    }
    // Beginnings are found, and the best of them comes first, as long as nobody has typed more.
    assert_eq!(found(&public, "vitamin co", 100).await, ["D-2"]);
    assert_eq!(found(&public, "muesl", 100).await.len(), 3);
}
