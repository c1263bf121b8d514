//! Prices and total amounts are filtered and sorted within one currency only.

use serde_json::json;
use souk::ids::{BrandId, RowId, UserId, WebsiteId};

use crate::support::{
    Actor, ProductSpec, TestApp, TestResponse,
    bulk::{BASE, nth_id},
};

/// Inserts websites with prices in euros (two of them) and in yen, each with two products of one brand and two orders of
/// a customer.
async fn shop(app: &TestApp) {
    let script = "
        INSERT INTO websites (id, code, name, base_url, currency) VALUES (BASE + 1, 'sailor', 'Sailor', 'https://s.example', 'EUR'),
            (BASE + 2, 'rise', 'Rise', 'https://r.example', 'EUR'), (BASE + 3, 'umi', 'Umi', 'https://u.example', 'JPY');
        INSERT INTO brands (id, name, slug) VALUES (BASE + 1, 'Wick', 'wick');
        INSERT INTO product_groups (id, source_website_id, name, slug, varies_by) VALUES (BASE + 1, BASE + 3, 'Umi', 'umi', '{Size}');
        INSERT INTO products (id, source_website_id, sku, slug, name, brand_id, price, group_id, option_values) VALUES
            (BASE + 1, BASE + 1, 'A', 'a', 'Lantern', BASE + 1, 10, NULL, '{}'), (BASE + 2, BASE + 1, 'B', 'b', 'Lantern', BASE + 1, 30, NULL, '{}'),
            (BASE + 3, BASE + 2, 'C', 'c', 'Lantern', BASE + 1, 20, NULL, '{}'), (BASE + 4, BASE + 2, 'D', 'd', 'Lantern', BASE + 1, 40, NULL, '{}'),
            (BASE + 5, BASE + 3, 'E', 'e', 'Lantern', BASE + 1, 25, BASE + 1, '{S}'), (BASE + 6, BASE + 3, 'F', 'f', 'Lantern', BASE + 1, 15, BASE + 1, '{L}');
        INSERT INTO users (id, name, email, role_id) SELECT BASE + 1, 'Ada', 'ada@souk.example', id FROM roles WHERE code = 'customer';
        INSERT INTO orders (id, user_id, source_website_id, order_number, status, placed_at) VALUES
            (BASE + 1, BASE + 1, BASE + 1, '1', 'confirmed', now()), (BASE + 2, BASE + 1, BASE + 2, '2', 'confirmed', now()),
            (BASE + 3, BASE + 1, BASE + 3, '3', 'confirmed', now());
        INSERT INTO order_details (order_id, product_id, name, sku, quantity, unit_price) VALUES
            (BASE + 1, BASE + 1, 'x', 'A', 1, 10), (BASE + 2, BASE + 3, 'x', 'C', 1, 20), (BASE + 3, BASE + 5, 'x', 'E', 1, 15);";
    app.bulk_insert(&script.replace("BASE", &BASE.to_string())).await;
}

/// The fields of lists: the field with its arguments in place of `ARGUMENTS`, the path of its nodes, and the field that
/// names a node.
const PRODUCT_LISTS: &[(&str, &str)] = &[
    ("{ products(ARGUMENTS) { nodes { sku } } }", "products"),
    ("{ search(ARGUMENTS) { nodes { ... on Product { sku } } } }", "search"),
    ("{ search(query: \"lantern\", types: [PRODUCT], ARGUMENTS) { nodes { ... on Product { sku } } } }", "search"),
    ("{ brands { nodes { products(ARGUMENTS) { nodes { sku } } } } }", "brands.nodes.0.products"),
];

/// Returns the values of a field of the nodes, in order.
fn names(response: &TestResponse, path: &str, field: &str) -> String {
    let nodes = response.at(&format!("{path}.nodes")).as_array().expect("nodes");
    nodes.iter().map(|node| node[field].as_str().expect("a name")).collect()
}

async fn list(actor: &Actor<'_>, document: &str, arguments: &str) -> TestResponse {
    actor.run(&document.replace("ARGUMENTS", arguments)).await
}

