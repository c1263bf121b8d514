//! Tags, weight and SEO texts of products: writing them, their limits, the filter by tags, and the search.

use serde_json::{Value, json};
use souk::ids::{RowId, WebsiteId};

use crate::support::{Actor, TestApp};

const FIELDS: &str = "product { id tags weight { value unit } seo { title description } }";

fn input(website: WebsiteId, sku: &str) -> Value {
    json!({ "sourceWebsiteId": website.to_global_id(), "name": format!("Item {sku}"), "sku": sku, "price": "12.50" })
}

/// Adds fields to an input.
fn with(mut input: Value, fields: Value) -> Value {
    input.as_object_mut().expect("an object").extend(fields.as_object().expect("an object").clone());
    input
}

/// Creates a product with these fields; returns its ID.
async fn create(actor: &Actor<'_>, website: WebsiteId, sku: &str, fields: Value) -> String {
    let made = actor.mutate("productCreate", FIELDS, with(input(website, sku), fields)).await;
    made.text_at("productCreate.product.id")
}

/// Returns the SKUs of the products that match a filter, in order.
async fn skus(actor: &Actor<'_>, filter: Value) -> Vec<String> {
    let document = "query ($where: ProductWhere) { products(where: $where, orderBy: {field: SKU}) { nodes { sku } } }";
    let page = actor.run_with(document, json!({ "where": filter })).await;
    let nodes = page.at("products.nodes").as_array().expect("nodes");
    nodes.iter().map(|node| node["sku"].as_str().expect("a SKU").to_owned()).collect()
}

#[tokio::test]
async fn attributes_are_set_kept_changed_and_cleared() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await.id;
    let manager = app.manager().await;
    let plain = manager.mutate("productCreate", FIELDS, input(website, "A")).await;
    let none = json!({ "tags": [], "weight": null, "seo": { "title": null, "description": null } });
    let without_id = |product: &Value| {
        let mut product = product.clone();
        product.as_object_mut().expect("an object").remove("id");
        product
    };
    assert_eq!(without_id(plain.at("productCreate.product")), none);
    let fields = json!({
        "tags": [" Wool ", "winter", "WOOL"], "weight": { "value": "0.4500", "unit": "KILOGRAM" },
        "seo": { "title": " Warm jumper ", "description": "Knitted by hand" },
    });
    let made = manager.mutate("productCreate", FIELDS, with(input(website, "B"), fields)).await;
    let id = made.text_at("productCreate.product.id");
    let whole = json!({
        "tags": ["Wool", "winter"], "weight": { "value": "0.45", "unit": "KILOGRAM" },
        "seo": { "title": "Warm jumper", "description": "Knitted by hand" },
    });
    assert_eq!(without_id(made.at("productCreate.product")), whole);
    for (change, expected) in [
        (json!({ "name": "Jumper" }), whole.clone()),
        (
            json!({ "seo": { "title": null } }),
            with(whole.clone(), json!({ "seo": { "title": null, "description": "Knitted by hand" } })),
        ),
        (
            json!({ "tags": ["sale"], "weight": { "value": "16", "unit": "OUNCE" }, "seo": { "description": "Soft" } }),
            json!({ "tags": ["sale"], "weight": { "value": "16", "unit": "OUNCE" }, "seo": { "title": null, "description": "Soft" } }),
        ),
        (json!({ "tags": null, "weight": null, "seo": null }), none.clone()),
    ] {
        let changed = manager.mutate("productUpdate", FIELDS, with(json!({ "id": id }), change.clone())).await;
        assert_eq!(without_id(changed.at("productUpdate.product")), expected, "{change}");
    }
    let audited = "SELECT string_agg(after ->> 'tags', ' ' ORDER BY id) FROM audit_log
        WHERE resource_type = 'Product' AND change = 'updated' AND after ? 'tags'";
    assert_eq!(app.database.scalar(audited).await, r#"["sale"] []"#);
    // Equal values are no change.
    let updated = "SELECT max(updated_at)::text FROM products";
    let before = app.database.scalar(updated).await;
    let same = json!({ "id": id, "tags": [], "weight": null, "seo": {} });
    assert_eq!(manager.try_mutate("productUpdate", same).await, "done");
    assert_eq!(app.database.scalar(updated).await, before);
}

#[tokio::test]
async fn invalid_attributes_are_rejected() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await.id;
    let manager = app.manager().await;
    let id = create(&manager, website, "A", json!({})).await;
    let before = app.database.contents().await;
    let many: Vec<String> = (0..251).map(|number| format!("tag {number}")).collect();
    for (fields, expected) in [
        (json!({ "tags": [" "] }), "REQUIRED tags"),
        (json!({ "tags": ["x".repeat(256)] }), "TOO_LONG tags"),
        (json!({ "tags": ["a\nb"] }), "INVALID tags"),
        (json!({ "tags": ["a\u{7}"] }), "INVALID tags"),
        (json!({ "tags": many }), "OUT_OF_RANGE tags"),
        (json!({ "weight": { "value": "-1", "unit": "GRAM" } }), "OUT_OF_RANGE weight.value"),
        (json!({ "weight": { "value": "0.00001", "unit": "GRAM" } }), "OUT_OF_RANGE weight.value"),
        (json!({ "weight": { "value": "100000000", "unit": "GRAM" } }), "OUT_OF_RANGE weight.value"),
        (json!({ "seo": { "title": "x".repeat(256) } }), "TOO_LONG seo.title"),
        (json!({ "seo": { "description": "x".repeat(1001) } }), "TOO_LONG seo.description"),
    ] {
        let created = manager.try_mutate("productCreate", with(input(website, "B"), fields.clone())).await;
        assert_eq!(created, expected, "{fields}");
        let updated = manager.try_mutate("productUpdate", with(json!({ "id": id }), fields.clone())).await;
        assert_eq!(updated, expected, "{fields}");
    }
    assert_eq!(app.database.contents().await, before);
    let largest = json!({
        "tags": many[1..], "weight": { "value": "99999999.9999", "unit": "POUND" },
        "seo": { "title": "x".repeat(255), "description": "x".repeat(1000) },
    });
    assert_eq!(manager.try_mutate("productUpdate", with(json!({ "id": id }), largest)).await, "done");
}

