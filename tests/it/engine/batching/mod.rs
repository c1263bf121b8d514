//! Batching: the exact number of SQL statements of an operation, which is the same for one parent and for fifty.
//! The table covers every field that returns an object; a new field has to be added here.

mod addresses;
mod groups;
mod images;
mod search;

use std::collections::BTreeSet;

use async_graphql::parser::parse_query;
use serde_json::json;
use souk::{
    access::{model::keys::NewApiKey, store::keys::insert},
    auth::Permission,
    ids::{
        AddressId, AuditEntryId, BrandId, CartLineId, CategoryId, ImageId, JobId, OrderDetailId, OrderId, PaymentId,
        PriceChangeId, ProductGroupId, ProductId, ReturnId, ReviewId, RoleId, RowId, SearchRuleId, ShipmentId,
        StockMovementId, SupplierId, TransferId, UserId, WebsiteId,
    },
};

use self::{addresses::ADDRESSES, groups::GROUPS, images::IMAGES, search::SEARCHES};
use crate::{
    DOMAINS,
    support::{
        Actor, ProductSpec, TestApp, TestResponse,
        bulk::{BASE, nth_id},
        domain_fixtures::BatchCase as Case,
        object_fields::ObjectFields,
    },
};

const PAGE: &str = "totalCount { value } pageInfo { endCursor } edges { cursor node { id } } nodes { id }";
const FOUND: &str = "totalCount { value } pageInfo { endCursor } edges { score node { __typename } } nodes {
    ... on Product { id } ... on Category { id } ... on Brand { id } ... on Supplier { id } }";