#[tokio::test]
async fn prices_in_several_currencies_are_neither_filtered_nor_sorted() {
    let app = TestApp::new().await;
    shop(&app).await;
    let public = app.anonymous();
    let (sailor, umi) = (nth_id::<WebsiteId>(1), nth_id::<WebsiteId>(3));
    let of_both = format!("sourceWebsite: {{in: [{sailor:?}, {umi:?}]}}");
    let sorted = "where.price.currency is required to sort by price because the products have prices in several currencies: EUR, JPY";
    let filtered = "where.price.currency is required because the products have prices in several currencies: EUR, JPY";
    for (document, _) in PRODUCT_LISTS {
        for (arguments, message) in [
            ("orderBy: {field: PRICE}".to_owned(), sorted),
            (format!("where: {{{of_both}}}, orderBy: {{field: PRICE}}"), sorted),
            ("where: {price: {lte: \"20\"}}".to_owned(), filtered),
            (format!("where: {{{of_both}, price: {{gte: \"20\"}}}}"), filtered),
        ] {
            let response = list(&public, document, &arguments).await;
            let error = &response.json["errors"][0];
            assert_eq!(
                (response.code(), &error["message"]),
                ("BAD_USER_INPUT", &json!(message)),
                "{document} {arguments}"
            );
            let extensions = &error["extensions"];
            assert_eq!(
                (&extensions["rule"], &extensions["field"]),
                (&json!("REQUIRED"), &json!("where.price.currency"))
            );
        }
    }
    // At any depth.
    for filter in [
        "or: [{price: {lte: \"20\"}}, {sku: {eq: \"E\"}}]",
        "not: {price: {lte: \"20\"}}",
        "or: [{sourceWebsite: {code: \"umi\"}}, {price: {lte: \"20\"}}]",
        "and: [{or: [{price: {lte: \"20\"}}]}]",
    ] {
        let response = list(&public, PRODUCT_LISTS[0].0, &format!("where: {{{filter}}}")).await;
        assert_eq!(response.json["errors"][0]["extensions"]["field"], "where.price.currency", "{filter}");
    }
}

#[tokio::test]
async fn currency_is_given_or_determined_by_the_websites() {
    let app = TestApp::new().await;
    shop(&app).await;
    let public = app.anonymous();
    let website = |i: i64| nth_id::<WebsiteId>(i);
    let by_price = "orderBy: {field: PRICE}";
    for (filter, expected) in [
        ("price: {currency: \"EUR\"}".to_owned(), "ACBD"),
        ("price: {currency: \"EUR\", gte: \"15\", lte: \"30\"}".into(), "CB"),
        ("price: {currency: \"JPY\", gte: \"20\"}".into(), "E"),
        ("price: {currency: \"GBP\", gte: \"1\"}".into(), ""),
        (format!("sourceWebsite: {{eq: {:?}}}, price: {{lte: \"20\"}}", website(3)), "F"),
        ("sourceWebsite: {code: \"umi\"}, price: {lte: \"20\"}".into(), "F"),
        ("sourceWebsite: {code: \" umi \"}".into(), "FE"),
        (format!("sourceWebsite: {{in: [{:?}, {:?}]}}, price: {{gte: \"20\"}}", website(1), website(2)), "CBD"),
        (
            format!(
                "sourceWebsite: {{in: [{:?}, {:?}]}}, price: {{currency: \"EUR\", gte: \"15\"}}",
                website(1),
                website(3)
            ),
            "B",
        ),
        // No website: no price.
        ("sourceWebsite: {code: \"nowhere\"}, price: {lte: \"20\"}".into(), ""),
        (format!("sourceWebsite: {{eq: {:?}}}", website(99)), ""),
        (format!("sourceWebsite: {{eq: {:?}}}, price: {{currency: \"JPY\"}}", website(1)), ""),
    ] {
        for (document, path) in PRODUCT_LISTS {
            let response = list(&public, document, &format!("where: {{{filter}}}, {by_price}")).await;
            assert_eq!(names(&response, path, "sku"), expected, "{document} {filter}");
        }
    }
    // The website is named by an enclosing condition, or in each alternative.
    for (filter, expected) in [
        ("and: [{sourceWebsite: {code: \"umi\"}}, {price: {lte: \"20\"}}]", "F"),
        ("and: [{price: {currency: \"EUR\"}}, {not: {price: {currency: \"EUR\", lte: \"20\"}}}]", "BD"),
        ("sourceWebsite: {code: \"umi\"}, or: [{price: {lte: \"20\"}}, {sku: {eq: \"E\"}}]", "FE"),
        ("sourceWebsite: {code: \"umi\"}, not: {price: {lte: \"20\"}}", "E"),
    ] {
        let response = list(&public, PRODUCT_LISTS[0].0, &format!("where: {{{filter}}}, {by_price}")).await;
        assert_eq!(names(&response, "products", "sku"), expected, "{filter}");
    }
    let each = "where: {or: [{sourceWebsite: {code: \"umi\"}, price: {lte: \"20\"}}, {price: {currency: \"EUR\", gte: \"40\"}}]}, orderBy: {field: SKU}";
    assert_eq!(names(&list(&public, PRODUCT_LISTS[0].0, each).await, "products", "sku"), "DF");
    let text = "query ($c: CurrencyCode) { products(where: {price: {currency: $c}}) { totalCount { value } } }";
    assert_eq!(public.run_with(text, json!({ "c": "JPY" })).await.at("products.totalCount.value"), &json!(2));
    assert_eq!(public.run_with(text, json!({ "c": "XXX" })).await.code(), "BAD_USER_INPUT");
}

