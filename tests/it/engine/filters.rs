//! Filters: every operator of every list. A condition and its negation partition the rows, nulls included.

use std::collections::BTreeSet;

use serde_json::json;
use souk::ids::{BrandId, CategoryId, OrderId, ProductId, RoleId, RowId, SupplierId, UserId, WebsiteId};

use super::filter_rows::shop;
use crate::support::{
    Actor, TestApp,
    bulk::{BASE, nth_id},
};

/// Conditions on products, and the SKUs that match.
const PRODUCTS: &[(&str, &str)] = &[
    ("id: {eq: PRODUCT1}", "a"),
    ("id: {in: [PRODUCT1, PRODUCT3, PRODUCT9]}", "ac"),
    ("id: {in: []}", ""),
    ("id: {isNull: true}", ""),
    ("id: {isNull: false}", "abcd"),
    ("id: {eq: PRODUCT1, in: [PRODUCT3]}", ""),
    ("name: {eq: \"Red Lantern\"}", "a"),
    ("name: {eq: \"red lantern\"}", ""),
    ("name: {in: [\"Red Lantern\", \"nothing\"]}", "a"),
    ("name: {isNull: true}", ""),
    ("name: {contains: \"red\"}", "ad"),
    ("name: {contains: \"\"}", "abcd"),
    ("name: {contains: \"%\"}", "b"),
    ("name: {contains: \"50% off_l\"}", "b"),
    ("name: {contains: \"off_lamp\"}", "b"),
    ("name: {contains: \"\\\\\"}", "c"),
    ("name: {contains: \"c:\\\\temp\"}", "c"),
    ("name: {contains: \"\\\"x\\\" it's\"}", "c"),
    ("name: {contains: \"' OR 1=1 --\"}", ""),
    ("name: {contains: \"\\\\%\"}", ""),
    ("name: {contains: \"ÜBER\"}", "d"),
    ("name: {startsWith: \"red\"}", "a"),
    ("name: {startsWith: \"lantern\"}", ""),
    ("name: {startsWith: \"50% OFF_\"}", "b"),
    ("name: {startsWith: \"%\"}", ""),
    ("name: {startsWith: \"c:\\\\\"}", "c"),
    ("name: {startsWith: \"ü\", contains: \"lamp\"}", "d"),
    ("barcode: {startsWith: \"1\"}", "a"),
    ("sku: {eq: \"b\"}", "b"),
    ("sku: {in: [\"b\", \"c\"]}", "bc"),
    ("sku: {contains: \"B\"}", "b"),
    ("barcode: {eq: \"111\"}", "a"),
    ("barcode: {in: [\"111\", \"222\"]}", "ab"),
    ("barcode: {contains: \"2\"}", "b"),
    ("barcode: {contains: \"\"}", "ab"),
    ("barcode: {isNull: true}", "cd"),
    ("barcode: {isNull: false}", "ab"),
    ("barcode: {isNull: true, eq: \"111\"}", ""),
    ("price: {eq: \"10\"}", "b"),
    ("price: {eq: 10}", "b"),
    ("price: {gte: \"10.00\"}", "bcd"),
    ("price: {lte: \"10.50\"}", "abc"),
    ("price: {gte: \"10\", lte: \"10.499\"}", "b"),
    ("price: {gte: \"79228162514264337593543950335\"}", ""),
    ("stock: {eq: 0}", "cd"),
    ("stock: {gte: 3}", "ab"),
    ("stock: {lte: 3}", "acd"),
    ("availability: {eq: OUT_OF_STOCK}", "cd"),
    ("availability: {in: [OUT_OF_STOCK, LOW_STOCK]}", "acd"),
    ("availability: {eq: IN_STOCK}", "b"),
    ("availability: {in: []}", ""),
    ("not: {availability: {eq: LOW_STOCK}}", "bcd"),
    ("category: {eq: CATEGORY1}", "a"),
    ("category: {in: [CATEGORY1, CATEGORY2]}", "ab"),
    ("category: {eq: CATEGORY1, includeDescendants: true}", "ab"),
    ("category: {in: [CATEGORY2], includeDescendants: true}", "b"),
    ("category: {in: [], includeDescendants: true}", ""),
    ("category: {eq: CATEGORY1, in: [CATEGORY2], includeDescendants: true}", "b"),
    ("category: {isNull: true}", "cd"),
    ("category: {isNull: false}", "ab"),
    ("brand: {eq: BRAND2}", "b"),
    ("brand: {in: [BRAND2]}", "b"),
    ("brand: {isNull: true}", "cd"),
    ("supplier: {eq: SUPPLIER1}", "a"),
    ("supplier: {in: [SUPPLIER1, SUPPLIER2]}", "ac"),
    ("supplier: {isNull: true}", "bd"),
    ("seller: {eq: USER3}", "a"),
    ("seller: {in: [USER3]}", "a"),
    ("seller: {isNull: true}", "bcd"),
    ("sourceWebsite: {eq: WEBSITE2}", "cd"),
    ("sourceWebsite: {in: [WEBSITE1, WEBSITE2]}", "abcd"),
    ("sourceWebsite: {isNull: true}", ""),
    ("sourceWebsite: {code: \"miner\"}", "cd"),
    ("sourceWebsite: {code: \" miner \", in: [WEBSITE1]}", ""),
    ("sourceWebsite: {code: \"nowhere\"}", ""),
    ("hasImages: true", "a"),
    ("hasImages: false", "bcd"),
    ("isActive: false", "d"),
    ("isActive: true", "abc"),
    ("createdAt: {gte: \"2026-01-02T00:00:00Z\"}", "bcd"),
    ("createdAt: {lte: \"2026-01-02T00:00:00Z\"}", "ab"),
    ("createdAt: {gte: \"2026-01-02T01:00:00+01:00\", lte: \"2026-01-03T00:00:00Z\"}", "bc"),
    // Several fields are combined with AND, also with nested conditions.
    ("price: {gte: \"10\"}, isActive: true", "bc"),
    ("and: [{price: {gte: \"10\"}}, {barcode: {isNull: true}}]", "cd"),
    ("or: [{sku: {eq: \"a\"}}, {sku: {eq: \"d\"}}]", "ad"),
    ("or: [{sku: {eq: \"a\"}}, {sku: {eq: \"b\"}}], brand: {eq: BRAND2}", "b"),
    ("or: [{and: [{price: {lte: \"5\"}}, {stock: {eq: 3}}]}, {not: {category: {isNull: true}}, stock: {eq: 7}}]", "ab"),
    ("not: {or: [{brand: {eq: BRAND1}}, {barcode: {eq: \"222\"}}]}", "cd"),
    ("not: {and: [{brand: {eq: BRAND1}}, {barcode: {eq: \"111\"}}]}", "bcd"),
    ("not: {not: {not: {barcode: {contains: \"1\"}}}}", "bcd"),
    ("and: []", "abcd"),
    ("or: []", ""),
    ("not: {}", ""),
    ("", "abcd"),
];