/// Counts for an admin. A page with its total count takes two statements.
const CASES: &[Case] = &[
    Case("{ websites(first: 50) { PAGE } }", 2),
    Case("{ websites(first: 50) { nodes { products(first: 3) { PAGE } orders(first: 3) { PAGE } } } }", 5),
    Case("{ website(code: \"site-1\") { id } brand(slug: \"maker-1\") { id } }", 2),
    Case("{ users(first: 50) { PAGE } }", 2),
    Case("{ users(first: 50) { nodes { role { id } sourceWebsite { id } } } }", 3),
    Case("{ users(first: 50) { nodes { addresses { user { id } } } } }", 3),
    Case("{ users(first: 50) { nodes { orders(first: 3) { PAGE } } } }", 3),
    Case("{ users(first: 50) { nodes { source { website { id } } identities { externalId website { id } } } } }", 3),
    Case("{ me { id role { id } } }", 2),
    Case("{ user(id: \"USER\") { id addresses { city } orders { PAGE } } }", 4),
    Case("{ me { sessions { id device } } }", 2),
    Case("{ me { apiKeys { id permissions websites { id } } } }", 3),
    // A page of roles takes two: the rows, and their permissions and websites.
    Case("{ roles(first: 50) { PAGE } }", 3),
    Case("{ roles(first: 50) { nodes { permissions websites { id } } } }", 3),
    Case("{ categories(first: 50) { PAGE } }", 2),
    // Ancestors and parent are read in one statement.
    Case("{ categories(first: 100) { nodes { parent { id } ancestors { id } } } }", 2),
    Case("{ categories(first: 100) { nodes { children(first: 3) { PAGE } products(first: 3) { PAGE } } } }", 5),
    Case(
        "{ categories(first: 100) { nodes { productCount { value } products(first: 2, includeDescendants: true) { nodes { id } } } } }",
        3,
    ),
    Case("{ category(id: \"CATEGORY\") { id } }", 1),
    Case("{ category(slug: \"shelf-1\") { id children { nodes { id } } } }", 2),
    Case("{ brands(first: 50) { PAGE } }", 2),
    Case("{ brands(first: 50) { nodes { products(first: 3) { PAGE } } } }", 3),
    Case("{ suppliers(first: 50) { PAGE } }", 2),
    Case("{ suppliers(first: 50) { nodes { products(first: 3) { PAGE } } } }", 3),
    // The product is read with its category and brand in one join.
    Case("{ product(id: \"PRODUCT\") { id price { amount } category { id } brand { id } } }", 1),
    Case("{ product(slug: \"lantern-1\") { id category { id } brand { id } } }", 1),
    Case("{ product(website: \"site-1\", sku: \"L-1\") { id category { parent { id } } } }", 2),
    Case("{ products(first: 50) { PAGE } }", 2),
    Case(
        "{ products(first: 50) { edges { node { price { amount } compareAtPrice { amount } category { id } brand { id } } } } }",
        3,
    ),
    Case(
        "{ products(first: 50) { nodes { sourceWebsite { id } supplier { id } seller { id } lowestPrice30Days { amount } } } }",
        5,
    ),
    Case("{ products(first: 50) { nodes { supplierSku costPrice { amount } } } }", 2),
    Case("{ products(first: 50) { nodes { tags weight { value unit } seo { title description } } } }", 1),
    // The categories first, then the page.
    Case(
        "{ products(first: 50, where: {category: {eq: \"CATEGORY\", includeDescendants: true}}) { nodes { id } } }",
        2,
    ),
    Case("{ products(first: 50) { nodes { source { externalId website { id } } } } }", 3),
    Case("{ products { nodes { priceHistory { PAGE nodes { price { amount } compareAtPrice { amount } user { id } product { id } } } } } }", 5),
    Case("{ products { nodes { stockMovements { PAGE nodes { order { id } user { id } product { id } } } } } }", 6),
    Case(
        "{ order(id: \"ORDER\") { id details { id } paidAmount { amount } refundedAmount { amount } contact { name } } }",
        2,
    ),
    // The cart, its lines and their products are read once each, whatever is selected.
    Case("{ cart { id reservedUntil } }", 2),
    Case(
        "{ cart { total { amount } lines { cart { id } product { id category { id } } unitPrice { amount }
            totalPrice { amount } priceWhenAdded { amount } priceChanged } } }",
        4,
    ),
    Case("{ cart { lines { availability } } }", 4),
    Case("{ node(id: \"CART_LINE\") { id ... on CartLine { quantity product { id } } } }", 3),
    Case("{ payment(id: \"PAYMENT\") { amount { amount } operations { kind amount { amount } } order { id } } }", 3),
    Case(
        "{ orders(first: 50) { nodes { payments {
            amount { amount } capturedAmount { amount } refundedAmount { amount } operations { kind } order { id } } } } }",
        4,
    ),
    Case("{ orders(first: 50) { PAGE } }", 2),
    Case("{ orders(first: 20) { nodes { user { name } details { product { name } } } } }", 4),
    Case(
        "{ orders(first: 50) { nodes { totalAmount { amount } shippingAddress { city } sourceWebsite { id }
            details { unitPrice { amount } totalPrice { amount } order { id } product { category { id } } } } } }",
        5,
    ),
    Case("{ orders(first: 50) { nodes { user { id } details { seller { id name } } } } }", 4),
    Case("{ orders(first: 50) { nodes { shipments { order { id } lines { quantity detail { name } } } } } }", 4),
    Case("{ orders(first: 50) { nodes { returns { order { id } lines { quantity detail { name } } } } } }", 4),
    Case("{ orders(first: 50) { nodes { events { kind by { id } amount { amount } } } } }", 3),
    Case("{ orders(first: 50) { nodes { source { externalId website { id } } } } }", 3),
    // The rating is a column of the product; the stars are counted for all products at once.
    Case("{ products(first: 50) { nodes { rating { count stars { count } } reviews(first: 3) { PAGE } } } }", 4),
    Case("{ users(first: 50) { nodes { reviews(first: 3) { PAGE } } } }", 3),
    Case("{ reviews(first: 50) { PAGE } }", 2),
    Case("{ reviews(first: 50) { nodes { author product { id } user { id } } } }", 4),
    Case("{ auditLog(first: 50) { PAGE } }", 2),
    Case("{ jobs(first: 50) { PAGE } }", 2),
    Case("{ transfers(first: 50) { PAGE } }", 2),
    Case("{ transfers(first: 50) { nodes { user { id } website { id } errors { line } rejections { count examples { line } } ignoredColumns { column rows } notes { count } } } }", 3),
    Case("{ transfer(id: \"TRANSFER\") { id } }", 1),
    Case("{ products(first: 50) { nodes { source { lastTransfer { id } } } } }", 3),
    Case("{ auditLog(first: 50, where: {via: {eq: SESSION}}) { nodes { user { id } website { id } } } }", 3),
    Case("{ node(id: \"PRODUCT\") { id ... on Product { category { id } } } }", 2),
    // Visible to everyone who sees the order. They are not in the next case, because three types that load their order
    // after their own rows need not do so at the same time.
    Case("{ node(id: \"SHIPMENT\") { id } }", 2),
    Case("{ node(id: \"RETURN\") { id } }", 2),
    // One statement for each type, and one more for the order of a line.
    Case("query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }", 21),
    // Deep, and the same list with several arguments: one statement for each list.
    Case(
        "{ products(first: 50) { nodes {
            category { parent { children(first: 2) { nodes { products(first: 2) { nodes { id } } } } } }
            brand { products(first: 2) { nodes { id } } } } } }",
        7,
    ),
    Case(
        "{ brands(first: 50) { nodes { a: products(first: 1) { nodes { id } } b: products(first: 2) { nodes { id } }
            again: products(first: 2) { nodes { id } } } } }",
        3,
    ),
    // Each may take long, and runs in a transaction of its own.
    // Fields that need no rows take no statements.
    Case("{ __typename __schema { queryType { name } } }", 0),
    Case("{ products(first: 50) { nodes { __typename id name price { amount currency } stock } } }", 1),
];

