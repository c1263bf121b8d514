//! Search documents hold copies of values of products, categories and groups. Whoever changes these, the documents agree with
//! them at once, and a change of the stock costs as little as possible.

use serde_json::json;

use crate::support::{TestApp, bulk::BASE, psql::Psql};

const SHOP: &str = "
    INSERT INTO websites (id, code, name, base_url, currency) VALUES (BASE, 'sailor', 'Sailor', 'https://s.example', 'EUR');
    INSERT INTO categories (id, parent_id, name, slug) VALUES (BASE + 1, NULL, 'Home', 'home'), (BASE + 2, NULL, 'Work', 'work'),
        (BASE + 3, BASE + 1, 'Lighting', 'lighting'), (BASE + 4, BASE + 3, 'Lamps', 'lamps');
    INSERT INTO brands (id, name, slug) VALUES (BASE + 1, 'Wick', 'wick');
    INSERT INTO suppliers (id, name) VALUES (BASE + 1, 'Chandler');
    INSERT INTO product_groups (id, source_website_id, name, slug, varies_by) VALUES (BASE + 1, BASE, 'Storm', 'storm', '{Size,Color}');
    INSERT INTO products (id, source_website_id, sku, slug, name, category_id, brand_id, supplier_id, price, stock, group_id, option_values, tags)
        VALUES (BASE + 1, BASE, 'A', 'a', 'Storm Lantern', BASE + 4, BASE + 1, BASE + 1, 10, 9, BASE + 1, '{S,Red}', '{Vegan,new}'),
            (BASE + 2, BASE, 'B', 'b', 'Paper Lantern', BASE + 4, NULL, NULL, 20, 9, NULL, '{}', '{}'),
            (BASE + 3, BASE, 'C', 'c', 'Rope', NULL, NULL, NULL, 30, 0, NULL, '{}', '{}');
    INSERT INTO users (id, name, email, role_id) SELECT BASE + 1, 'Reader', 'reader@souk.example', id FROM roles WHERE code = 'customer';";

/// Returns the products whose documents differ from what they must be.
const DIFFERENT: &str = "
    SELECT v.node_id FROM search_product_documents v FULL JOIN search_documents d ON d.kind = 'product' AND d.node_id = v.node_id
    WHERE (d.kind = 'product' OR d.kind IS NULL)
        AND (v.website_id, v.is_public, v.language, v.document, v.keys, v.terms, v.name, v.sku, v.barcode, v.category_id, v.brand_id,
             v.price, v.rating, v.availability, v.is_on_sale, v.created_at)
        IS DISTINCT FROM
            (d.website_id, d.is_public, d.language, d.document, d.keys, d.terms, d.name, d.sku, d.barcode, d.category_id, d.brand_id,
             d.price, d.rating, d.availability, d.is_on_sale, d.created_at)";

async fn shop() -> (TestApp, Psql) {
    let app = TestApp::new().await;
    app.bulk_insert(&SHOP.replace("BASE", &BASE.to_string())).await;
    let session = Psql::connect(&app.database.url).await;
    (app, session)
}

#[tokio::test]
async fn documents_agree_with_the_products_after_every_change() {
    let (_app, session) = shop().await;
    assert_eq!(session.column(DIFFERENT).await, [""; 0]);
    for change in [
        "UPDATE products SET price = 12.5, compare_at_price = 15 WHERE id = BASE + 1",
        "UPDATE products SET compare_at_price = NULL WHERE id = BASE + 1",
        "INSERT INTO stock_movements (product_id, reason, delta) VALUES (BASE + 1, 'adjustment', -7), (BASE + 3, 'adjustment', 5)",
        "INSERT INTO stock_movements (product_id, reason, delta) VALUES (BASE + 1, 'adjustment', -2)",
        "UPDATE products SET inventory_policy = 'not_tracked' WHERE id = BASE + 1",
        "INSERT INTO reviews (product_id, user_id, rating, status) VALUES (BASE + 1, BASE + 1, 4, 'approved')",
        "DELETE FROM reviews",
        "UPDATE products SET tags = '{SALE}', supplier_id = NULL WHERE id = BASE + 1",
        "UPDATE products SET option_values = '{M,Red}' WHERE id = BASE + 1",
        "UPDATE product_groups SET varies_by = '{Size,Shade}'",
        "UPDATE products SET group_id = NULL, option_values = '{}' WHERE id = BASE + 1",
        "UPDATE categories SET parent_id = BASE + 2 WHERE id = BASE + 3",
        "UPDATE categories SET parent_id = BASE + 1 WHERE id = BASE + 4",
        "UPDATE categories SET name = 'Lights' WHERE id = BASE + 4",
        "UPDATE products SET category_id = BASE + 1, brand_id = NULL, sku = 'A-2', barcode = '4006381333931' WHERE id = BASE + 1",
        "UPDATE products SET name = 'Storm Lamp', is_active = false WHERE id = BASE + 1",
    ] {
        session.rows(&change.replace("BASE", &BASE.to_string())).await;
        assert_eq!(session.column(DIFFERENT).await, [""; 0], "{change}");
    }
}

#[tokio::test]
async fn stock_changes_write_a_document_only_if_the_availability_changes() {
    let (_app, session) = shop().await;
    let sell = |units: i32| {
        format!("INSERT INTO stock_movements (product_id, reason, delta) VALUES ({} + 1, 'adjustment', -{units})", BASE)
    };
    let updated = "SELECT pg_stat_get_xact_tuples_updated(c) || ' ' || pg_stat_get_xact_tuples_hot_updated(c)
        FROM CAST('search_documents'::regclass AS oid) c";
    session.rows("BEGIN").await;
    session.rows(&sell(1)).await;
    assert_eq!(session.scalar(updated).await, "0 0");
    // 4 units left are few. No index is written: each word of the document would have to be added again.
    session.rows(&sell(4)).await;
    assert_eq!(session.scalar(updated).await, "1 1");
}

#[tokio::test]
async fn best_sellers_rank_first_among_more_hits_than_are_ranked() {
    let (app, session) = shop().await;
    session
        .rows(
            &"INSERT INTO products (id, source_website_id, sku, slug, name, price)
                SELECT BASE + 10 + i, BASE, 'L-' || i, 'l-' || i, 'Candle', 1 FROM generate_series(1, 10100) i"
                .replace("BASE", &BASE.to_string()),
        )
        .await;
    // The last of them, and one of the second tier, which is the last but one.
    for (product, popularity, tier) in [(10_110, 5, 1), (10_109, 4, 2)] {
        let update = format!(
            "UPDATE search_documents SET popularity = {popularity}, sales_tier = {tier} WHERE kind = 'product' AND node_id = {BASE} + {product}"
        );
        session.rows(&update).await;
    }
    let response = app
        .anonymous()
        .run("{ search(query: \"candle\", first: 3) { totalCount { value precision } nodes { ... on Product { sku } } } }")
        .await;
    assert_eq!(response.at("search.totalCount"), &json!({ "value": 10_000, "precision": "AT_LEAST" }));
    assert_eq!(
        (response.at("search.nodes.0.sku"), response.at("search.nodes.1.sku")),
        (&json!("L-10100"), &json!("L-10099"))
    );
}
