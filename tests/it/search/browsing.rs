//! Browsing: a search without words returns all products that match its filter, as a category page shows them.

use serde_json::{Value, json};
use souk::ids::{BrandId, CategoryId, WebsiteId};

use crate::support::{
    Actor, TestApp, TestResponse,
    bulk::{BASE, nth_id},
};

/// Inserts five products for sale of two websites, three categories and two brands, and one that is not for sale. The
/// second one sells most, then the fifth; the first and the third are rated; the first and the fourth are on sale.
async fn shop(app: &TestApp) {
    let script = "
        INSERT INTO websites (id, code, name, base_url, currency) VALUES
            (BASE, 'sailor', 'Sailor', 'https://s.example', 'EUR'), (BASE + 1, 'rise', 'Rise', 'https://r.example', 'EUR');
        INSERT INTO categories (id, parent_id, name, slug) VALUES (BASE + 1, NULL, 'Home', 'home'),
            (BASE + 2, BASE + 1, 'Lighting', 'lighting'), (BASE + 3, BASE + 1, 'Garden', 'garden'), (BASE + 4, NULL, 'Empty', 'empty');
        INSERT INTO brands (id, name, slug) VALUES (BASE + 1, 'Wick', 'wick'), (BASE + 2, 'Tallow', 'tallow');
        INSERT INTO product_groups (id, source_website_id, name, slug, varies_by) VALUES (BASE + 1, BASE, 'Storm', 'storm', '{Size}');
        INSERT INTO products (id, source_website_id, sku, slug, name, category_id, brand_id, price, compare_at_price, stock, group_id,
                              option_values, created_at) VALUES
            (BASE + 1, BASE, 'A', 'a', 'Storm Lantern Small', BASE + 2, BASE + 1, 10, 15, 9, BASE + 1, '{S}', '2026-01-01 00:00Z'),
            (BASE + 2, BASE, 'B', 'b', 'Storm Lantern Large', BASE + 2, BASE + 1, 20, NULL, 9, BASE + 1, '{L}', '2026-01-02 00:00Z'),
            (BASE + 3, BASE, 'C', 'c', 'Paper Lantern', BASE + 3, BASE + 2, 5, 5, 0, NULL, '{}', '2026-01-03 00:00Z'),
            (BASE + 4, BASE + 1, 'D', 'd', 'Rope', NULL, NULL, 40, 50, 9, NULL, '{}', '2026-01-04 00:00Z'),
            (BASE + 5, BASE, 'E', 'e', 'Bench', BASE + 3, NULL, 30, 20, 9, NULL, '{}', '2026-01-05 00:00Z'),
            (BASE + 6, BASE, 'F', 'f', 'Secret', BASE + 2, BASE + 1, 1, 2, 9, NULL, '{}', '2026-01-06 00:00Z');
        UPDATE products SET is_active = false WHERE id = BASE + 6;
        UPDATE search_documents SET popularity = CASE node_id WHEN BASE + 2 THEN 3 WHEN BASE + 5 THEN 1 ELSE 0 END WHERE kind = 'product';
        INSERT INTO users (id, name, email, role_id)
            SELECT BASE + i, 'Reader', 'reader-' || i || '@souk.example', id FROM roles, generate_series(1, 2) i WHERE code = 'customer';
        INSERT INTO reviews (product_id, user_id, rating, status) VALUES (BASE + 1, BASE + 1, 5, 'approved'),
            (BASE + 1, BASE + 2, 4, 'approved'), (BASE + 3, BASE + 1, 3, 'approved');";
    app.bulk_insert(&script.replace("BASE", &BASE.to_string())).await;
}

async fn browse(actor: &Actor<'_>, arguments: &str, fields: &str) -> TestResponse {
    let arguments = arguments.trim();
    let arguments = if arguments.is_empty() { String::new() } else { format!("({arguments})") };
    actor.run(&format!("{{ search{arguments} {{ {fields} }} }}")).await
}

const NAMES: &str = "totalCount { value precision } nodes { __typename ... on Product { sku } }";

/// Returns the SKUs on the page, in order.
fn skus(response: &TestResponse) -> String {
    let nodes = response.at("search.nodes").as_array().expect("nodes");
    nodes.iter().map(|node| node["sku"].as_str().expect("a product")).collect()
}

