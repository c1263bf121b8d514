//! Spelling corrections, filters, facets, ranking and snippets of a search.

use serde_json::{Value, json};
use souk::{
    ids::{BrandId, CategoryId, WebsiteId},
    search::store::update_popularity,
};

use crate::support::{
    Actor, TestApp, TestResponse,
    bulk::{BASE, nth_id},
};

/// Inserts lanterns of two brands, in two categories, at two websites, some in a group of two sizes.
async fn shop(app: &TestApp) {
    let script = "
        INSERT INTO websites (id, code, name, base_url, currency) VALUES
            (BASE, 'sailor', 'Sailor', 'https://s.example', 'EUR'), (BASE + 1, 'rise', 'Rise', 'https://r.example', 'EUR');
        INSERT INTO categories (id, parent_id, name, slug) VALUES
            (BASE + 1, NULL, 'Home', 'home'), (BASE + 2, BASE + 1, 'Lighting', 'lighting'), (BASE + 3, BASE + 1, 'Garden', 'garden');
        INSERT INTO brands (id, name, slug) VALUES (BASE + 1, 'Wick', 'wick'), (BASE + 2, 'Tallow', 'tallow');
        INSERT INTO product_groups (id, source_website_id, name, slug, varies_by) VALUES (BASE + 1, BASE, 'Storm', 'storm', '{Size}');
        INSERT INTO products (id, source_website_id, sku, slug, name, description, category_id, brand_id, price, stock, group_id, option_values) VALUES
            (BASE + 1, BASE, 'L-1', 'l1', 'Storm Lantern Small', 'Burns <b>all</b> night & day', BASE + 2, BASE + 1, 10, 9, BASE + 1, '{S}'),
            (BASE + 2, BASE, 'L-2', 'l2', 'Storm Lantern Large', '', BASE + 2, BASE + 1, 20, 9, BASE + 1, '{L}'),
            (BASE + 3, BASE, 'L-3', 'l3', 'Paper Lantern', '', BASE + 3, BASE + 2, 5, 0, NULL, '{}'),
            (BASE + 4, BASE + 1, 'L-4', 'l4', 'Lantern', '', NULL, NULL, 40, 9, NULL, '{}'),
            (BASE + 5, BASE, 'L-5', 'l5', 'Secret Lanthorn', '', NULL, NULL, 1, 9, NULL, '{}');
        UPDATE products SET is_active = false WHERE id = BASE + 5;";
    app.bulk_insert(&script.replace("BASE", &BASE.to_string())).await;
}

async fn search(actor: &Actor<'_>, query: &str, arguments: &str, fields: &str) -> TestResponse {
    let document = format!("query ($query: String!) {{ search(query: $query {arguments}) {{ {fields} }} }}");
    actor.run_with(&document, json!({ "query": query })).await
}

/// Returns the names of the matching products, in order.
async fn names(actor: &Actor<'_>, query: &str, arguments: &str) -> Vec<String> {
    let response =
        search(actor, query, &format!(", types: [PRODUCT] {arguments}"), "nodes { ... on Product { name } }").await;
    let nodes = response.at("search.nodes").as_array().expect("nodes").clone();
    nodes.iter().map(|node| node["name"].as_str().expect("a name").to_owned()).collect()
}

#[tokio::test]
async fn unknown_word_is_corrected_to_the_nearest() {
    let app = TestApp::new().await;
    shop(&app).await;
    let public = app.anonymous();
    for (query, meant, found) in [
        ("lamtern", Some("lantern"), 4),
        ("Strom lantern", Some("storm lantern"), 2),
        ("papre \"lantern\" -wick", Some("paper \"lantern\" -wick"), 1),
        // Inflected forms and prefixes are not misspelled.
        ("lanterns", None, 4),
        ("lant", None, 4),
        ("lantern", None, 4),
        ("a lantern with and for", None, 4),
        ("storm/lamtern(small)", Some("storm lantern small"), 1),
        // No similar word exists, and words of hidden products are not suggested.
        ("xylophone", None, 0),
        ("lanthorm", None, 0),
        // Codes are not corrected.
        ("L-9", None, 0),
    ] {
        let response = search(&public, query, ", types: [PRODUCT]", "didYouMean totalCount { value }").await;
        assert_eq!(response.at("search.didYouMean"), &json!(meant), "{query}");
        assert_eq!(response.at("search.totalCount.value"), &json!(found), "{query}");
    }
}

