//! Paging through lists: every row exactly once, in both directions, with equal sort keys, and with rows inserted or
//! deleted between two pages; and forged cursors.

use std::collections::HashSet;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use souk::ids::{ProductId, RowId};

use crate::support::{
    Actor, TestApp, TestResponse,
    bulk::{BASE, nth_id},
};

/// Inserts 31 products, many of which share the name, the price or the creation time.
async fn seed_products(app: &TestApp) {
    let website = app.website("sailor").await.id.0;
    let script = format!(
        "INSERT INTO products (id, source_website_id, name, slug, sku, price, created_at)
            SELECT {BASE} + i, {website}, 'Lantern ' || i % 3, 'lantern-' || i, 'L-' || i, 10 + i % 4,
                   timestamptz '2026-01-01' + i % 5 * interval '1 day'
            FROM generate_series(1, 31) i"
    );
    app.bulk_insert(&script).await;
}

/// Returns the numbers of the products of [`seed_products`] in the order of a list.
fn expected_order(field: &str, descending: bool) -> Vec<i64> {
    let key = |i: &i64| match field {
        "NAME" => i % 3,
        "PRICE" => i % 4,
        _ => i % 5,
    };
    let mut all: Vec<i64> = (1..=31).collect();
    all.sort_by_key(|i| (key(i), *i));
    if descending {
        all.reverse();
    }
    all
}

/// Returns one page; `arguments` are the arguments of the field.
async fn page(actor: &Actor<'_>, list: &str, arguments: &str) -> TestResponse {
    let info = "pageInfo { hasNextPage hasPreviousPage startCursor endCursor }";
    actor.run(&format!("{{ {list}({arguments}) {{ {info} edges {{ cursor node {{ id }} }} nodes {{ id }} }} }}")).await
}

fn ids(response: &TestResponse, list: &str) -> Vec<String> {
    let nodes = response.at(&format!("{list}.nodes")).as_array().expect("nodes");
    let ids: Vec<_> = nodes.iter().map(|node| node["id"].as_str().expect("an id").to_owned()).collect();
    let edges = response.at(&format!("{list}.edges")).as_array().expect("edges");
    let cursors: Vec<_> = edges.iter().map(|edge| edge["cursor"].as_str().expect("a cursor")).collect();
    assert!(edges.iter().map(|edge| edge["node"]["id"].as_str()).eq(ids.iter().map(|id| Some(id.as_str()))));
    let info = response.at(&format!("{list}.pageInfo"));
    assert_eq!(
        (info["startCursor"].as_str(), info["endCursor"].as_str()),
        (cursors.first().copied(), cursors.last().copied())
    );
    ids
}

/// Pages through a list from one end to the other; returns the ids in list order.
async fn read_all_pages(actor: &Actor<'_>, list: &str, order: &str, size: usize, backward: bool) -> Vec<String> {
    let (limit, from) = if backward { ("last", "before") } else { ("first", "after") };
    let (ahead, behind) =
        if backward { ("hasPreviousPage", "hasNextPage") } else { ("hasNextPage", "hasPreviousPage") };
    let (mut all, mut cursor) = (Vec::new(), String::new());
    for number in 0.. {
        let response = page(actor, list, &format!("{limit}: {size} {cursor} {order}")).await;
        let rows = ids(&response, list);
        let info = response.at(&format!("{list}.pageInfo"));
        assert_eq!(info[behind], json!(number > 0), "{behind} of page {number}");
        let next = if backward { &info["startCursor"] } else { &info["endCursor"] };
        cursor = format!("{from}: {next}");
        if backward {
            all.splice(0..0, rows);
        } else {
            all.extend(rows);
        }
        if info[ahead] == json!(false) {
            break;
        }
    }
    all
}

#[tokio::test]
async fn products_are_paged_in_every_order_and_direction() {
    let app = TestApp::new().await;
    seed_products(&app).await;
    for field in ["CREATED_AT", "NAME", "PRICE"] {
        for direction in ["ASC", "DESC"] {
            let order = format!("orderBy: {{field: {field}, direction: {direction}}}");
            let expected: Vec<_> =
                expected_order(field, direction == "DESC").into_iter().map(nth_id::<ProductId>).collect();
            for size in [1, 7, 30, 31, 32] {
                for backward in [false, true] {
                    let found = read_all_pages(&app.anonymous(), "products", &order, size, backward).await;
                    assert_eq!(found, expected, "{order} by {size}, backward: {backward}");
                }
            }
        }
    }
    let newest = read_all_pages(&app.anonymous(), "products", "", 20, false).await;
    assert_eq!(newest, expected_order("CREATED_AT", true).into_iter().map(nth_id::<ProductId>).collect::<Vec<_>>());
}