#[tokio::test]
async fn products_are_filtered_by_tags_regardless_of_case() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await.id;
    let manager = app.manager().await;
    create(&manager, website, "A", json!({ "tags": ["Organic", "gift"] })).await;
    create(&manager, website, "B", json!({ "tags": ["organic food"] })).await;
    create(&manager, website, "C", json!({ "tags": ["GIFT", "Ökologisch"] })).await;
    create(&manager, website, "D", json!({})).await;
    for (filter, expected) in [
        (json!({ "any": ["organic"] }), vec!["A"]),
        (json!({ "any": ["organic", "ÖKOLOGISCH"] }), vec!["A", "C"]),
        (json!({ "any": [" Gift "] }), vec!["A", "C"]),
        (json!({ "all": ["gift", "ORGANIC"] }), vec!["A"]),
        (json!({ "all": ["gift", "organic food"] }), vec![]),
        (json!({ "any": ["gift"], "all": ["ökologisch"] }), vec!["C"]),
        (json!({ "any": [] }), vec![]),
        (json!({ "all": [] }), vec!["A", "B", "C", "D"]),
        (json!({}), vec!["A", "B", "C", "D"]),
    ] {
        assert_eq!(skus(&manager, json!({ "tags": filter })).await, expected, "{filter}");
    }
    let others = json!({ "not": { "tags": { "any": ["gift"] } } });
    assert_eq!(skus(&app.anonymous(), others).await, ["B", "D"]);
    let list = async |filter: &str| {
        app.anonymous().run(&format!("{{ products(where: {{tags: {filter}}}) {{ nodes {{ id }} }} }}")).await
    };
    let many = vec!["\"a\""; 101].join(", ");
    assert_eq!(list(&format!("{{any: [{many}]}}")).await.code(), "BAD_USER_INPUT");
    assert_eq!(list(&format!("{{all: [\"{}\"]}}", "x".repeat(256))).await.code(), "BAD_USER_INPUT");
}

#[tokio::test]
async fn search_finds_products_by_their_current_tags() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await.id;
    let manager = app.manager().await;
    let id = create(&manager, website, "A", json!({ "tags": ["Fair trade", "organic"] })).await;
    create(&manager, website, "B", json!({})).await;
    let found = async |query: &str| {
        let document =
            "query ($query: String!) { search(query: $query, types: [PRODUCT]) { nodes { ... on Product { sku } } } }";
        app.anonymous().run_with(document, json!({ "query": query })).await.at("search.nodes").clone()
    };
    assert_eq!(found("organic").await, json!([{ "sku": "A" }]));
    assert_eq!(found("\"fair trade\"").await, json!([{ "sku": "A" }]));
    assert_eq!(manager.try_mutate("productUpdate", json!({ "id": id, "tags": ["vegan"] })).await, "done");
    assert_eq!(found("organic").await, json!([]));
    assert_eq!(found("vegan").await, json!([{ "sku": "A" }]));
}

#[tokio::test]
async fn database_rejects_what_no_product_may_have() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await.id;
    create(&app.manager().await, website, "A", json!({})).await;
    for (change, constraint) in [
        ("tags = '{a,NULL}'", "products_tags_no_null"),
        ("tags = array_fill('a'::text, '{251}')", "products_tags_count"),
        ("weight = 1", "products_weight_with_unit"),
        ("weight_unit = 'g'", "products_weight_with_unit"),
        ("weight = -1, weight_unit = 'g'", "products_weight_not_negative"),
        ("weight = 1, weight_unit = 't'", "products_weight_unit_known"),
        ("seo_title = ' '", "products_seo_title_length"),
        ("seo_title = repeat('x', 256)", "products_seo_title_length"),
        ("seo_description = repeat('x', 1001)", "products_seo_description_length"),
    ] {
        let sql = format!(
            "DO $$ DECLARE broken text; BEGIN UPDATE products SET {change}; EXCEPTION WHEN check_violation THEN
                 GET STACKED DIAGNOSTICS broken = CONSTRAINT_NAME; PERFORM set_config('souk.broken', broken, false); END $$;
             CREATE TABLE IF NOT EXISTS broken (name text); DELETE FROM broken; INSERT INTO broken SELECT current_setting('souk.broken', true)"
        );
        app.database.sql(&sql).await;
        assert_eq!(app.database.scalar("SELECT name FROM broken").await, constraint, "{change}");
    }
}