#[tokio::test]
async fn corrections_are_written_as_in_the_hits() {
    let app = TestApp::new().await;
    let script = "
        INSERT INTO websites (id, code, name, base_url, currency) VALUES (BASE, 'cafe', 'Café', 'https://c.example', 'EUR');
        INSERT INTO brands (id, name, slug) VALUES (BASE + 1, 'Nuñez', 'nunez');
        INSERT INTO products (id, source_website_id, sku, slug, name, brand_id, price) VALUES
            (BASE + 1, BASE, 'M-1', 'm1', 'Früchte-Müsli (bio)', BASE + 1, 1), (BASE + 2, BASE, 'M-2', 'm2', 'MÜSLI', NULL, 1),
            (BASE + 3, BASE, 'M-3', 'm3', 'Müsli plain', NULL, 1), (BASE + 4, BASE, 'M-4', 'm4', 'Musli', NULL, 1);";
    app.bulk_insert(&script.replace("BASE", &BASE.to_string())).await;
    for (query, meant) in [("mussli", "müsli"), ("fruechte", "früchte"), ("nunjez \"bio\"", "nuñez \"bio\"")] {
        let response = search(&app.anonymous(), query, "", "didYouMean").await;
        assert_eq!(response.at("search.didYouMean"), &json!(meant), "{query}");
    }
}

#[tokio::test]
async fn categories_and_brands_are_named_by_slug_or_id() {
    let app = TestApp::new().await;
    shop(&app).await;
    let public = app.anonymous();
    let lighting = nth_id::<CategoryId>(2);
    for (filter, expected) in [
        ("category: {eq: \"garden\"}".to_owned(), &["Paper Lantern"][..]),
        (format!("category: {{in: [\"garden\", {lighting:?}]}}, brand: {{eq: \"tallow\"}}"), &["Paper Lantern"]),
        ("category: {eq: \"home\"}".to_owned(), &[]),
        (
            "category: {eq: \"home\", includeDescendants: true}, brand: {in: [\"tallow\"]}".to_owned(),
            &["Paper Lantern"],
        ),
    ] {
        assert_eq!(names(&public, "lantern", &format!(", where: {{{filter}}}")).await, expected, "{filter}");
    }
    for filter in ["category: {eq: \"no-such\"}", "brand: {in: [\"tallow\", \"no-such\"]}"] {
        let response = search(&public, "lantern", &format!(", where: {{{filter}}}"), "nodes { __typename }").await;
        let extensions = &response.json["errors"][0]["extensions"];
        assert_eq!((response.code(), &extensions["rule"]), ("BAD_USER_INPUT", &json!("NOT_FOUND")), "{filter}");
    }
}

#[tokio::test]
async fn exact_name_and_code_matches_rank_first() {
    let app = TestApp::new().await;
    shop(&app).await;
    let public = app.anonymous();
    assert_eq!(names(&public, "lantern", "").await[0], "Lantern");
    assert_eq!(names(&public, "LANTERN", "").await[0], "Lantern");
    assert_eq!(names(&public, "l-2", "").await, ["Storm Lantern Large"]);
    assert_eq!(names(&public, "large lantern storm", "").await, ["Storm Lantern Large"]);
}

#[tokio::test]
async fn equal_matches_are_ranked_by_sales() {
    let app = TestApp::new().await;
    shop(&app).await;
    let public = app.anonymous();
    let sold = "
        INSERT INTO orders (id, source_website_id, order_number, status, placed_at) VALUES
            (BASE, BASE, 'A', 'confirmed', now()), (BASE + 1, BASE, 'B', 'cancelled', now()), (BASE + 2, BASE, 'C', 'delivered', now() - interval '1 year');
        INSERT INTO order_details (order_id, product_id, name, sku, quantity, unit_price) VALUES
            (BASE, BASE + 1, 'x', 'L-1', 5, 1), (BASE + 1, BASE + 2, 'x', 'L-2', 500, 1), (BASE + 2, BASE + 2, 'x', 'L-2', 500, 1);";
    app.bulk_insert(&sold.replace("BASE", &BASE.to_string())).await;
    let tend = || app.database.db.transaction(async |conn| update_popularity(conn).await);
    assert_eq!(tend().await.expect("a refresh"), 1);
    assert_eq!(tend().await.expect("a refresh"), 0, "unchanged rows are not written again");
    assert_eq!(names(&public, "storm lantern", "").await, ["Storm Lantern Small", "Storm Lantern Large"]);
    assert_eq!(names(&public, "lantern", ", orderBy: {field: POPULARITY}").await[0], "Storm Lantern Small");
}