#[tokio::test]
async fn all_other_lists_are_paged_in_every_order() {
    let app = TestApp::new().await;
    app.seed_all(9).await;
    let ties =
        "UPDATE users SET name = 'Same' WHERE id % 2 = 0; UPDATE orders SET placed_at = '2026-01-01' WHERE id % 2 = 0;
        UPDATE categories SET name = 'Same' WHERE id % 2 = 0; UPDATE brands SET name = 'Same';
        UPDATE websites SET name = 'Same'";
    app.database.sql(ties).await;
    let admin = app.admin().await;
    let orders = [
        ("users", "CREATED_AT", 19),
        ("users", "NAME", 19),
        ("orders", "PLACED_AT", 9),
        ("orders", "TOTAL_AMOUNT", 9),
        ("orders", "ORDER_NUMBER", 9),
        ("categories", "POSITION", 18),
        ("categories", "NAME", 18),
        ("brands", "NAME", 9),
        ("suppliers", "NAME", 9),
        ("websites", "CODE", 9),
        ("websites", "NAME", 9),
        ("jobs", "CREATED_AT", 9),
    ];
    for (list, field, count) in orders {
        let order = |direction| format!("orderBy: {{field: {field}, direction: {direction}}}");
        let all = ids(&page(&admin, list, &format!("first: 100 {}", order("ASC"))).await, list);
        assert_eq!(all.iter().collect::<HashSet<_>>().len(), count, "{list} by {field}");
        for backward in [false, true] {
            assert_eq!(read_all_pages(&admin, list, &order("ASC"), 4, backward).await, all, "{list} by {field}");
            let reversed = read_all_pages(&admin, list, &order("DESC"), 4, backward).await;
            assert!(reversed.iter().rev().eq(&all), "{list} by {field}, reversed");
        }
    }
}

#[tokio::test]
async fn inserts_and_deletes_between_pages_do_not_shift_other_rows() {
    let app = TestApp::new().await;
    seed_products(&app).await;
    let website = "(SELECT id FROM websites)";
    let add = |i: i64, price: &str| {
        format!(
            "INSERT INTO products (id, source_website_id, name, slug, sku, price)
            VALUES ({BASE} + {i}, {website}, 'New', 'new-{i}', 'N-{i}', {price})"
        )
    };
    let public = app.anonymous();
    let (mut seen, mut cursor) = (Vec::<String>::new(), String::new());
    loop {
        let response = page(&public, "products", &format!("first: 5 orderBy: {{field: PRICE}} {cursor}")).await;
        let rows = ids(&response, "products");
        let number = i64::try_from(seen.len()).expect("a small number");
        // Inserts a row before the page, and hides or deletes the page's last row, after which the next page starts.
        app.database.sql(&add(100 + number, "1")).await;
        let last = ProductId::parse("id", rows.last().expect("a row")).expect("an id").0;
        let remove = match number % 2 {
            0 => format!("UPDATE products SET is_active = false WHERE id = {last}"),
            _ => format!(
                "ALTER TABLE price_changes DISABLE TRIGGER USER; DELETE FROM price_changes WHERE product_id = {last};
                 ALTER TABLE price_changes ENABLE TRIGGER USER; DELETE FROM products WHERE id = {last}"
            ),
        };
        app.database.sql(&remove).await;
        seen.extend(rows);
        if response.at("products.pageInfo.hasNextPage") == &json!(false) {
            break;
        }
        // Inserts a row after all of them.
        if number == 0 {
            app.database.sql(&add(200, "99")).await;
        }
        cursor = format!("after: {}", response.at("products.pageInfo.endCursor"));
    }
    let expected = expected_order("PRICE", false).into_iter().chain([200]).map(nth_id::<ProductId>);
    assert_eq!(seen, expected.collect::<Vec<_>>());
}

#[tokio::test]
async fn page_between_two_cursors_reports_neighboring_pages() {
    let app = TestApp::new().await;
    seed_products(&app).await;
    let public = app.anonymous();
    let all = page(&public, "products", "first: 31 orderBy: {field: NAME}").await;
    let cursor = |i: usize| all.text_at(&format!("products.edges.{i}.cursor"));
    let between =
        |limit: &str| format!("{limit} after: {:?} before: {:?} orderBy: {{field: NAME}}", cursor(3), cursor(9));
    for (limit, rows) in [("first: 10", 4..9), ("first: 5", 4..9), ("first: 2", 4..6), ("last: 2", 7..9), ("", 4..9)] {
        let response = page(&public, "products", &between(limit)).await;
        assert_eq!(ids(&response, "products"), ids(&all, "products")[rows], "{limit}");
        let info = response.at("products.pageInfo");
        assert_eq!((&info["hasPreviousPage"], &info["hasNextPage"]), (&json!(true), &json!(true)), "{limit}");
    }
    // `before` without `last` returns the items after the start, up to the cursor.
    let before = page(&public, "products", &format!("before: {:?} orderBy: {{field: NAME}}", cursor(25))).await;
    assert_eq!(ids(&before, "products"), ids(&all, "products")[5..25]);
}