const ORDERS: &[(&str, &str)] = &[
    ("id: {in: [ORDER1, ORDER2]}", "12"),
    ("orderNumber: {eq: \"S-1\"}", "1"),
    ("orderNumber: {in: [\"S-1\", \"M_3\"]}", "13"),
    ("orderNumber: {contains: \"_\"}", "3"),
    ("orderNumber: {contains: \"s-\"}", "12"),
    ("status: {eq: PENDING}", "1"),
    ("status: {in: [PENDING, CANCELLED]}", "13"),
    ("status: {in: []}", ""),
    ("status: {eq: PENDING, in: [SHIPPED]}", ""),
    ("paymentStatus: {eq: PENDING}", "1"),
    ("paymentStatus: {in: [PAID, NONE]}", "23"),
    ("paymentStatus: {in: []}", ""),
    ("contactEmail: {eq: \"ADA@souk.EXAMPLE\"}", "1"),
    ("contactEmail: {in: [\"ada@souk.example\", \"nobody@souk.example\"]}", "1"),
    ("contactEmail: {contains: \"SOUK\"}", "13"),
    ("contactEmail: {contains: \"_100%\"}", "3"),
    ("contactEmail: {isNull: true}", "2"),
    ("contactEmail: {startsWith: \"MO_\"}", "3"),
    ("contactEmail: {startsWith: \"souk\"}", ""),
    ("contactName: {eq: \"Ada Lovelace\"}", "1"),
    ("contactName: {contains: \"LOVE\"}", "1"),
    ("contactName: {startsWith: \"m\"}", "3"),
    ("contactName: {isNull: true}", "2"),
    ("shippingCountry: {in: [\"DE\", \"FR\"]}", "1"),
    ("shippingCountry: {in: [\"gb\", \" de \"]}", "13"),
    ("shippingCountry: {eq: \"gb\"}", "3"),
    ("product: {eq: PRODUCT1}", "1"),
    ("product: {in: [PRODUCT1, PRODUCT2, PRODUCT3]}", "13"),
    ("product: {isNull: true}", "2"),
    ("product: {isNull: false}", "13"),
    ("user: {eq: USER1}", "1"),
    ("user: {in: [USER1, USER2]}", "13"),
    ("user: {isNull: true}", "2"),
    ("user: {isNull: false}", "13"),
    ("sourceWebsite: {eq: WEBSITE2}", "3"),
    ("sourceWebsite: {code: \"sailor\"}", "12"),
    ("updatedAt: {gte: \"2000-01-01T00:00:00Z\"}", "123"),
    ("updatedAt: {gte: \"2999-01-01T00:00:00Z\"}", ""),
    ("totalAmount: {eq: \"10\"}", "1"),
    ("totalAmount: {gte: \"10\"}", "13"),
    ("totalAmount: {lte: \"10.49\"}", "12"),
    ("placedAt: {gte: \"2026-01-02T00:00:00Z\"}", "23"),
    ("placedAt: {lte: \"2026-01-02T00:00:00Z\"}", "12"),
];

