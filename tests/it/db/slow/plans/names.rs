//! Query plans of lists of a website by name, where its language has its own order.

use souk::{ids::WebsiteId, products::actions::name_indexes};

use super::{Case, Sorts::Never};
use crate::support::{
    TestApp,
    bulk::{BASE, nth_id},
};

/// Lists of one website.
const NAMES: &[Case] = &[
    Case(
        "{ products(where: {sourceWebsite: {eq: WEBSITE}}, orderBy: {field: NAME}) { nodes { id } } }",
        "products_name_idx_sv",
        Never,
    ),
    Case(
        "{ products(last: 5, where: {sourceWebsite: {eq: WEBSITE}}, orderBy: {field: NAME, direction: DESC}) { nodes { id } } }",
        "products_name_idx_sv",
        Never,
    ),
    Case(
        "{ products(after: NAME, where: {sourceWebsite: {eq: WEBSITE}}, orderBy: {field: NAME}) { nodes { id } } }",
        "products_name_idx_sv",
        Never,
    ),
    Case(
        "{ search(where: {sourceWebsite: {eq: WEBSITE}}, orderBy: {field: NAME}) { nodes { __typename } } }",
        "products_name_idx_sv",
        Never,
    ),
    Case(
        "{ website(id: WEBSITE) { products(orderBy: {field: NAME}) { nodes { id } } } }",
        "products_name_idx_sv",
        Never,
    ),
];

#[tokio::test]
async fn lists_by_name_in_a_language_use_its_index() {
    let app = TestApp::new().await;
    app.seed_catalog().await;
    let language = async |code: &str| {
        app.database.sql(&format!("UPDATE websites SET language = '{code}' WHERE id = {}", BASE + 1)).await;
    };
    let indexes = async || {
        name_indexes::update(&app.database.db).await.expect("the indexes");
        let names =
            "SELECT coalesce(string_agg(relname, ' '), '') FROM pg_class WHERE relname LIKE 'products_name_idx_%'";
        app.database.scalar(names).await
    };
    assert_eq!(indexes().await, "", "no website needs one");
    language("sv").await;
    for _ in 0..2 {
        assert_eq!(indexes().await, "products_name_idx_sv");
    }
    let first = format!(
        "{{ products(first: 1, where: {{sourceWebsite: {{eq: {:?}}}}}, orderBy: {{field: NAME}}) {{ pageInfo {{ endCursor }} }} }}",
        nth_id::<WebsiteId>(1)
    );
    let public = app.anonymous();
    let cursors = [("NAME", public.run(&first).await.text_at("products.pageInfo.endCursor"))];
    let mut faults = String::new();
    for case in NAMES {
        faults += &case.problems(&public, &cursors).await.unwrap_or_default();
    }
    assert!(faults.is_empty(), "{faults}");
    language("de").await;
    assert_eq!(indexes().await, "", "no website needs it any more");
}