/// Returns the SKUs of all products found, in order, which are counted exactly.
async fn found(actor: &Actor<'_>, arguments: &str) -> String {
    let response = browse(actor, arguments, NAMES).await;
    let skus = skus(&response);
    let total = json!({ "value": skus.len(), "precision": "EXACT" });
    assert_eq!(response.at("search.totalCount"), &total, "{arguments}");
    skus
}

/// The sort orders with their directions, and the products in that order; equals are sorted by ID.
const ORDERS: &[(&str, &str)] = &[
    ("", "BEDCA"),
    ("orderBy: {field: RELEVANCE}", "BEDCA"),
    ("orderBy: {field: RELEVANCE, direction: ASC}", "ACDEB"),
    ("orderBy: {field: POPULARITY}", "BEDCA"),
    ("orderBy: {field: POPULARITY, direction: ASC}", "ACDEB"),
    ("orderBy: {field: PRICE}", "CABED"),
    ("orderBy: {field: PRICE, direction: DESC}", "DEBAC"),
    ("orderBy: {field: NEWEST}", "EDCBA"),
    ("orderBy: {field: NEWEST, direction: ASC}", "ABCDE"),
    ("orderBy: {field: RATING}", "ACEDB"),
    ("orderBy: {field: RATING, direction: ASC}", "BDECA"),
    ("orderBy: {field: NAME}", "ECDBA"),
    ("orderBy: {field: NAME, direction: DESC}", "ABDCE"),
];

#[tokio::test]
async fn search_without_words_returns_all_products_for_sale_to_everyone() {
    let app = TestApp::new().await;
    shop(&app).await;
    let actors = [app.anonymous(), app.customer().await, app.seller().await, app.manager().await, app.admin().await];
    for actor in &actors {
        for query in ["", "query: null", "query: \"\"", "query: \" \\t\\n \"", "types: [SUPPLIER, PRODUCT, BRAND]"] {
            assert_eq!(found(actor, query).await, "BEDCA", "{query}");
        }
    }
    // A query of signs only is not blank, and has no words to find.
    assert_eq!(found(&actors[0], "query: \"-\"").await, "");
    let fields = "didYouMean searchId redirect { url } edges { score snippet }";
    let response = browse(&actors[0], "first: 1", fields).await;
    let nothing =
        json!({ "didYouMean": null, "searchId": null, "redirect": null, "edges": [{ "score": 0.0, "snippet": null }] });
    assert_eq!(response.at("search"), &nothing);
}

#[tokio::test]
async fn every_sort_order_is_paged_in_both_directions() {
    let app = TestApp::new().await;
    shop(&app).await;
    let public = app.anonymous();
    // With a filter that all products match, the statements are others.
    for filter in ["", "where: {createdAt: {gte: \"2000-01-01T00:00:00Z\"}}"] {
        for (order, expected) in ORDERS {
            assert_eq!(found(&public, &format!("{order} {filter}")).await, *expected, "{order} {filter}");
            for (limit, from, ahead, end) in
                [("first", "after", "hasNextPage", "endCursor"), ("last", "before", "hasPreviousPage", "startCursor")]
            {
                let (mut seen, mut cursor) = (String::new(), String::new());
                loop {
                    let fields = "pageInfo { hasNextPage hasPreviousPage startCursor endCursor } nodes { ... on Product { sku } }";
                    let page = browse(&public, &format!("{limit}: 2 {cursor} {order} {filter}"), fields).await;
                    let at = if limit == "last" { 0 } else { seen.len() };
                    seen.insert_str(at, &skus(&page));
                    if page.at(&format!("search.pageInfo.{ahead}")) == &json!(false) {
                        break;
                    }
                    cursor = format!("{from}: {}", page.at(&format!("search.pageInfo.{end}")));
                }
                assert_eq!(seen, *expected, "{limit} {order} {filter}");
            }
        }
    }
    let by_name = browse(&public, "first: 1 orderBy: {field: NAME}", "pageInfo { endCursor }").await;
    let foreign = format!("after: {}", by_name.at("search.pageInfo.endCursor"));
    assert_eq!(browse(&public, &foreign, "totalCount { value }").await.code(), "BAD_USER_INPUT");
}

