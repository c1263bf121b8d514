//! Search results: what matches, in which order, for which viewer, and how soon after a change.

use std::collections::HashSet;

use serde_json::json;
use souk::ids::{BrandId, CategoryId, ProductId, SupplierId, WebsiteId};

use crate::support::{
    Actor, TestApp, TestResponse,
    bulk::{BASE, nth_id},
};

const NAME: &str =
    "__typename ... on Product { name } ... on Category { name } ... on Brand { name } ... on Supplier { name }";

async fn search(actor: &Actor<'_>, query: &str, arguments: &str) -> TestResponse {
    let document = format!(
        "query ($query: String!) {{ search(query: $query {arguments}) {{ totalCount {{ value precision }}
            pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }}
            edges {{ cursor score node {{ __typename }} }} nodes {{ {NAME} }} }} }}"
    );
    actor.run_with(&document, json!({ "query": query })).await
}

/// Returns the names of the hits, best first.
async fn found_names(actor: &Actor<'_>, query: &str) -> Vec<String> {
    names_in(&search(actor, query, ", first: 100").await)
}

fn names_in(response: &TestResponse) -> Vec<String> {
    let nodes = response.at("search.nodes").as_array().expect("nodes");
    nodes.iter().map(|node| node["name"].as_str().expect("a name").to_owned()).collect()
}

/// Inserts a small shop with words in every field that is searched.
async fn shop(app: &TestApp) {
    let script = "
        INSERT INTO websites (id, code, name, base_url, currency) VALUES (BASE, 'sailor', 'Sailor', 'https://s.example', 'EUR');
        INSERT INTO categories (id, name, slug, description) VALUES (BASE + 1, 'Lighting', 'light', 'For dark evenings');
        INSERT INTO brands (id, name, slug, description) VALUES (BASE + 1, 'Müller & Söhne', 'mueller', 'Tinsmiths');
        INSERT INTO suppliers (id, name, email, phone) VALUES (BASE + 1, 'Harbour Depot', 'tin@depot.example', '+49 40 1234');
        INSERT INTO products (id, source_website_id, sku, slug, name, barcode, variant, description, category_id, brand_id, price) VALUES
            (BASE + 1, BASE, 'ST-100', 'a', 'Storm Lantern', '4006381333931', 'Red', 'Burns through every gale.', BASE + 1, NULL, 1),
            (BASE + 2, BASE, 'CH-200', 'b', 'Café Chair', NULL, NULL, 'Foldable, for running customers', NULL, BASE + 1, 1),
            (BASE + 3, BASE, 'TA-300', 'c', 'Table', NULL, NULL, 'Holds a lantern in a storm', NULL, NULL, 1),
            (BASE + 4, BASE, 'OL-400', 'd', 'Old Lantern', NULL, NULL, '', NULL, NULL, 1);
        UPDATE products SET is_active = false WHERE id = BASE + 4;";
    app.bulk_insert(&script.replace("BASE", &BASE.to_string())).await;
}

/// A query, and the names that an anonymous viewer finds, best first.
const CASES: &[(&str, &[&str])] = &[
    // The word may be in any field.
    ("storm", &["Storm Lantern", "Table"]),
    ("ST-100", &["Storm Lantern"]),
    ("4006381333931", &["Storm Lantern"]),
    ("red", &["Storm Lantern"]),
    ("gale", &["Storm Lantern"]),
    ("lighting", &["Lighting", "Storm Lantern"]),
    ("evenings", &["Lighting"]),
    ("söhne", &["Müller & Söhne", "Café Chair"]),
    ("tinsmiths", &["Müller & Söhne"]),
    // Inflected forms, upper and lower case, with and without accents.
    ("STORMS", &["Storm Lantern", "Table"]),
    ("lanterns", &["Storm Lantern", "Table"]),
    ("burning", &["Storm Lantern"]),
    ("run", &["Café Chair"]),
    ("cafe", &["Café Chair"]),
    ("CAFÉ", &["Café Chair"]),
    ("muller", &["Müller & Söhne", "Café Chair"]),
    // All words, phrases, excluded words, and alternatives.
    ("storm lantern", &["Storm Lantern", "Table"]),
    ("lantern chair", &[]),
    ("\"storm lantern\"", &["Storm Lantern"]),
    ("\"lantern storm\"", &[]),
    ("storm -table", &["Storm Lantern"]),
    ("lantern -\"storm lantern\"", &["Table"]),
    ("chair or gale", &["Café Chair", "Storm Lantern"]),
    // A match in the name ranks above one in brand or category, and those above one in the description.
    ("table", &["Table"]),
    ("nothing of the kind", &[]),
    // Products that are not for sale, and entities that are not public.
    ("old", &[]),
    ("depot", &[]),
    ("tin@depot.example", &[]),
    // Unusual queries find nothing and cause no error.
    ("the and of", &[]),
    ("-", &[]),
    ("or", &[]),
    ("\"", &[]),
    ("\"\"", &[]),
    ("-\"", &[]),
    ("& | ! ( ) : * <->", &[]),
    ("'", &[]),
    ("'; DROP TABLE products; --", &[]),
    ("\\", &[]),
    ("\\' OR \\'1\\'=\\'1", &[]),
    ("%", &[]),
    ("🏮", &[]),
    ("\u{200b}", &[]),
    ("storm'", &["Storm Lantern", "Table"]),
    ("\"storm", &["Storm Lantern", "Table"]),
    ("storm & lantern", &["Storm Lantern", "Table"]),
    ("storm:*", &["Storm Lantern", "Table"]),
];