/// Returns the cases of all domains.
fn cases() -> impl Iterator<Item = &'static Case> {
    CASES
        .iter()
        .chain(ADDRESSES)
        .chain(GROUPS)
        .chain(IMAGES)
        .chain(SEARCHES)
        .chain(DOMAINS.iter().flat_map(|of| of.batch_cases))
}

impl Case {
    fn document(&self) -> String {
        let ids = [
            ("\"USER\"", nth_id::<UserId>(1)),
            ("\"WEBSITE\"", nth_id::<WebsiteId>(1)),
            ("\"CATEGORY\"", nth_id::<CategoryId>(1)),
            ("\"PRODUCT\"", nth_id::<ProductId>(1)),
            ("\"ORDER\"", nth_id::<OrderId>(1)),
            ("\"SHIPMENT\"", nth_id::<ShipmentId>(1)),
            ("\"RETURN\"", nth_id::<ReturnId>(1)),
            ("\"CART_LINE\"", nth_id::<CartLineId>(1)),
            ("\"PAYMENT\"", nth_id::<PaymentId>(1)),
            ("\"TRANSFER\"", nth_id::<TransferId>(1)),
        ];
        let document = self.0.replace("PAGE", PAGE).replace("FOUND", FOUND);
        let of_domains = DOMAINS.iter().flat_map(|domain| (domain.batch_ids)());
        let of_domains = of_domains.map(|(name, id)| (format!("{name:?}"), id));
        let ids = ids.into_iter().map(|(name, id)| (name.to_owned(), id)).chain(of_domains);
        ids.fold(document, |text, (name, id)| text.replace(&name, &format!("{id:?}")))
    }

    async fn run(&self, actor: &Actor<'_>, parents: i64) -> TestResponse {
        let document = self.document();
        let variables = if document.contains("$ids") { json!({ "ids": node_ids(parents) }) } else { json!({}) };
        actor.run_with(&document, variables).await
    }
}

/// Returns ids of every type: all rows of each, up to the limit of `nodes`.
fn node_ids(parents: i64) -> Vec<String> {
    let of_one = |i: i64| {
        [
            nth_id::<WebsiteId>(i),
            nth_id::<UserId>(i),
            nth_id::<AddressId>(i),
            nth_id::<CategoryId>(i),
            nth_id::<BrandId>(i),
            nth_id::<SupplierId>(i),
            nth_id::<ProductId>(i),
            nth_id::<StockMovementId>(i),
            nth_id::<ImageId>(i),
            nth_id::<ProductGroupId>(i),
            nth_id::<PriceChangeId>(i),
            nth_id::<OrderId>(i),
            nth_id::<OrderDetailId>(i),
            nth_id::<PaymentId>(i),
            nth_id::<ReviewId>(i),
            nth_id::<AuditEntryId>(i),
            nth_id::<JobId>(i),
            nth_id::<TransferId>(i),
            nth_id::<SearchRuleId>(i),
        ]
    };
    (1..=parents.min(5)).flat_map(of_one).chain([RoleId(1).to_global_id()]).collect()
}