#[tokio::test]
async fn filters_are_combined_in_every_sort_order() {
    let app = TestApp::new().await;
    shop(&app).await;
    let public = app.anonymous();
    let (home, wick, rise) = (nth_id::<CategoryId>(1), nth_id::<BrandId>(1), nth_id::<WebsiteId>(1));
    let price = "orderBy: {field: PRICE}";
    for (filter, expected) in [
        (String::new(), &["Paper Lantern", "Storm Lantern Small", "Storm Lantern Large", "Lantern"][..]),
        (format!("category: {{eq: {home:?}}}"), &[]),
        (
            format!("category: {{eq: {home:?}, includeDescendants: true}}"),
            &["Paper Lantern", "Storm Lantern Small", "Storm Lantern Large"],
        ),
        (format!("brand: {{eq: {wick:?}}}"), &["Storm Lantern Small", "Storm Lantern Large"]),
        (format!("sourceWebsite: {{in: [{rise:?}]}}"), &["Lantern"]),
        ("price: {gte: \"10\", lte: \"20\"}".into(), &["Storm Lantern Small", "Storm Lantern Large"]),
        ("availability: {eq: OUT_OF_STOCK}".into(), &["Paper Lantern"]),
        ("options: [{name: \"Size\", in: [\"L\", \"XL\"]}]".into(), &["Storm Lantern Large"]),
        ("rating: {gte: \"1\"}".into(), &[]),
        (format!("brand: {{eq: {wick:?}}}, price: {{lte: \"10\"}}"), &["Storm Lantern Small"]),
    ] {
        assert_eq!(names(&public, "lantern", &format!(", where: {{{filter}}}, {price}")).await, expected, "{filter}");
    }
    assert_eq!(names(&public, "lantern", ", orderBy: {field: NAME, direction: DESC}").await[3], "Lantern");
    assert_eq!(names(&public, "lantern", ", orderBy: {field: NEWEST}").await.len(), 4);
    assert_eq!(names(&public, "lantern", ", orderBy: {field: RATING}").await.len(), 4);
    assert_eq!(names(&public, "lantern", ", orderBy: {field: POPULARITY}").await.len(), 4);
    // Only products have the fields that this filter uses.
    let kinds = search(&public, "lighting", ", where: {price: {gte: \"1\"}}", "nodes { __typename }").await;
    assert_eq!(kinds.at("search.nodes"), &json!([{ "__typename": "Product" }, { "__typename": "Product" }]));
    for (arguments, field) in [
        ("where: {options: [{name: \"A\", in: []}, {name: \"A\", in: []}]}", "where.options"),
        ("where: {brand: {isNull: true}}", "where.brand.isNull"),
        ("where: {brand: {eq: \"x\"}}", "where.brand.eq"),
    ] {
        let response = search(&public, "lantern", &format!(", {arguments}"), "totalCount { value }").await;
        assert_eq!(response.json["errors"][0]["extensions"]["field"], field, "{response:?}");
    }
    let supplier = ", where: {supplier: {in: []}}";
    assert_eq!(search(&public, "lantern", supplier, "totalCount { value }").await.code(), "FORBIDDEN");
    assert_eq!(names(&app.manager().await, "lantern", supplier).await, [""; 0]);
}

#[tokio::test]
async fn pages_contain_each_hit_once_in_every_sort_order() {
    let app = TestApp::new().await;
    shop(&app).await;
    let public = app.anonymous();
    for order in ["RELEVANCE", "PRICE", "NEWEST", "RATING", "POPULARITY", "NAME"] {
        let by = format!("orderBy: {{field: {order}}}");
        let whole = names(&public, "lantern", &format!(", {by}")).await;
        let (mut seen, mut after) = (Vec::new(), String::new());
        loop {
            let arguments = format!(", types: [PRODUCT], first: 3, {by} {after}");
            let page = search(
                &public,
                "lantern",
                &arguments,
                "nodes { ... on Product { name } } pageInfo { hasNextPage endCursor }",
            )
            .await;
            let nodes = page.at("search.nodes").as_array().expect("nodes").clone();
            seen.extend(nodes.iter().map(|node| node["name"].as_str().expect("a name").to_owned()));
            if page.at("search.pageInfo.hasNextPage") == &json!(false) {
                break;
            }
            after = format!(", after: {}", page.at("search.pageInfo.endCursor"));
        }
        assert_eq!(seen, whole, "{order}");
        assert_eq!(seen.len(), 4, "{order}");
    }
}

const FACETS: &str = "facets { precision categories { value count category { id name } } brands { value count brand { id name } }
    websites { value count website { id code } } prices { min { amount currency } max { amount } count } ratings { value count } availability { value count }
    options { name values { value count } } }";