#[tokio::test]
async fn words_are_found_in_any_field_best_match_first() {
    let app = TestApp::new().await;
    shop(&app).await;
    for (query, expected) in CASES {
        let response = search(&app.anonymous(), query, ", first: 100").await;
        assert_eq!(names_in(&response), *expected, "{query}");
        let total = json!({ "value": expected.len(), "precision": "EXACT" });
        assert_eq!(response.at("search.totalCount"), &total, "{query}");
        let edges = response.at("search.edges").as_array().expect("edges");
        let scores: Vec<_> = edges.iter().map(|edge| edge["score"].as_f64().expect("a score")).collect();
        assert!(scores.is_sorted_by(|a, b| a >= b) && scores.iter().all(|score| *score > 0.0), "{query}: {scores:?}");
    }
}

#[tokio::test]
async fn ranking_weight_depends_on_the_matched_field() {
    let app = TestApp::new().await;
    let script = "
        INSERT INTO websites (id, code, name, base_url, currency) VALUES (BASE, 'sailor', 'Sailor', 'https://s.example', 'EUR');
        INSERT INTO brands (id, name, slug) VALUES (BASE + 1, 'Anchor Works', 'anchor');
        INSERT INTO products (id, source_website_id, sku, slug, name, description, brand_id, variant, price) VALUES
            (BASE + 1, BASE, '1', '1', 'By description', 'An anchor.', NULL, NULL, 1),
            (BASE + 2, BASE, '2', '2', 'By brand', '', BASE + 1, NULL, 1),
            (BASE + 3, BASE, '3', '3', 'Anchor by name', '', NULL, NULL, 1),
            (BASE + 4, BASE, '4', '4', 'Anchor by all', 'An anchor.', BASE + 1, 'Anchor', 1);";
    app.bulk_insert(&script.replace("BASE", &BASE.to_string())).await;
    let found = search(&app.anonymous(), "anchor", ", types: [PRODUCT]").await;
    assert_eq!(names_in(&found), ["Anchor by all", "Anchor by name", "By brand", "By description"]);
}

