//! Rows in memory in front of the loaders: operations with different documents share them, and none is out of date.

use serde_json::json;
use souk::ids::RowId;

use super::run;
use crate::support::{Actor, ProductSpec, TestApp};

/// Runs a query and returns its data and the number of its statements.
async fn read(actor: &Actor<'_>, document: &str) -> (serde_json::Value, i64) {
    let response = run(actor, document).await;
    let statements = response.json["extensions"]["sql"]["statements"].as_i64().expect("a number");
    assert!(response.json["errors"].is_null(), "{document}: {}", response.json);
    (response.json["data"].clone(), statements)
}

/// Runs a query and then another document that selects the same, and returns the second result.
async fn read_again(actor: &Actor<'_>, document: &str) -> (serde_json::Value, i64) {
    read(actor, document).await;
    read(actor, &format!("query Other {document}")).await
}

#[tokio::test]
async fn rows_that_everyone_sees_are_shared_by_all_viewers() {
    let app = TestApp::builder().cached().build().await;
    let (category, brand) = (app.category("kitchen", None).await, app.brand("nadel").await);
    let (customer, admin) = (app.customer().await, app.admin().await);
    for (kind, table, id) in
        [("Category", "categories", category.id.to_global_id()), ("Brand", "brands", brand.id.to_global_id())]
    {
        let query = format!("{{ node(id: \"{id}\") {{ ... on {kind} {{ name }} }} }}");
        let (before, _) = read(&app.anonymous(), &query).await;
        for viewer in [&customer, &admin] {
            assert_eq!(read(viewer, &query).await, (before.clone(), 0), "{kind}");
        }
        app.database.sql(&format!("UPDATE {table} SET name = 'New'")).await;
        for viewer in [&customer, &admin, &app.anonymous()] {
            assert_eq!(read(viewer, &query).await.0, json!({"node": {"name": "New"}}));
        }
    }
}

#[tokio::test]
async fn products_in_memory_are_for_the_public_only() {
    let app = TestApp::builder().cached().build().await;
    let website = app.website("sailor").await;
    let product = app.product(website.id, ProductSpec::default()).await;
    let id = product.id.to_global_id();
    let query = format!("{{ product(id: \"{id}\") {{ sku images {{ url }} }} }}");
    let (data, statements) = read_again(&app.anonymous(), &query).await;
    assert_eq!((data["product"]["sku"].clone(), statements), (json!(product.sku), 0));
    // Staff see the stock, which changes without a tag.
    let admin = app.admin().await;
    let stock = format!("{{ product(id: \"{id}\") {{ stock }} }}");
    let before = read(&admin, &stock).await.0["product"]["stock"].clone();
    let sale = "INSERT INTO stock_movements (product_id, delta, reason) SELECT id, 1, 'adjustment' FROM products";
    app.database.sql(sale).await;
    assert_eq!(read(&admin, &stock).await.0["product"]["stock"], before.as_i64().expect("a number") + 1);
    // A product that is no longer for sale is hidden from the public.
    app.database.sql("UPDATE products SET is_active = false").await;
    assert_eq!(read_again(&app.anonymous(), &query).await.0, json!({"product": null}));
    assert_eq!(read(&admin, &query).await.0["product"]["sku"], product.sku);
}

#[tokio::test]
async fn value_that_changes_without_a_tag_is_not_taken_from_memory() {
    let app = TestApp::builder().cached().build().await;
    let website = app.website("sailor").await;
    let id = app.product(website.id, ProductSpec { stock: 100, ..ProductSpec::default() }).await.id.to_global_id();
    read_again(&app.anonymous(), &format!("{{ product(id: \"{id}\") {{ name }} }}")).await;
    let documents = [
        format!("{{ product(id: \"{id}\") {{ at: updatedAt }} }}"),
        format!("{{ product(id: \"{id}\") {{ ...times }} }} fragment times on Product {{ at: updatedAt }}"),
        format!("{{ product(id: \"{id}\") {{ ... on Node {{ ... on Product {{ at: updatedAt }} }} }} }}"),
    ];
    let sale = "INSERT INTO stock_movements (product_id, delta, reason) SELECT id, -1, 'adjustment' FROM products";
    for document in documents {
        let mut last = read(&app.anonymous(), &document).await.0["product"]["at"].clone();
        for _ in 0..3 {
            app.database.sql(sale).await;
            let at = read(&app.anonymous(), &document).await.0["product"]["at"].clone();
            assert_ne!(at, last, "{document}");
            last = at;
        }
    }
}

#[tokio::test]
async fn mutation_returns_what_it_wrote() {
    let app = TestApp::builder().cached().build().await;
    let website = app.website("sailor").await;
    let category = app.category("kitchen", None).await;
    let spec = ProductSpec { category: Some(category.id), ..ProductSpec::default() };
    app.product(website.id, spec).await;
    let admin = app.admin().await;
    let id = category.id.to_global_id();
    read(&admin, &format!("{{ node(id: \"{id}\") {{ ... on Category {{ name }} }} }}")).await;
    let update = format!(
        "mutation {{ categoryUpdate(input: {{id: \"{id}\", name: \"New\"}}) {{
           category {{ name products {{ nodes {{ category {{ name }} }} }} }} userErrors {{ message }} }} }}"
    );
    let response = admin.run(&update).await;
    assert_eq!(response.user_errors("categoryUpdate"), []);
    assert_eq!(response.at("categoryUpdate.category.name"), "New");
    assert_eq!(response.at("categoryUpdate.category.products.nodes.0.category.name"), "New");
}