#[tokio::test]
async fn products_of_a_website_or_a_group_have_one_currency() {
    let app = TestApp::new().await;
    shop(&app).await;
    let document = "{ websites { nodes { code products(where: {price: {gte: \"20\"}}, orderBy: {field: PRICE}) { nodes { sku } } } }
        productGroups { nodes { products(orderBy: {field: PRICE}) { nodes { sku } } } } }";
    let response = app.anonymous().run(document).await;
    for (path, expected) in [
        ("websites.nodes.0.products", "CD"),
        ("websites.nodes.1.products", "B"),
        ("websites.nodes.2.products", "E"),
        ("productGroups.nodes.0.products", "FE"),
    ] {
        assert_eq!(names(&response, path, "sku"), expected, "{path}");
    }
}

#[tokio::test]
async fn price_ranges_are_counted_per_currency() {
    let app = TestApp::new().await;
    shop(&app).await;
    let public = app.anonymous();
    let ranges = async |arguments: &str| -> Vec<String> {
        let fields = "facets { prices { min { amount currency } max { amount } count } }";
        let response = public.run(&format!("{{ search({arguments}) {{ {fields} }} }}")).await;
        let prices = response.at("search.facets.prices").as_array().expect("ranges").clone();
        let text = |range: &serde_json::Value| {
            let (min, max) = (&range["min"], &range["max"]["amount"]);
            let parts = [&min["currency"], &min["amount"], max].map(|part| part.as_str().expect("a text"));
            format!("{} {}", parts.join(" "), range["count"])
        };
        prices.iter().map(text).collect()
    };
    let all = [
        "EUR 10.00 10.00 1",
        "EUR 20.00 20.00 1",
        "EUR 30.00 30.00 1",
        "EUR 40.00 40.00 1",
        "JPY 15 15 1",
        "JPY 25 25 1",
    ];
    for arguments in ["query: \"\"", "query: \"lantern\"", "where: {price: {currency: \"JPY\", lte: \"20\"}}"] {
        assert_eq!(ranges(arguments).await, all, "{arguments}");
    }
    assert_eq!(ranges("where: {sourceWebsite: {code: \"umi\"}}").await, all[4..]);
}

#[tokio::test]
async fn order_totals_are_compared_within_one_currency() {
    let app = TestApp::new().await;
    shop(&app).await;
    let (admin, ada) = (app.admin().await, app.existing_user(UserId(BASE + 1), "customer").await);
    let root = ("{ orders(ARGUMENTS) { nodes { orderNumber } } }", "orders");
    let of_user = ("{ me { orders(ARGUMENTS) { nodes { orderNumber } } } }", "me.orders");
    for (actor, (document, path)) in [(&admin, root), (&ada, root), (&ada, of_user)] {
        for arguments in ["orderBy: {field: TOTAL_AMOUNT}", "where: {totalAmount: {gte: \"12\"}}"] {
            let response = list(actor, document, arguments).await;
            assert_eq!(response.json["errors"][0]["extensions"]["field"], "where.totalAmount.currency", "{arguments}");
            let message = response.json["errors"][0]["message"].as_str().expect("a message");
            assert!(message.ends_with("because the orders have amounts in several currencies: EUR, JPY"), "{message}");
        }
        for (filter, expected) in [
            ("totalAmount: {currency: \"EUR\"}", "12"),
            ("totalAmount: {currency: \"EUR\", gte: \"12\"}", "2"),
            ("sourceWebsite: {code: \"umi\"}, totalAmount: {gte: \"12\"}", "3"),
        ] {
            let arguments = format!("where: {{{filter}}}, orderBy: {{field: TOTAL_AMOUNT}}");
            assert_eq!(names(&list(actor, document, &arguments).await, path, "orderNumber"), expected, "{filter}");
        }
    }
    let nested = "{ websites { nodes { orders(orderBy: {field: TOTAL_AMOUNT}) { nodes { orderNumber } } } } }";
    assert_eq!(names(&admin.run(nested).await, "websites.nodes.2.orders", "orderNumber"), "3");
}