#[tokio::test]
async fn filters_limit_the_products() {
    let app = TestApp::new().await;
    shop(&app).await;
    let public = app.anonymous();
    let category = |i: i64| nth_id::<CategoryId>(i);
    let (wick, tallow, rise) = (nth_id::<BrandId>(1), nth_id::<BrandId>(2), nth_id::<WebsiteId>(1));
    for (filter, expected) in [
        (String::new(), "BEDCA"),
        (format!("category: {{eq: {:?}}}", category(2)), "BA"),
        (format!("category: {{eq: {:?}}}", category(1)), ""),
        (format!("category: {{eq: {:?}, includeDescendants: true}}", category(1)), "BECA"),
        (format!("category: {{in: [{:?}, {:?}]}}", category(2), category(3)), "BECA"),
        (format!("category: {{eq: {:?}, includeDescendants: true}}", category(4)), ""),
        (format!("category: {{eq: {:?}, includeDescendants: true}}", category(99)), ""),
        ("category: {in: []}".into(), ""),
        (format!("brand: {{eq: {wick:?}}}"), "BA"),
        (format!("brand: {{in: [{wick:?}, {tallow:?}]}}"), "BCA"),
        (format!("sourceWebsite: {{eq: {rise:?}}}"), "D"),
        ("sourceWebsite: {code: \"sailor\"}".into(), "BECA"),
        ("sourceWebsite: {code: \"nowhere\"}".into(), ""),
        ("price: {gte: \"10\", lte: \"30\"}".into(), "BEA"),
        ("price: {eq: 40}".into(), "D"),
        ("price: {currency: \"EUR\", lte: 5}".into(), "C"),
        ("price: {currency: \"JPY\"}".into(), ""),
        ("rating: {gte: \"4\"}".into(), "A"),
        ("availability: {eq: OUT_OF_STOCK}".into(), "C"),
        ("availability: {in: []}".into(), ""),
        ("options: [{name: \"Size\", in: [\"L\", \"XL\"]}]".into(), "B"),
        ("isOnSale: true".into(), "DA"),
        // Without a compare-at price, or with one that is not greater than the price.
        ("isOnSale: false".into(), "BEC"),
        ("createdAt: {gte: \"2026-01-04T00:00:00Z\"}".into(), "ED"),
        ("createdAt: {gte: \"2026-01-02T00:00:00Z\", lte: \"2026-01-03T00:00:00Z\"}".into(), "BC"),
        (
            format!("category: {{eq: {:?}}}, isOnSale: true, options: [{{name: \"Size\", in: [\"S\"]}}]", category(2)),
            "A",
        ),
    ] {
        assert_eq!(found(&public, &format!("where: {{{filter}}}")).await, expected, "{filter}");
        // The same filter in another order, which reads the products only.
        let by_name: Vec<char> =
            found(&public, &format!("where: {{{filter}}}, orderBy: {{field: NAME}}")).await.chars().collect();
        let expected: Vec<char> = "ECDBA".chars().filter(|sku| expected.contains(*sku)).collect();
        assert_eq!(by_name, expected, "{filter}");
    }
    let supplier = "where: {supplier: {in: []}}";
    assert_eq!(browse(&public, supplier, "totalCount { value }").await.code(), "FORBIDDEN");
    assert_eq!(found(&app.manager().await, supplier).await, "");
    let long = "x".repeat(256);
    for (filter, field) in [
        ("category: {isNull: true}".to_owned(), "where.category.isNull"),
        (format!("tags: {{any: [{long:?}]}}"), "where.tags.any"),
        (format!("tags: {{all: [{}]}}", vec!["\"x\""; 101].join(",")), "where.tags.all"),
    ] {
        let response = browse(&public, &format!("where: {{{filter}}}"), "totalCount { value }").await;
        assert_eq!(response.json["errors"][0]["extensions"]["field"], field, "{response:?}");
    }
}

