//! The `totalCount` of lists: exact up to 10,000, and computed only if selected.

use serde_json::json;
use souk::ids::UserId;

use crate::support::{
    TestApp,
    bulk::{BASE, nth_id},
};

#[tokio::test]
async fn counts_are_exact_up_to_ten_thousand() {
    let app = TestApp::new().await;
    app.seed_all(1).await;
    let admin = app.admin().await;
    let count = async |fields: &str| admin.run(&format!("{{ {fields} {{ totalCount {{ value precision }} }} }}")).await;
    assert_eq!(count("users").await.at("users.totalCount"), &json!({ "value": 3, "precision": "EXACT" }));
    let more = |from, to| {
        format!(
            "INSERT INTO users (id, name, role_id) SELECT {BASE} + i, 'Buyer', 1 FROM generate_series({from}, {to}) i;
            INSERT INTO orders (source_website_id, order_number, user_id)
                SELECT {BASE} + 1, 'M-' || i, {BASE} + 1 FROM generate_series({from}, {to}) i"
        )
    };
    app.bulk_insert(&more(4, 10_000)).await;
    let exact = json!({ "value": 10_000, "precision": "EXACT" });
    let at_least = json!({ "value": 10_000, "precision": "AT_LEAST" });
    assert_eq!(count("users").await.at("users.totalCount"), &exact);
    app.bulk_insert(&more(10_001, 10_003)).await;
    assert_eq!(count("users").await.at("users.totalCount"), &at_least);
    // The seed data include one order of this user.
    assert_eq!(count("orders").await.at("orders.totalCount"), &at_least);
    let nested = format!("user(id: {:?}) {{ orders", nth_id::<UserId>(1));
    let response = admin.run(&format!("{{ {nested} {{ totalCount {{ value precision }} nodes {{ id }} }} }} }}")).await;
    assert_eq!(response.at("user.orders.totalCount"), &at_least);
    assert_eq!(response.at("user.orders.nodes").as_array().map(Vec::len), Some(20));
    let filtered = count("users(where: {name: {eq: \"Buyer 1\"}})").await;
    assert_eq!(filtered.at("users.totalCount"), &json!({ "value": 1, "precision": "EXACT" }));
}

#[tokio::test]
async fn total_count_is_computed_only_when_selected() {
    let app = TestApp::new().await;
    app.seed_all(3).await;
    let total = "totalCount { value }";
    for (fields, counts) in [
        ("products { nodes { id } }".to_owned(), false),
        ("products { nodes { id } totalCount @skip(if: true) { value } }".to_owned(), false),
        (format!("products {{ nodes {{ id }} ... on ProductConnection @include(if: false) {{ {total} }} }}"), false),
        (format!("products {{ {total} }}"), true),
        (format!("products {{ ... on ProductConnection {{ ... {{ {total} }} }} }}"), true),
        (format!("products {{ nodes {{ id }} }} products {{ {total} }}"), true),
        (format!("products {{ many: {total} }}"), true),
    ] {
        let response = app.anonymous().run(&format!("{{ {fields} }}")).await;
        assert_eq!(response.statements(), 1 + u64::from(counts), "{fields}");
        let counted = response.at("products").get("totalCount").or(response.at("products").get("many"));
        assert_eq!(counted, counts.then(|| json!({ "value": 3 })).as_ref(), "{fields}");
    }
}