#[tokio::test]
async fn currencies_take_at_most_one_statement() {
    let app = TestApp::new().await;
    shop(&app).await;
    let script = "INSERT INTO brands (id, name, slug) SELECT BASE + i, 'Maker ' || i, 'maker-' || i FROM generate_series(2, 30) i;";
    app.bulk_insert(&script.replace("BASE", &BASE.to_string())).await;
    let public = app.anonymous();
    let (sailor, wick) = (nth_id::<WebsiteId>(1), nth_id::<BrandId>(1));
    for (document, statements) in [
        (format!("{{ products(where: {{sourceWebsite: {{eq: {sailor:?}}}}}, orderBy: {{field: PRICE}}) {{ nodes {{ sku }} }} }}"), 1),
        ("{ products(where: {sourceWebsite: {code: \"sailor\"}}, orderBy: {field: PRICE}) { nodes { sku } } }".to_owned(), 2),
        ("{ products(where: {price: {currency: \"EUR\", lte: \"20\"}}) { nodes { sku } } }".to_owned(), 2),
        (format!("{{ products(where: {{brand: {{eq: {wick:?}}}}}) {{ nodes {{ sku }} }} }}"), 1),
        ("{ brands(first: 50) { nodes { products(where: {price: {currency: \"EUR\"}}, orderBy: {field: PRICE}) { nodes { sku } } } } }".to_owned(), 3),
    ] {
        let response = public.run(&document).await;
        assert_eq!(response.statements(), statements, "{document} {:#?}", response.sql);
    }
}

#[tokio::test]
async fn websites_with_the_same_currency_need_no_choice() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await;
    app.website("rise").await;
    let public = app.anonymous();
    let empty = public
        .run("{ products(where: {price: {lte: \"20\"}}, orderBy: {field: PRICE}) { totalCount { value } } }")
        .await;
    assert_eq!(empty.at("products.totalCount.value"), &json!(0));
    // A website with another currency counts from its first product, on a server that did not create it, too.
    app.database
        .sql("INSERT INTO websites (code, name, base_url, currency) VALUES ('umi', 'Umi', 'https://u.example', 'JPY')")
        .await;
    app.product(website.id, ProductSpec::default()).await;
    let sorted = public.run("{ products(orderBy: {field: PRICE}) { totalCount { value } } }").await;
    assert_eq!(sorted.at("products.totalCount.value"), &json!(1), "no product has a price in yen");
    app.database
        .sql(
            "INSERT INTO products (source_website_id, name, slug, sku, price)
                SELECT id, 'Umi', 'umi', 'U', 100 FROM websites WHERE code = 'umi'",
        )
        .await;
    let no_bounds = "{ products(where: {price: {gte: null, lte: null}}) { totalCount { value } } }";
    assert_eq!(public.run(no_bounds).await.at("products.totalCount.value"), &json!(2), "no condition");
    let refused = public.run("{ products(orderBy: {field: PRICE}) { totalCount { value } } }").await;
    assert_eq!(refused.json["errors"][0]["extensions"]["field"], "where.price.currency");
    let id = website.id.to_global_id();
    let of_website = format!(
        "{{ products(where: {{sourceWebsite: {{eq: {id:?}}}}}, orderBy: {{field: PRICE}}) {{ totalCount {{ value }} }} }}"
    );
    assert_eq!(public.run(&of_website).await.at("products.totalCount.value"), &json!(1));
}