#[tokio::test]
async fn facets_apply_all_filters_except_their_own() {
    let app = TestApp::new().await;
    shop(&app).await;
    let wick = nth_id::<BrandId>(1);
    let facets = async |filter: &str| -> Value {
        search(&app.anonymous(), "lantern", &format!(", where: {{{filter}}}"), FACETS).await.at("search.facets").clone()
    };
    let whole = facets("").await;
    assert_eq!(whole["precision"], "EXACT");
    // The value that a filter takes is listed next to the entity itself.
    for facet in ["categories/category", "brands/brand", "websites/website"] {
        let (facet, thing) = facet.split_once('/').expect("two");
        for value in whole[facet].as_array().expect("values") {
            assert_eq!(value["value"], value[thing]["id"], "{facet}");
        }
    }
    let counts = |facets: &Value, facet: &str, name: [&str; 2]| -> Vec<(String, i64)> {
        let count = |it: &Value| {
            (it[name[0]][name[1]].as_str().unwrap_or_default().to_owned(), it["count"].as_i64().unwrap_or(-1))
        };
        facets[facet].as_array().expect("values").iter().map(count).collect()
    };
    let categories = |facets: &Value| counts(facets, "categories", ["category", "name"]);
    let brands = |facets: &Value| counts(facets, "brands", ["brand", "name"]);
    let websites = |facets: &Value| counts(facets, "websites", ["website", "code"]);
    let named = |names: &[(&str, i64)]| -> Vec<(String, i64)> {
        names.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
    };
    assert_eq!(categories(&whole), named(&[("Home", 3), ("Lighting", 2), ("Garden", 1)]));
    assert_eq!(brands(&whole), named(&[("Wick", 2), ("Tallow", 1)]));
    assert_eq!(websites(&whole), named(&[("sailor", 3), ("rise", 1)]));
    assert_eq!(
        whole["availability"],
        json!([{ "value": "IN_STOCK", "count": 3 }, { "value": "OUT_OF_STOCK", "count": 1 }])
    );
    assert_eq!(whole["options"][0]["name"], "Size");
    assert_eq!(whole["options"][0]["values"].as_array().map(Vec::len), Some(2));
    let prices: Vec<i64> = whole["prices"]
        .as_array()
        .expect("ranges")
        .iter()
        .map(|range| range["count"].as_i64().expect("a count"))
        .collect();
    assert_eq!(
        (prices.iter().sum::<i64>(), &whole["prices"][0]["min"]),
        (4, &json!({ "amount": "5.00", "currency": "EUR" }))
    );

    let of_wick = facets(&format!("brand: {{eq: {wick:?}}}")).await;
    assert_eq!(of_wick["brands"], whole["brands"], "the facet ignores its own filter");
    assert_eq!(categories(&of_wick), named(&[("Home", 2), ("Lighting", 2)]));
    assert_eq!(websites(&of_wick), named(&[("sailor", 2)]));

    let small = facets("options: [{name: \"Size\", in: [\"S\"]}], price: {lte: \"15\"}").await;
    assert_eq!(small["options"][0]["values"], json!([{ "value": "S", "count": 1 }]), "filtered only by price");
    assert_eq!(brands(&small), named(&[("Wick", 1)]));
    assert_eq!(small["prices"].as_array().map(Vec::len), Some(1));
    assert_eq!(brands(&facets("availability: {eq: OUT_OF_STOCK}").await), named(&[("Tallow", 1)]));
}

#[tokio::test]
async fn prefixes_hyphens_and_excluded_words_are_handled() {
    let app = TestApp::new().await;
    let script = "
        INSERT INTO websites (id, code, name, base_url, currency) VALUES (BASE, 'sailor', 'Sailor', 'https://s.example', 'EUR');
        INSERT INTO products (id, source_website_id, sku, slug, name, description, price) VALUES
            (BASE + 1, BASE, 'C-1', 'c1', 'Candle', '', 1), (BASE + 2, BASE, 'C-2', 'c2', 'Rope Fender', '', 1),
            (BASE + 3, BASE, 'C-3', 'c3', 'Heart-Shaped Box', '', 1), (BASE + 4, BASE, 'C-4', 'c4', 'Box', 'beside a candle', 1),
            (BASE + 5, BASE, 'C-5', 'c5', 'Storm Glass', '', 1);
        INSERT INTO search_words SELECT 'str' || chr(97 + i / 26) || chr(97 + i % 26) FROM generate_series(0, 99) i WHERE i % 26 <> 12
            ON CONFLICT DO NOTHING;";
    app.bulk_insert(&script.replace("BASE", &BASE.to_string())).await;
    let public = app.anonymous();
    for (query, found) in [
        ("can", &["Candle", "Box"][..]),
        ("can ", &[]),
        ("candle -storm", &["Candle", "Box"]),
        ("rope-fender", &["Rope Fender"]),
        ("rope-fen", &["Rope Fender"]),
        ("heart shaped", &["Heart-Shaped Box"]),
        ("heart-shaped", &["Heart-Shaped Box"]),
        // A hundred other words share as many letters with it.
        ("strom", &["Storm Glass"]),
    ] {
        assert_eq!(names(&public, query, "").await, found, "{query:?}");
    }
    let weighed = search(&public, "candle -storm", "", "edges { score }").await;
    let score = |at: usize| weighed.at(&format!("search.edges.{at}.score")).as_f64().expect("a score");
    assert!(score(0) > 2.0 * score(1) && score(1) > 0.0, "{weighed:?}");
}