/// Creates an admin with an API key.
async fn admin(app: &TestApp) -> Actor<'_> {
    let admin = app.admin().await;
    let new = NewApiKey {
        name: "Till".into(),
        permissions: [Permission::ManageStock].into_iter().collect(),
        websites: vec![WebsiteId(BASE + 1)],
        expires_at: None,
    };
    let insert =
        app.database.db.transaction(async |conn| insert(conn, admin.id, "souk_k_testtest", &[0; 32], &new).await);
    insert.await.expect("a key");
    let cart = format!(
        "INSERT INTO carts (id, user_id, currency, expires_at) VALUES ({BASE} + 1, {}, 'EUR', now() + interval '1 day');
         INSERT INTO cart_lines (id, cart_id, product_id, quantity, added_price)
            SELECT id, {BASE} + 1, id, 1, price FROM products WHERE id > {BASE} ORDER BY id;
         INSERT INTO cart_reservations (cart_id, product_id, quantity, expires_at)
            SELECT {BASE} + 1, id, 1, now() + interval '1 day' FROM products WHERE id > {BASE} ORDER BY id",
        admin.id.0
    );
    app.database.sql(&cart).await;
    let searched =
        "INSERT INTO searches (id, query, filters, results, results_exact, is_shareable, took_ms, searched_at)
        SELECT (extract(epoch FROM now() - interval '1 hour') * 1000)::bigint << 21, 'lantern', '{}', 0, true, true, 1,
            now() - interval '1 hour'";
    app.database.sql(searched).await;
    admin
}

async fn check(parents: i64) {
    let app = TestApp::builder().cache_bytes(0).build().await;
    app.seed_all(parents).await;
    let admin = admin(&app).await;
    // The first search of a word has the database take it apart, once for all searches of the next minute.
    for case in SEARCHES {
        case.run(&admin, parents).await;
    }
    let mut wrong = String::new();
    for case in cases() {
        let response = case.run(&admin, parents).await;
        if response.statements() != case.1 {
            let (document, sql) = (case.0, response.sql.join("\n    "));
            wrong += &format!("{document}\n  takes {}, not {}:\n    {sql}\n", response.statements(), case.1);
        }
        assert_eq!(response.sql.len() as u64, response.statements(), "{}", case.0);
    }
    assert!(wrong.is_empty(), "at {parents} parents\n{wrong}");
}

#[tokio::test]
async fn statement_counts_hold_for_one_parent() {
    check(1).await;
}