#[tokio::test]
async fn type_filter_applies_and_only_staff_and_sellers_find_suppliers() {
    let app = TestApp::new().await;
    shop(&app).await;
    let kinds = async |actor: &Actor<'_>, query: &str, arguments: &str| -> Vec<String> {
        let response = search(actor, query, arguments).await;
        let nodes = response.at("search.nodes").as_array().expect("nodes");
        nodes.iter().map(|node| node["__typename"].as_str().expect("a type").to_owned()).collect()
    };
    let (public, customer) = (app.anonymous(), app.customer().await);
    let words = "lighting or söhne or depot";
    for actor in [&public, &customer] {
        let all: HashSet<String> = kinds(actor, words, "").await.into_iter().collect();
        assert_eq!(all, ["Product", "Category", "Brand"].map(str::to_owned).into());
        assert_eq!(kinds(actor, words, ", types: [CATEGORY]").await, ["Category"]);
        assert_eq!(kinds(actor, words, ", types: [BRAND]").await, ["Brand"]);
        assert_eq!(kinds(actor, words, ", types: [PRODUCT]").await, ["Product", "Product"]);
        assert_eq!(search(actor, words, ", types: [SUPPLIER]").await.at("search.totalCount.value"), &json!(0));
        assert!(kinds(actor, words, ", types: [SUPPLIER]").await.is_empty());
        assert!(kinds(actor, words, ", types: []").await.is_empty());
    }
    for staff in [app.seller().await, app.manager().await, app.admin().await] {
        assert_eq!(kinds(&staff, "depot", "").await, ["Supplier"]);
        assert_eq!(kinds(&staff, words, ", types: [SUPPLIER, BRAND, BRAND]").await.len(), 2);
        assert_eq!(kinds(&staff, "tin@depot.example", "").await, ["Supplier"], "by its email address");
        // Search only shows products for sale, to staff as well.
        assert!(kinds(&staff, "old", "").await.is_empty());
    }
}

#[tokio::test]
async fn changes_are_searchable_immediately() {
    let app = TestApp::new().await;
    shop(&app).await;
    let manager = app.manager().await;
    let public = app.anonymous();
    let mutate = async |mutation: &str, input: &str| {
        let response =
            manager.run(&format!("mutation {{ {mutation}(input: {{{input}}}) {{ userErrors {{ code }} }} }}")).await;
        assert!(response.user_errors(mutation).is_empty(), "{response:?}");
    };
    let id = |i: i64| nth_id::<ProductId>(i);
    let (brand, category) = (nth_id::<BrandId>(1), nth_id::<CategoryId>(1));

    mutate("productUpdate", &format!("id: {:?}, name: \"Anchor\", description: \"\"", id(3))).await;
    assert_eq!(found_names(&public, "anchor").await, ["Anchor"]);
    assert_eq!(found_names(&public, "storm").await, ["Storm Lantern"]);

    // Renaming a brand or a category updates its products, too.
    mutate("brandUpdate", &format!("id: {brand:?}, name: \"Zenith\"")).await;
    assert_eq!(found_names(&public, "zenith").await, ["Zenith", "Café Chair"]);
    assert!(found_names(&public, "söhne").await.is_empty());
    mutate("categoryUpdate", &format!("id: {category:?}, name: \"Beacons\"")).await;
    assert_eq!(found_names(&public, "beacon").await, ["Beacons", "Storm Lantern"]);

    mutate("productUpdate", &format!("id: {:?}, brandId: {brand:?}", id(3))).await;
    assert_eq!(found_names(&public, "zenith anchor").await, ["Anchor"]);
    mutate("productUpdate", &format!("id: {:?}, brandId: null", id(3))).await;
    assert!(found_names(&public, "zenith anchor").await.is_empty());

    mutate("productDelete", &format!("id: {:?}", id(3))).await;
    assert!(found_names(&public, "anchor").await.is_empty());
    mutate("productUpdate", &format!("id: {:?}, isActive: true", id(4))).await;
    assert_eq!(found_names(&public, "old").await, ["Old Lantern"]);

    let website = nth_id::<WebsiteId>(0);
    mutate("productCreate", &format!("sourceWebsiteId: {website:?}, name: \"Compass\", sku: \"C-1\", price: \"1\""))
        .await;
    assert_eq!(found_names(&public, "compass").await, ["Compass"]);
    mutate("supplierUpdate", &format!("id: {:?}, name: \"Quay\"", nth_id::<SupplierId>(1))).await;
    assert_eq!(found_names(&manager, "quay").await, ["Quay"]);
    assert!(found_names(&manager, "harbour").await.is_empty());
}

#[tokio::test]
async fn hits_of_equal_rank_are_paged_once_in_both_directions() {
    let app = TestApp::new().await;
    app.seed_all(23).await;
    let admin = app.admin().await;
    let words = "lantern or maker or depot";
    let whole = search(&admin, words, ", first: 100").await;
    let all = names_in(&whole);
    assert_eq!(all.iter().collect::<HashSet<_>>().len(), 3 * 23);
    for size in [1, 7, 69] {
        for (limit, from, ahead, end) in
            [("first", "after", "hasNextPage", "endCursor"), ("last", "before", "hasPreviousPage", "startCursor")]
        {
            let (mut seen, mut cursor) = (Vec::new(), String::new());
            loop {
                let page = search(&admin, words, &format!(", {limit}: {size} {cursor}")).await;
                let names = names_in(&page);
                let at = if limit == "last" { 0 } else { seen.len() };
                seen.splice(at..at, names);
                if page.at(&format!("search.pageInfo.{ahead}")) == &json!(false) {
                    break;
                }
                cursor = format!("{from}: {}", page.at(&format!("search.pageInfo.{end}")));
            }
            assert_eq!(seen, all, "{limit}: {size}");
        }
    }
}