const USERS: &[(&str, &str)] = &[
    ("id: {eq: USER1}", "a"),
    ("name: {eq: \"Bo\"}", "o"),
    ("name: {contains: \"E\"}", "m"),
    ("email: {eq: \"ADA@souk.EXAMPLE\"}", "a"),
    ("email: {in: [\"ada@souk.example\", \"nobody@souk.example\"]}", "a"),
    ("email: {contains: \"SOUK\"}", "am"),
    ("email: {contains: \"_100%\"}", "m"),
    ("email: {startsWith: \"CEM_\"}", "m"),
    ("email: {isNull: true}", "o"),
    ("email: {isNull: false}", "am"),
    ("role: {eq: ROLE3}", "m"),
    ("role: {eq: \"seller\"}", "m"),
    ("role: {in: [\"customer\", ROLE3]}", "amo"),
    ("role: {eq: \"seller\", in: [ROLE3, \"admin\"]}", "m"),
    ("sourceWebsite: {eq: WEBSITE1}", "a"),
    ("sourceWebsite: {code: \"sailor\"}", "a"),
    ("sourceWebsite: {isNull: true}", "o"),
    ("isActive: false", "m"),
    ("createdAt: {gte: \"2026-01-02T00:00:00Z\", lte: \"2026-01-02T00:00:00Z\"}", "o"),
];

const CATEGORIES: &[(&str, &str)] = &[
    ("id: {eq: CATEGORY2}", "s"),
    ("name: {contains: \"LAMP\"}", "s"),
    ("slug: {eq: \"light\"}", "t"),
    ("slug: {in: [\"light\", \"lamps\"]}", "st"),
    ("parent: {isNull: true}", "t"),
    ("parent: {isNull: false}", "s"),
    ("parent: {eq: CATEGORY1}", "s"),
    ("parent: {in: [CATEGORY1, CATEGORY2]}", "s"),
    ("ancestor: {eq: CATEGORY1}", "s"),
    ("ancestor: {in: [CATEGORY1, CATEGORY2]}", "s"),
    ("ancestor: {eq: CATEGORY2}", ""),
];

const BRANDS: &[(&str, &str)] = &[
    ("id: {in: [BRAND1, BRAND2]}", "ef"),
    ("name: {eq: \"Acme\"}", "e"),
    ("name: {contains: \"0%_o\"}", "f"),
    ("slug: {contains: \"ACM\"}", "e"),
];

const SUPPLIERS: &[(&str, &str)] =
    &[("id: {eq: SUPPLIER1}", "t"), ("name: {contains: \"o'n\"}", "l"), ("name: {in: [\"Depot\"]}", "t")];

/// Replaces names of rows with their ids.
fn with_ids(text: &str) -> String {
    (1..=9).fold(text.to_owned(), |text, i| {
        let names = [
            ("PRODUCT", nth_id::<ProductId>(i)),
            ("CATEGORY", nth_id::<CategoryId>(i)),
            ("BRAND", nth_id::<BrandId>(i)),
            ("SUPPLIER", nth_id::<SupplierId>(i)),
            ("WEBSITE", nth_id::<WebsiteId>(i)),
            ("ORDER", nth_id::<OrderId>(i)),
            ("USER", nth_id::<UserId>(i)),
            ("ROLE", RoleId(i).to_global_id()),
        ];
        names.iter().fold(text, |text, (name, id)| text.replace(&format!("{name}{i}"), &format!("{id:?}")))
    })
}