#[tokio::test]
async fn tags_are_filtered_and_counted_without_regard_to_case() {
    let app = TestApp::new().await;
    shop(&app).await;
    let script = "UPDATE products SET tags = '{Vegan,Gift}' WHERE id = BASE + 1; UPDATE products SET tags = '{Vegan}' WHERE id = BASE + 2;
        UPDATE products SET tags = '{vegan,Outdoor}' WHERE id = BASE + 3; UPDATE products SET tags = '{Vegan}' WHERE id = BASE + 6;";
    app.bulk_insert(&script.replace("BASE", &BASE.to_string())).await;
    let public = app.anonymous();
    for (tags, expected) in [
        ("any: [\"VEGAN\"]", "BCA"),
        ("any: [\" gift \", \"outdoor\"]", "CA"),
        ("all: [\"vegan\", \"gift\"]", "A"),
        ("any: [\"outdoor\", \"gift\"], all: [\"vegan\"]", "CA"),
        ("any: [\"unknown\"]", ""),
        ("any: []", ""),
        ("all: []", "BEDCA"),
    ] {
        assert_eq!(found(&public, &format!("where: {{tags: {{{tags}}}}}")).await, expected, "{tags}");
        // With words the condition is the same.
        let with_words =
            format!("query: \"lantern\", types: [PRODUCT], where: {{tags: {{{tags}}}}}, orderBy: {{field: NEWEST}}");
        let lanterns: String = "CBA".chars().filter(|sku| expected.contains(*sku)).collect();
        assert_eq!(found(&public, &with_words).await, lanterns, "{tags}");
    }
    let all =
        json!([{ "value": "Vegan", "count": 3 }, { "value": "Gift", "count": 1 }, { "value": "Outdoor", "count": 1 }]);
    for arguments in ["", "query: \"lantern\"", "where: {tags: {any: [\"gift\"]}}"] {
        let response = browse(&public, arguments, "facets { tags { value count } }").await;
        assert_eq!(response.at("search.facets.tags"), &all, "{arguments}");
    }
    let dear = browse(
        &public,
        "where: {price: {gte: 10}, tags: {any: [\"gift\"]}}",
        "facets { tags { value count } brands { count } }",
    )
    .await;
    assert_eq!(
        dear.at("search.facets.tags"),
        &json!([{ "value": "Vegan", "count": 2 }, { "value": "Gift", "count": 1 }])
    );
    assert_eq!(dear.at("search.facets.brands"), &json!([{ "count": 1 }]));
}

const FACETS: &str = "facets { precision categories { count category { name } } brands { count brand { name } }
    websites { count website { code } } prices { min { amount currency } max { amount } count } ratings { value count }
    availability { value count } options { name values { value count } } onSale }";

/// Returns the values of a facet with their counts.
fn counts(facets: &Value, facet: &str, of: &str, field: &str) -> Vec<String> {
    let values = facets[facet].as_array().expect("values");
    values.iter().map(|it| format!("{} {}", it[of][field].as_str().expect("a name"), it["count"])).collect()
}