#[tokio::test]
async fn empty_list_has_no_cursors_and_a_count_of_zero() {
    let app = TestApp::new().await;
    let list = "totalCount { value precision } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } nodes { id } edges { cursor }";
    for arguments in ["first: 1", "last: 1", "first: null"] {
        let response = app.anonymous().run(&format!("{{ products({arguments}) {{ {list} }} }}")).await;
        let expected = json!({
            "totalCount": { "value": 0, "precision": "EXACT" },
            "pageInfo": { "hasNextPage": false, "hasPreviousPage": false, "startCursor": null, "endCursor": null },
            "nodes": [], "edges": [],
        });
        assert_eq!(response.at("products"), &expected);
    }
}

#[tokio::test]
async fn invalid_page_sizes_are_user_errors() {
    let app = TestApp::new().await;
    app.seed_all(1).await;
    let admin = app.admin().await;
    for list in ["products", "orders", "users", "websites", "brands", "categories", "suppliers"] {
        for (arguments, field) in [
            ("first: 0", "first"),
            ("first: -1", "first"),
            ("first: 101", "first"),
            ("last: 0", "last"),
            ("last: 101", "last"),
            ("last: -2147483648", "last"),
            ("first: 1, last: 1", "last"),
        ] {
            let response = page(&admin, list, arguments).await;
            assert_eq!(response.code(), "BAD_USER_INPUT", "{list}({arguments})");
            assert_eq!(response.json["errors"][0]["extensions"]["field"], field, "{list}({arguments})");
            assert!(response.sql.is_empty(), "{:?}", response.sql);
        }
        for arguments in ["first: 2147483648", "first: 99999999999999999999", "first: 1.5", "first: \"1\""] {
            assert_eq!(page(&admin, list, arguments).await.code(), "BAD_USER_INPUT", "{list}({arguments})");
        }
    }
    for value in [json!(2_147_483_648_i64), json!(-1), json!(1.5), json!("1"), json!(true)] {
        let document = "query ($n: Int) { products(first: $n) { nodes { id } } }";
        assert_eq!(admin.run_with(document, json!({ "n": value })).await.code(), "BAD_USER_INPUT", "{value}");
    }
    let nested = "{ brands { nodes { products(first: 0) { nodes { id } } } } }";
    assert_eq!(admin.run(nested).await.code(), "BAD_USER_INPUT");
    assert_eq!(
        admin.run("{ search(query: \"x\", first: 101) { nodes { __typename } } }").await.code(),
        "BAD_USER_INPUT"
    );
}

fn forged_cursor(list: &str, key: &Value, id: &Value) -> String {
    URL_SAFE_NO_PAD.encode(json!({ "list": list, "key": key, "id": id }).to_string())
}