#[tokio::test]
async fn statement_counts_are_the_same_for_fifty_parents() {
    check(50).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn statement_counts_are_the_same_on_several_threads() {
    check(50).await;
}

#[tokio::test]
async fn every_batch_case_returns_rows() {
    // A table whose objects were all null would test nothing.
    let app = TestApp::builder().cache_bytes(0).build().await;
    app.seed_all(1).await;
    let admin = admin(&app).await;
    for case in cases() {
        let mut response = case.run(&admin, 1).await;
        let empty = |text: &str| text.contains("null") || text.contains("[]");
        // The root category has no parent, the admin has neither website nor addresses, most roles have no websites, and
        // an image has one owner; some countries have neither postal codes nor subdivisions.
        let roots = ["categories(", "users(", "category(", "roles(", "images(", "countries "];
        let may_be_empty = roots.iter().any(|root| case.0.contains(root));
        let data = response.json["data"].take().to_string();
        assert!(may_be_empty || !empty(&data), "{} returned {data}", case.0);
    }
}

#[tokio::test]
async fn sellers_and_anonymous_users_take_no_more_statements() {
    let cases = [
        ("{ products(first: 50) { nodes { category { id } brand { id } sourceWebsite { id } } } }", 4),
        ("{ categories(first: 50) { nodes { products(first: 3) { PAGE } } } }", 3),
        ("{ search(query: \"lantern\", first: 50) { FOUND } }", 3),
        ("{ product(slug: \"lantern-1\") { category { id } brand { id } supplier { id } } }", 1),
    ];
    for parents in [1, 50] {
        let app = TestApp::builder().cache_bytes(0).build().await;
        app.seed_all(parents).await;
        // The database takes the words of the search apart.
        app.anonymous().run("{ search(query: \"lantern\") { nodes { __typename } } }").await;
        for (document, statements) in cases {
            let anonymous = Case(document, statements).run(&app.anonymous(), parents).await;
            assert_eq!(anonymous.statements(), statements, "{document}\n{:#?}", anonymous.sql);
        }
        let seller = app.seller().await;
        let own = format!("UPDATE products SET seller_id = {0}; UPDATE order_details SET seller_id = {0}", seller.id.0);
        app.database.sql(&own).await;
        let orders = "{ orders(first: 50) { nodes { details { product { supplier { id } } } } } }";
        let response = seller.run(orders).await;
        assert_eq!(response.at("orders.nodes").as_array().map(Vec::len), usize::try_from(parents).ok());
        assert_eq!(response.statements(), 4, "{:#?}", response.sql);
    }
}

#[tokio::test]
async fn order_of_fifty_lines_takes_as_many_statements_as_of_two() {
    let app = TestApp::builder().cache_bytes(0).build().await;
    let website = app.website("sailor").await;
    let mut products = Vec::new();
    for _ in 0..50 {
        products.push(app.product(website.id, ProductSpec { stock: 10, ..ProductSpec::default() }).await.id);
    }
    let mut counts = BTreeSet::new();
    for lines in [2, 50] {
        // Not the same buyer: a second order that is not paid sends no email.
        let buyer = app.customer().await;
        let lines: Vec<_> = products.iter().take(lines).map(|id| (*id, 1)).collect();
        let placed = buyer.try_order(&lines, &lines.len().to_string()).await;
        let id = placed.text_at("orderCreate.order.id");
        let cancel =
            format!("mutation {{ orderCancel(input: {{ id: {id:?} }}) {{ order {{ id details {{ id }} }} }} }}");
        let cancelled = buyer.run(&cancel).await;
        assert_eq!(cancelled.text_at("orderCancel.order.id"), id);
        counts.insert((placed.statements(), cancelled.statements()));
    }
    assert_eq!(counts.len(), 1, "{counts:?}");
}

#[test]
fn every_object_field_has_a_batch_case() {
    let graph = ObjectFields::from_sdl(&souk::graphql::sdl_of_types());
    let mut counted = BTreeSet::new();
    for case in cases() {
        let document = parse_query(case.document()).expect("a document");
        for (_, operation) in document.operations.iter() {
            graph.collect_edges("Query", &operation.node.selection_set.node, &mut counted);
        }
    }
    let missing: Vec<_> = graph.reachable_from("Query").difference(&counted).cloned().collect();
    assert!(missing.is_empty(), "no case selects {missing:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn listing_orders_with_many_lines_takes_no_more_statements() {
    let app = TestApp::builder().cache_bytes(0).build().await;
    app.seed_all(50).await;
    let lines = format!(
        "INSERT INTO order_details (order_id, product_id, name, sku, quantity, unit_price)
            SELECT {BASE} + i, {BASE} + j, 'Lantern', 'L', 1, 10 FROM generate_series(1, 50) i, generate_series(1, 40) j"
    );
    app.bulk_insert(&lines).await;
    let admin = app.admin().await;
    for first in [1, 5, 20, 50] {
        let document = format!(
            "{{ orders(first: {first}) {{ nodes {{ user {{ name }} details {{ product {{ brand {{ id }} category {{ id }} }} }} }} }} }}"
        );
        for _ in 0..5 {
            let response = admin.run(&document).await;
            assert_eq!(response.statements(), 6, "{first} orders: {:#?}", response.sql);
        }
    }
}