#[tokio::test]
async fn facets_count_all_products_that_match_the_other_filters() {
    let app = TestApp::new().await;
    shop(&app).await;
    let public = app.anonymous();
    let facets = async |filter: &str| -> Value {
        browse(&public, &format!("where: {{{filter}}}"), FACETS).await.at("search.facets").clone()
    };
    let categories = |facets: &Value| counts(facets, "categories", "category", "name");
    let brands = |facets: &Value| counts(facets, "brands", "brand", "name");
    let websites = |facets: &Value| counts(facets, "websites", "website", "code");
    let (lighting, garden, wick) = (nth_id::<CategoryId>(2), nth_id::<CategoryId>(3), nth_id::<BrandId>(1));

    let whole = facets("").await;
    assert_eq!(whole["precision"], "EXACT");
    assert_eq!(categories(&whole), ["Home 4", "Lighting 2", "Garden 2"]);
    assert_eq!(brands(&whole), ["Wick 2", "Tallow 1"]);
    assert_eq!(websites(&whole), ["sailor 4", "rise 1"]);
    assert_eq!(whole["ratings"], json!([{ "value": 3, "count": 1 }, { "value": 4, "count": 1 }]));
    assert_eq!(
        whole["availability"],
        json!([{ "value": "IN_STOCK", "count": 4 }, { "value": "OUT_OF_STOCK", "count": 1 }])
    );
    let sizes = json!([{ "name": "Size", "values": [{ "value": "L", "count": 1 }, { "value": "S", "count": 1 }] }]);
    assert_eq!(whole["options"], sizes);
    assert_eq!(whole["onSale"], 2);
    let first = json!({ "min": { "amount": "5.00", "currency": "EUR" }, "max": { "amount": "5.00" }, "count": 1 });
    assert_eq!(
        (whole["prices"].as_array().map(Vec::len), &whole["prices"][0]),
        (Some(4), &first),
        "the last fifth has two"
    );

    let of_lighting = facets(&format!("category: {{eq: {lighting:?}}}")).await;
    assert_eq!(categories(&of_lighting), categories(&whole), "the facet ignores its own filter");
    assert_eq!(brands(&of_lighting), ["Wick 2"]);
    assert_eq!(websites(&of_lighting), ["sailor 2"]);
    assert_eq!((&of_lighting["options"], &of_lighting["onSale"]), (&sizes, &json!(1)));

    // Each of the filters by category, brand and sale is ignored by its own facet only.
    let several = facets(&format!("category: {{eq: {lighting:?}}}, brand: {{eq: {wick:?}}}, isOnSale: true")).await;
    assert_eq!(categories(&several), ["Home 1", "Lighting 1"]);
    assert_eq!(brands(&several), ["Wick 1"]);
    assert_eq!(several["onSale"], 1);
    assert_eq!(several["ratings"], json!([{ "value": 4, "count": 1 }]));

    // Conditions that no index finds are applied to the counted products.
    let in_stock = facets(&format!("category: {{eq: {garden:?}}}, availability: {{eq: IN_STOCK}}")).await;
    assert_eq!(categories(&in_stock), ["Home 3", "Lighting 2", "Garden 1"]);
    assert_eq!((brands(&in_stock).len(), &in_stock["onSale"]), (0, &json!(0)));
    assert_eq!(
        in_stock["availability"],
        json!([{ "value": "IN_STOCK", "count": 1 }, { "value": "OUT_OF_STOCK", "count": 1 }])
    );
    let small = facets("options: [{name: \"Size\", in: [\"S\"]}], price: {lte: \"15\"}").await;
    assert_eq!(small["options"][0]["values"], json!([{ "value": "S", "count": 1 }]), "filtered only by price");
    assert_eq!((brands(&small), small["prices"].as_array().map(Vec::len)), (vec!["Wick 1".to_owned()], Some(1)));
    assert_eq!(facets("sourceWebsite: {code: \"rise\"}").await["prices"][0]["min"]["amount"], "40.00");

    let empty = facets(&format!("category: {{eq: {:?}}}", nth_id::<CategoryId>(4))).await;
    assert_eq!((&empty["brands"], &empty["prices"], &empty["onSale"]), (&json!([]), &json!([]), &json!(0)));
    assert_eq!(categories(&empty), categories(&whole));
}

#[tokio::test]
async fn small_category_of_a_large_shop_is_counted_exactly() {
    let app = TestApp::new().await;
    // The products of the small category are the last ones, after more than facets count.
    let script = "
        INSERT INTO websites (id, code, name, base_url, currency) VALUES (BASE, 'sailor', 'Sailor', 'https://s.example', 'EUR');
        INSERT INTO categories (id, name, slug) VALUES (BASE + 1, 'Large', 'large'), (BASE + 2, 'Small', 'small');
        INSERT INTO brands (id, name, slug) VALUES (BASE + 1, 'Wick', 'wick'), (BASE + 2, 'Tallow', 'tallow');
        INSERT INTO products (id, source_website_id, sku, slug, name, price, category_id, brand_id)
            SELECT BASE + i, BASE, 'L-' || i, 'l-' || i, 'Lantern', i % 3, BASE + CASE WHEN i > 10200 THEN 2 ELSE 1 END, BASE + 1 + i % 2
            FROM generate_series(1, 10600) i;";
    app.bulk_insert(&script.replace("BASE", &BASE.to_string())).await;
    let public = app.anonymous();
    let (small, wick) = (nth_id::<CategoryId>(2), nth_id::<BrandId>(1));
    let fields = "totalCount { value precision } facets { precision brands { count } availability { count } }";
    let of_small = browse(&public, &format!("where: {{category: {{eq: {small:?}}}}}"), fields).await;
    assert_eq!(of_small.at("search.totalCount"), &json!({ "value": 400, "precision": "EXACT" }));
    let exact = json!({ "precision": "EXACT", "brands": [{ "count": 200 }, { "count": 200 }], "availability": [{ "count": 400 }] });
    assert_eq!(of_small.at("search.facets"), &exact);
    let both =
        format!("where: {{category: {{eq: {small:?}}}, brand: {{eq: {wick:?}}}, availability: {{eq: OUT_OF_STOCK}}}}");
    let of_both = browse(&public, &both, fields).await;
    assert_eq!(of_both.at("search.totalCount"), &json!({ "value": 200, "precision": "EXACT" }));
    assert_eq!(of_both.at("search.facets.brands"), &exact["brands"]);
    // Only the facet of the categories needs the products of the others.
    let categories = browse(
        &public,
        &format!("where: {{category: {{eq: {small:?}}}}}"),
        "facets { precision categories { count } }",
    )
    .await;
    assert_eq!(categories.at("search.facets.precision"), "AT_LEAST");
    let whole = browse(&public, "", fields).await;
    assert_eq!(whole.at("search.totalCount"), &json!({ "value": 10_000, "precision": "AT_LEAST" }));
    assert_eq!(whole.at("search.facets.precision"), "AT_LEAST");
}