/// Returns the last characters of a field of the matching rows, sorted.
async fn find(actor: &Actor<'_>, list: &str, field: &str, condition: &str) -> BTreeSet<char> {
    let document = format!(
        "{{ {list}(first: 100, where: {{{}}}) {{ totalCount {{ value }} nodes {{ {field} }} }} }}",
        with_ids(condition)
    );
    let response = actor.run(&document).await;
    let nodes = response.at(&format!("{list}.nodes")).as_array().expect("nodes");
    assert_eq!(response.at(&format!("{list}.totalCount.value")), &json!(nodes.len()), "{condition}");
    nodes.iter().map(|node| node[field].as_str().and_then(|text| text.chars().last()).expect("a text")).collect()
}

#[tokio::test]
async fn every_filter_operator_and_its_negation_partition_the_rows() {
    let app = TestApp::new().await;
    shop(&app).await;
    // Only the three users of the shop.
    let manager = app.existing_user(UserId(BASE + 1), "admin").await;
    let lists = [
        ("products", "sku", PRODUCTS),
        ("orders", "orderNumber", ORDERS),
        ("users", "name", USERS),
        ("categories", "name", CATEGORIES),
        ("brands", "name", BRANDS),
        ("suppliers", "name", SUPPLIERS),
    ];
    for (list, field, cases) in lists {
        let all = find(&manager, list, field, "").await;
        for (condition, expected) in cases {
            let expected: BTreeSet<char> = expected.chars().collect();
            assert_eq!(find(&manager, list, field, condition).await, expected, "{list} where {condition}");
            let opposite = find(&manager, list, field, &format!("not: {{{condition}}}")).await;
            let rest: BTreeSet<char> = all.difference(&expected).copied().collect();
            assert_eq!(opposite, rest, "{list} where not {condition}");
        }
    }
}

#[tokio::test]
async fn filters_never_reveal_hidden_rows() {
    let app = TestApp::new().await;
    shop(&app).await;
    let public = app.anonymous();
    assert!(find(&public, "products", "sku", "isActive: false").await.is_empty());
    assert_eq!(find(&public, "products", "sku", "or: [{isActive: false}, {sku: {eq: \"a\"}}]").await, ['a'].into());
    assert_eq!(find(&public, "products", "sku", "not: {sku: {eq: \"a\"}}").await, ['b', 'c'].into());
    let ada = app.existing_user(UserId(BASE + 1), "customer").await;
    for condition in ["user: {eq: USER2}", "user: {isNull: true}", "not: {user: {eq: USER1}}", "or: []"] {
        assert!(find(&ada, "orders", "orderNumber", condition).await.is_empty(), "{condition}");
    }
    assert_eq!(
        find(&ada, "orders", "orderNumber", "or: [{user: {eq: USER2}}, {not: {user: {eq: USER2}}}]").await,
        ['1'].into()
    );
    assert_eq!(find(&ada, "users", "name", "not: {name: {eq: \"nobody\"}}").await, ['a'].into());
    // The supplier filter is rejected at any depth.
    for condition in ["supplier: {isNull: true}", "not: {or: [{and: [{supplier: {eq: SUPPLIER1}}]}]}"] {
        for nested in [false, true] {
            let list = format!("products(where: {{{}}}) {{ nodes {{ id }} }}", with_ids(condition));
            let document =
                if nested { format!("{{ brands {{ nodes {{ {list} }} }} }}") } else { format!("{{ {list} }}") };
            assert_eq!(public.run(&document).await.code(), "FORBIDDEN", "{document}");
        }
    }
}