#[tokio::test]
async fn snippet_marks_matches_and_escapes_html() {
    let app = TestApp::new().await;
    shop(&app).await;
    let response = search(&app.anonymous(), "burning", "", "edges { snippet node { __typename } }").await;
    let snippet = response.text_at("search.edges.0.snippet");
    assert!(snippet.contains("<mark>Burns</mark>") && snippet.contains("night &amp; day"), "{snippet}");
    assert!(!snippet.contains("<b>"), "{snippet}");
}

#[tokio::test]
async fn statement_count_does_not_depend_on_the_number_of_hits() {
    let app = TestApp::builder().cache_bytes(0).build().await;
    shop(&app).await;
    let everything =
        format!("totalCount {{ value }} edges {{ snippet }} nodes {{ ... on Product {{ name }} }} {FACETS}");
    // Statements for rules and parsing, for hits, count and facets together, for the paths of the categories and the
    // currencies of the websites, for snippets, and for the products, categories, brands and websites of hits and facets.
    let (few, many) = ("paper", "lantern");
    // The first search of a word takes one statement more, in which the database takes the word apart.
    for query in [few, many] {
        search(&app.anonymous(), query, "", "nodes { __typename }").await;
    }
    let few = search(&app.anonymous(), few, "", &everything).await;
    let many = search(&app.anonymous(), many, "", &everything).await;
    assert_eq!((few.sql.len(), many.sql.len()), (9, 9), "{:#?}", many.sql);
}

#[tokio::test]
async fn more_than_ten_thousand_hits_are_not_counted() {
    let app = TestApp::new().await;
    let script = "
        INSERT INTO websites (id, code, name, base_url, currency) VALUES (BASE, 'sailor', 'Sailor', 'https://s.example', 'EUR');
        INSERT INTO products (id, source_website_id, sku, slug, name, price)
            SELECT BASE + i, BASE, 'L-' || i, 'l-' || i, CASE WHEN i % 1000 = 0 THEN 'Paper Lantern' ELSE 'Lantern' END, i % 2
            FROM generate_series(1, 20100) i;";
    app.bulk_insert(&script.replace("BASE", &BASE.to_string())).await;
    let public = app.anonymous();
    let price = |is: &str| format!(", where: {{price: {{{is}}}}}");
    for (query, filter, hits, precision) in [
        ("lantern", String::new(), 10_000..=10_000, "AT_LEAST"),
        // Half of the products are free, and none is cheaper.
        ("lantern", price("lte: \"0\""), 10_000..=10_000, "AT_LEAST"),
        ("lantern", price("lte: \"-1\""), 0..=0, "EXACT"),
        ("paper", price("lte: \"0\""), 20..=20, "EXACT"),
        ("paper", price("gte: \"1\""), 0..=0, "EXACT"),
    ] {
        let fields = "totalCount { value precision } facets { precision websites { count } }";
        let response = search(&public, query, &filter, fields).await;
        let total = response.at("search.totalCount");
        assert!(hits.contains(&total["value"].as_i64().expect("a count")), "{query} {filter} {total}");
        assert_eq!(
            (&total["precision"], response.at("search.facets.precision")),
            (&json!(precision), &json!(precision)),
            "{query} {filter}"
        );
    }
    // Sorted by relevance, the list ends after the best 2,000.
    let page = "pageInfo { hasPreviousPage startCursor } nodes { __typename }";
    let last = search(&public, "lantern", ", last: 100", page).await;
    assert_eq!(last.at("search.nodes").as_array().map(Vec::len), Some(100));
}