#[tokio::test]
async fn types_without_products_find_nothing_and_take_no_statement() {
    let app = TestApp::new().await;
    shop(&app).await;
    let manager = app.manager().await;
    for types in ["types: []", "types: [CATEGORY]", "types: [CATEGORY, BRAND, SUPPLIER]"] {
        let response = browse(&manager, types, &format!("{NAMES} facets {{ precision brands {{ count }} }}")).await;
        let nothing = json!({ "totalCount": { "value": 0, "precision": "EXACT" }, "nodes": [], "facets": { "precision": "EXACT", "brands": [] } });
        assert_eq!(response.at("search"), &nothing, "{types}");
        assert!(response.sql.is_empty(), "{types}: {:#?}", response.sql);
    }
}

#[tokio::test]
async fn category_page_takes_the_same_statements_for_any_number_of_products() {
    let app = TestApp::builder().cache_bytes(0).build().await;
    shop(&app).await;
    let everything = format!("{NAMES} edges {{ snippet }} {FACETS}");
    // The subcategories, the page, the count and the facets; the products, and the categories, brands and websites of
    // the facets.
    for (category, found) in [(1, "BECA"), (3, "EC")] {
        let id = nth_id::<CategoryId>(category);
        let arguments = format!("where: {{category: {{eq: {id:?}, includeDescendants: true}}}}");
        let response = browse(&app.anonymous(), &arguments, &everything).await;
        assert_eq!((skus(&response).as_str(), response.statements()), (found, 8), "{:#?}", response.sql);
    }
}

#[tokio::test]
async fn browsing_is_not_recorded() {
    let app = TestApp::new().await;
    shop(&app).await;
    let visitor = app.anonymous().with_visitor("a-visitor-of-this-test");
    for arguments in ["", "query: \" \"", "where: {isOnSale: true}", "types: [BRAND]"] {
        assert_eq!(browse(&visitor, arguments, "searchId").await.at("search.searchId"), &Value::Null, "{arguments}");
    }
    browse(&visitor, "query: \"rope\"", "searchId").await.text_at("search.searchId");
    app.services.search_recorder.flush().await;
    assert_eq!(app.database.rows("SELECT query FROM searches").await, ["(rope)"]);
}

#[tokio::test]
async fn changes_are_browsable_immediately() {
    let app = TestApp::new().await;
    shop(&app).await;
    let (public, manager) = (app.anonymous(), app.manager().await);
    let id = |i: i64| nth_id::<souk::ids::ProductId>(i);
    manager.mutate("productDelete", "", json!({ "id": id(2) })).await.at("productDelete");
    manager.mutate("productUpdate", "", json!({ "id": id(6), "isActive": true })).await.at("productUpdate");
    assert_eq!(found(&public, "").await, "EFDCA");
    assert_eq!(found(&public, "orderBy: {field: NEWEST}").await, "FEDCA");
    manager.mutate("productUpdate", "", json!({ "id": id(4), "price": "50" })).await.at("productUpdate");
    assert_eq!(found(&public, "where: {isOnSale: true}").await, "FA");
}