#[tokio::test]
async fn too_long_query_is_a_user_error() {
    let app = TestApp::new().await;
    let long = "ä".repeat(201);
    // Without words, too.
    for query in [long, " ".repeat(201)] {
        let response = search(&app.anonymous(), &query, "").await;
        assert_eq!(response.code(), "BAD_USER_INPUT", "{query:?}");
        assert_eq!(response.json["errors"][0]["extensions"]["rule"], "TOO_LONG", "{query:?}");
        assert_eq!(response.json["errors"][0]["extensions"]["field"], "query", "{query:?}");
        assert!(response.sql.is_empty());
    }
    assert_eq!(search(&app.anonymous(), "a\0b", "").await.code(), "BAD_USER_INPUT");
    for query in ["ä".repeat(200), "-".repeat(30), "\"".repeat(200), "a or ".repeat(40)] {
        search(&app.anonymous(), &query, "").await.at("search.nodes");
    }
    for query in ["-".repeat(200), "- ".repeat(100), "-a ".repeat(66)] {
        assert_eq!(search(&app.anonymous(), &query, "").await.at("search.totalCount.value"), &json!(0));
    }
    let foreign = search(&app.anonymous(), "x", ", after: \"eyJsaXN0IjoicHJvZHVjdHM6bmFtZSJ9\"").await;
    assert_eq!(foreign.code(), "BAD_USER_INPUT");
}

#[tokio::test]
async fn any_query_text_is_handled_without_a_database_error() {
    let app = TestApp::new().await;
    shop(&app).await;
    let public = app.anonymous();
    // Characters with a meaning in PostgreSQL, LIKE, HTML or a terminal are not part of the words.
    let nothing = [
        "%",
        "_",
        "'",
        "''",
        "\"",
        "\\",
        "&",
        "| !",
        "<->",
        ":*",
        "q:*x",
        "()",
        "$9",
        ";",
        "--",
        "😀",
        "\u{202e}",
        "\u{200b}",
        "the",
        "and or not",
        "or",
        "' OR 1=1 --",
        "'); DROP TABLE products; --",
        "\\'x\\'",
        "%%lantern%%_",
        "-lantern",
        "-\"storm lantern\"",
        "<script>alert(1)</script>",
        "{{7*7}}",
        "lantern\\",
        "שולחן כתום",
        "مصباح",
        "灯笼",
    ];
    for query in nothing {
        let response = search(&public, query, "").await;
        let names = names_in(&response);
        let is_known = query.contains("lantern") && names == ["Storm Lantern", "Table"];
        assert!(names.is_empty() || is_known, "{query:?} found {names:?}");
    }
    for (query, found) in [
        ("storm & lantern", 2),
        ("storm | chair", 0),
        ("!storm", 2),
        ("storm <-> lantern", 2),
        ("(storm lantern)", 2),
        ("lantern:*", 2),
        ("\u{202e}storm", 2),
        ("storm 😀", 2),
    ] {
        assert_eq!(found_names(&public, query).await.len(), found, "{query:?}");
    }
    for query in ["-a ".repeat(1_000), "x".repeat(10_000)] {
        let response = search(&public, &query, "").await;
        assert_eq!(
            (response.code(), &response.json["errors"][0]["extensions"]["rule"]),
            ("BAD_USER_INPUT", &json!("TOO_LONG"))
        );
    }
    let options = |name: &str| format!(", where: {{options: [{{name: {name:?}, in: [{name:?}]}}]}}");
    for name in ["' OR '1'='1", "%", "{\"a\"}", "\\", "NULL", "$1"] {
        assert!(names_in(&search(&public, "lantern", &options(name)).await).is_empty(), "{name:?}");
    }
}