#[tokio::test]
async fn decimal_numbers_are_read_from_json_numbers_and_leap_seconds_are_rejected() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let website = app.website("sailor").await.id.to_global_id();
    for (sku, price, expected) in [("a", json!(5.5), "5.50"), ("b", json!(5), "5.00"), ("c", json!("5.50"), "5.50")] {
        let input = json!({ "sourceWebsiteId": website, "name": "Rope", "sku": sku, "price": price });
        let made = admin.mutate("productCreate", "product { price { amount } }", input).await;
        assert_eq!(made.text_at("productCreate.product.price.amount"), expected, "{price}");
    }
    let found = admin.run("{ products(where: { price: { eq: 5.5 } }) { nodes { sku } } }").await;
    assert_eq!(*found.at("products.nodes"), json!([{ "sku": "c" }, { "sku": "a" }]));
    for (time, is_time) in
        [("2026-11-29T00:00:59Z", true), ("2026-11-29T00:00:60Z", false), ("2016-12-31T23:59:60Z", false)]
    {
        let outcome = if is_time { serde_json::Value::Null } else { json!("BAD_USER_INPUT") };
        let literal = format!("{{ orders(where: {{ placedAt: {{ gte: {time:?} }} }}) {{ nodes {{ id }} }} }}");
        let answer = admin.run(&literal).await;
        assert_eq!(answer.json["errors"][0]["extensions"]["code"], outcome, "{literal}");
        for document in [
            "query ($t: DateTime!) { orders(where: { placedAt: { lte: $t } }) { nodes { id } } }",
            "query ($t: DateTime!) { searchAnalytics(from: $t) { searches } }",
        ] {
            let answer = admin.run_with(document, json!({ "t": time })).await;
            let code = &answer.json["errors"][0]["extensions"]["code"];
            assert!(*code == outcome || is_time, "{document} {time}: {code}");
        }
    }
}

#[tokio::test]
async fn invalid_filter_values_are_user_errors() {
    let app = TestApp::new().await;
    shop(&app).await;
    let admin = app.existing_user(UserId(BASE + 1), "admin").await;
    let conditions = |n: usize| vec!["{sku: {eq: \"a\"}}"; n].join(",");
    let ids = |n: usize| vec!["PRODUCT1"; n].join(",");
    let texts = |n: usize| vec!["\"x\""; n].join(",");
    let refused = [
        ("id: {eq: USER1}".to_owned(), "where.id.eq"),
        ("id: {in: [PRODUCT1, BRAND1]}".to_owned(), "where.id.in.1"),
        ("category: {eq: BRAND1}".to_owned(), "where.category.eq"),
        ("id: {eq: \"1\"}".to_owned(), "where.id.eq"),
        ("id: {eq: \"\"}".to_owned(), "where.id.eq"),
        (format!("id: {{in: [{}]}}", ids(101)), "where.id.in"),
        (format!("sku: {{in: [{}]}}", texts(101)), "where.sku.in"),
        (format!("availability: {{in: [{}]}}", vec!["IN_STOCK"; 101].join(",")), "where.availability.in"),
        (format!("name: {{contains: {:?}}}", "x".repeat(256)), "where.name"),
        (format!("name: {{in: [{:?}]}}", "x".repeat(256)), "where.name"),
        (format!("or: [{}]", conditions(51)), "where"),
        (format!("and: [{{or: [{}]}}, {{not: {{or: [{}]}}}}]", conditions(25), conditions(26)), "where"),
    ];
    for (condition, field) in refused {
        let response =
            admin.run(&format!("{{ products(where: {{{}}}) {{ nodes {{ id }} }} }}", with_ids(&condition))).await;
        assert_eq!(response.code(), "BAD_USER_INPUT", "{condition}");
        assert_eq!(response.json["errors"][0]["extensions"]["field"], field, "{condition}");
    }
    for condition in [
        "price: {eq: \"ten\"}",
        "price: {gte: true}",
        "price: {gte: \"1e400\"}",
        "stock: {eq: 2147483648}",
        "createdAt: {gte: \"yesterday\"}",
        "createdAt: {gte: \"-262143-01-01T00:00:00Z\"}",
        "name: {eq: \"a\\u0000b\"}",
        "name: {like: \"x\"}",
        "colour: {eq: \"red\"}",
    ] {
        let response = admin.run(&format!("{{ products(where: {{{condition}}}) {{ nodes {{ id }} }} }}")).await;
        assert_eq!(response.code(), "BAD_USER_INPUT", "{condition}");
    }
    let nul = json!({ "where": { "name": { "contains": "a\0b" } } });
    let document = "query ($where: ProductWhere) { products(where: $where) { nodes { id } } }";
    assert_eq!(admin.run_with(document, nul).await.code(), "BAD_USER_INPUT");
    // The maximum that is allowed.
    let most = format!("or: [{}], id: {{in: [{}]}}", conditions(49), ids(100));
    assert_eq!(find(&admin, "products", "sku", &most).await, ['a'].into());
}