#[tokio::test]
async fn cursor_of_another_list_is_rejected() {
    let app = TestApp::new().await;
    seed_products(&app).await;
    let public = app.anonymous();
    let of = async |order: &str| {
        page(&public, "products", &format!("first: 1 {order}")).await.text_at("products.pageInfo.endCursor")
    };
    let by_price = of("orderBy: {field: PRICE}").await;
    let price = "products:price";
    let wrong = [
        String::new(),
        "x".to_owned(),
        "\u{e4}\u{1f600}".to_owned(),
        "!!!!".to_owned(),
        URL_SAFE_NO_PAD.encode("{}"),
        URL_SAFE_NO_PAD.encode("null"),
        URL_SAFE_NO_PAD.encode([0xff, 0xfe]),
        URL_SAFE_NO_PAD.encode("[".repeat(2_900)),
        format!("{by_price}="),
        format!("{by_price}AAAA"),
        "A".repeat(5_000),
        // A list sorted by creation time, and another list.
        of("").await,
        forged_cursor("orders:placed_at", &json!({ "d": "2026-01-01T00:00:00Z" }), &json!(1)),
        // Sort keys of the wrong type, and keys that no row has.
        forged_cursor(price, &json!({ "t": "10.00" }), &json!(1)),
        forged_cursor(price, &json!({ "z": 10 }), &json!(1)),
        forged_cursor(price, &json!("i"), &json!(1)),
        forged_cursor(price, &json!({ "n": "ten" }), &json!(1)),
        forged_cursor(price, &json!({ "n": "1e400" }), &json!(1)),
        forged_cursor(price, &json!({ "n": "10.00" }), &json!("1")),
        forged_cursor(price, &json!({ "n": "10.00" }), &json!(9_223_372_036_854_775_808_u64)),
        forged_cursor(price, &json!({ "n": "10.00", "t": "x" }), &json!(1)),
    ];
    for argument in ["after", "before"] {
        for cursor in &wrong {
            let response =
                page(&public, "products", &format!("{argument}: {cursor:?} orderBy: {{field: PRICE}}")).await;
            assert_eq!(response.code(), "BAD_USER_INPUT", "{argument}: {cursor}");
            assert_eq!(response.json["errors"][0]["extensions"]["field"], argument, "{cursor}");
        }
        let nul = forged_cursor("products:name", &json!({ "t": "a\0b" }), &json!(1));
        let response = page(&public, "products", &format!("{argument}: {nul:?} orderBy: {{field: NAME}}")).await;
        assert_eq!(response.code(), "BAD_USER_INPUT");
        // A time that Rust can represent and PostgreSQL cannot.
        let early = forged_cursor("products:created_at", &json!({ "d": "-262143-01-01T00:00:00Z" }), &json!(1));
        assert_eq!(page(&public, "products", &format!("{argument}: {early:?}")).await.code(), "BAD_USER_INPUT");
    }
}

#[tokio::test]
async fn cursor_of_a_missing_row_is_a_valid_position() {
    let app = TestApp::new().await;
    seed_products(&app).await;
    let public = app.anonymous();
    let cases = [
        (json!({ "n": "79228162514264337593543950335" }), json!(1), 0),
        (json!({ "n": "-79228162514264337593543950335" }), json!(1), 31),
        (json!({ "n": "12.01" }), json!(0), 8),
        (json!({ "n": "12" }), json!(i64::MAX), 8),
        (json!({ "n": "12" }), json!(i64::MIN), 16),
    ];
    for (key, id, rows) in cases {
        let cursor = forged_cursor("products:price", &key, &id);
        let response =
            page(&public, "products", &format!("first: 100 after: {cursor:?} orderBy: {{field: PRICE}}")).await;
        assert_eq!(ids(&response, "products").len(), rows, "{key} {id}");
    }
}

#[tokio::test]
async fn nested_lists_are_paged_per_parent() {
    let app = TestApp::new().await;
    seed_products(&app).await;
    let brands = format!("INSERT INTO brands (id, name, slug) SELECT {BASE} + i, 'Maker ' || i, 'maker-' || i FROM generate_series(0, 2) i;
        UPDATE products SET brand_id = {BASE} + id % 3");
    app.bulk_insert(&brands).await;
    let public = app.anonymous();
    let list = "products(first: 3, where: {price: {gte: \"11\"}}, orderBy: {field: PRICE, direction: DESC} AFTER) {
        totalCount { value } pageInfo { hasNextPage endCursor } nodes { id } }";
    let response = public.run(&format!("{{ brands {{ nodes {{ id {} }} }} }}", list.replace("AFTER", ""))).await;
    for brand in 0..3_i64 {
        let expected: Vec<_> = expected_order("PRICE", true)
            .into_iter()
            .filter(|i| (BASE + i) % 3 == brand && i % 4 > 0)
            .map(nth_id::<ProductId>)
            .collect();
        let path = format!("brands.nodes.{brand}");
        let found = |response: &TestResponse, path: &str| -> Vec<String> {
            let nodes = response.at(&format!("{path}.products.nodes")).as_array().expect("nodes");
            nodes.iter().map(|node| node["id"].as_str().expect("an id").to_owned()).collect()
        };
        assert_eq!(response.at(&format!("{path}.products.totalCount.value")), &json!(expected.len()));
        assert_eq!(found(&response, &path), expected[..3]);
        let after = format!("after: {}", response.at(&format!("{path}.products.pageInfo.endCursor")));
        let id = response.text_at(&format!("{path}.id"));
        let next =
            format!("{{ brands(where: {{id: {{eq: {id:?}}}}}) {{ nodes {{ {} }} }} }}", list.replace("AFTER", &after));
        assert_eq!(found(&public.run(&next).await, "brands.nodes.0"), expected[3..6]);
    }
}
