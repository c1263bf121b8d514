//! Query plans of the statements that GraphQL operations run on many rows: each uses an index, and a list with a sort
//! order reads the index in that order, without sorting.

mod groups;
mod histories;
mod images;
mod lookups;
mod names;
mod searches;
mod staff;

use souk::ids::{BrandId, CategoryId, OrderId, PaymentId, ProductGroupId, ProductId, SupplierId, UserId, WebsiteId};

use self::{
    groups::GROUPS,
    histories::HISTORIES,
    searches::{BROWSING, RULES, SEARCHES},
    staff::{AUDIT_LOG, JOBS, LOOKUPS, REVIEWS, TRANSFERS},
};
use crate::support::{
    Actor, TestApp,
    bulk::{BASE, nth_id},
};

/// Tables that grow with the shop. The others fit on a page or two, where PostgreSQL prefers a sequential scan.
const LARGE_TABLES: &[&str] = &[
    "products",
    "stock_movements",
    "product_groups",
    "price_changes",
    "users",
    "addresses",
    "orders",
    "order_details",
    "payments",
    "payment_operations",
    "shipments",
    "shipment_lines",
    "returns",
    "return_lines",
    "order_events",
    "reviews",
    "search_documents",
    "search_rules",
    "search_words",
    "audit_log",
    "images",
    "jobs",
    "transfers",
];

/// An operation, an index that one of its statements uses, and whether a statement may sort.
struct Case(&'static str, &'static str, Sorts);

#[derive(Clone, Copy, PartialEq)]
enum Sorts {
    Never,
    /// Few rows, or an order that no index can provide.
    Few,
}
use Sorts::{Few, Never};

/// Lists of products, for every viewer.
const PRODUCTS: &[Case] = &[
    Case("{ products { nodes { id } } }", "products_created_at_idx", Never),
    Case("{ products(orderBy: {field: CREATED_AT}) { nodes { id } } }", "products_created_at_idx", Never),
    Case("{ products(orderBy: {field: NAME}) { nodes { id } } }", "products_name_idx", Never),
    Case("{ products(orderBy: {field: NAME, direction: DESC}) { nodes { id } } }", "products_name_idx", Never),
    Case("{ products(orderBy: {field: PRICE}) { nodes { id } } }", "products_price_idx", Never),
    Case("{ products(last: 5, orderBy: {field: PRICE}) { nodes { id } } }", "products_price_idx", Never),
    Case("{ products(after: CREATED_AT) { nodes { id } } }", "products_created_at_idx", Never),
    Case("{ products(before: CREATED_AT) { nodes { id } } }", "products_created_at_idx", Never),
    Case("{ products(after: PRICE, orderBy: {field: PRICE}) { nodes { id } } }", "products_price_idx", Never),
    Case(
        "{ products(where: {category: {eq: CATEGORY}}) { nodes { id } } }",
        "products_category_id_created_at_idx",
        Never,
    ),
    Case(
        "{ products(where: {category: {eq: CATEGORY}}, orderBy: {field: PRICE}) { nodes { id } } }",
        "products_category_id_price_idx",
        Never,
    ),
    Case(
        "{ products(where: {category: {eq: CATEGORY}}, orderBy: {field: NAME}) { nodes { id } } }",
        "products_category_id_",
        Few,
    ),
    Case("{ products(where: {brand: {eq: BRAND}}) { nodes { id } } }", "products_brand_id_created_at_idx", Never),
    Case(
        "{ products(where: {sourceWebsite: {eq: WEBSITE}}) { nodes { id } } }",
        "products_source_website_id_created_at_idx",
        Never,
    ),
    Case(
        "{ products(where: {sourceWebsite: {eq: WEBSITE}}, orderBy: {field: PRICE}) { nodes { id } } }",
        "products_price_idx",
        Never,
    ),
    Case("{ products(where: {id: {in: [PRODUCT]}}) { nodes { id } } }", "products_pkey", Few),
    Case("{ products(where: {sku: {eq: \"L-20\"}}) { nodes { id } } }", "products_source_website_id_sku_key", Few),
    Case("{ products(where: {barcode: {eq: \"4006381333931\"}}) { nodes { id } } }", "products_barcode_idx", Few),
    Case("{ products(where: {name: {contains: \"c4ca4\"}}) { totalCount { value } } }", "products_name_trgm_idx", Few),
    Case("{ products(where: {tags: {any: [\"rare\"]}}) { nodes { id } } }", "products_tags_idx", Few),
    Case("{ products(where: {tags: {all: [\"RARE\"]}}) { totalCount { value } } }", "products_tags_idx", Few),
    Case("{ node(id: PRODUCT) { id } }", "products_pkey", Never),
    Case(
        "{ categories(first: 50) { nodes { products(first: 3) { totalCount { value } nodes { id } } } } }",
        "products_category_id_created_at_idx",
        Never,
    ),
    Case(
        "{ categories(first: 50) { nodes { products(first: 3, orderBy: {field: PRICE}) { nodes { id } } } } }",
        "products_category_id_price_idx",
        Never,
    ),
    // The few websites are sorted without an index.
    Case(
        "{ websites { nodes { products(first: 3) { nodes { id } } } } }",
        "products_source_website_id_created_at_idx",
        Few,
    ),
];

/// Lists that only staff and sellers may query.
const STAFF: &[Case] = &[
    Case("{ products(where: {seller: {eq: SELLER}}) { nodes { id } } }", "products_seller_id_created_at_idx", Never),
    Case(
        "{ products(where: {supplier: {eq: SUPPLIER}}) { nodes { id } } }",
        "products_supplier_id_created_at_idx",
        Never,
    ),
    Case(
        "{ suppliers(first: 50) { nodes { products(first: 3) { nodes { id } } } } }",
        "products_supplier_id_created_at_idx",
        Never,
    ),
];

/// Orders and users, as an admin sees them.
const ORDERS_AND_USERS: &[Case] = &[
    Case("{ orders { nodes { id } } }", "orders_placed_at_idx", Never),
    Case("{ orders(last: 5) { nodes { id } } }", "orders_placed_at_idx", Never),
    Case(
        "{ orders(orderBy: {field: TOTAL_AMOUNT, direction: DESC}) { nodes { id } } }",
        "orders_total_amount_idx",
        Never,
    ),
    Case("{ orders(orderBy: {field: ORDER_NUMBER}) { nodes { id } } }", "orders_order_number_idx", Never),
    // By status and date, or by date alone if the statistics say that a page of that status fills quickly.
    Case("{ orders(where: {status: {eq: PENDING}}) { nodes { id } } }", "placed_at_idx", Never),
    Case("{ orders(where: {user: {eq: BUYER}}) { totalCount { value } } }", "orders_user_id_placed_at_idx", Never),
    Case("{ orders(where: {user: {eq: BUYER}}) { nodes { id } } }", "orders_user_id_placed_at_idx", Never),
    Case(
        "{ orders(where: {sourceWebsite: {eq: WEBSITE}}) { nodes { id } } }",
        "orders_source_website_id_placed_at_idx",
        Never,
    ),
    Case("{ orders(where: {orderNumber: {eq: \"N-1\"}}) { nodes { id } } }", "orders_order_number_idx", Few),
    // A page starts exactly at its row, even if many orders have the same sort key.
    Case("{ orders(after: PLACED_AT) { nodes { id } } }", "Index Cond: (ROW(placed_at, id) < ROW(", Never),
    Case("{ orders(before: PLACED_AT) { nodes { id } } }", "Index Cond: (ROW(placed_at, id) > ROW(", Never),
    Case(
        "{ orders(after: TOTAL_AMOUNT, orderBy: {field: TOTAL_AMOUNT}) { nodes { id } } }",
        "Index Cond: (ROW(total_amount, id) > ROW(",
        Never,
    ),
    Case(
        "{ orders(after: ORDER_NUMBER, orderBy: {field: ORDER_NUMBER}) { nodes { id } } }",
        "Index Cond: (ROW(order_number, id) > ROW(",
        Never,
    ),
    Case(
        "{ orders(after: PLACED_AT, where: {user: {eq: BUYER}}) { nodes { id } } }",
        "Index Cond: ((user_id IS NOT NULL) AND (user_id = $1) AND (ROW(placed_at, id) < ROW(",
        Never,
    ),
    // Open orders, oldest first.
    Case(
        "{ orders(where: {status: {in: [PENDING, CONFIRMED]}}, orderBy: {field: PLACED_AT}) { nodes { id } } }",
        "orders_open_placed_at_idx",
        Never,
    ),
    Case(
        "{ orders(where: {status: {eq: SHIPPED}}, orderBy: {field: ORDER_NUMBER}) { nodes { id } } }",
        "orders_open_order_number_idx",
        Never,
    ),
    Case(
        "{ orders(after: ORDER_NUMBER, where: {status: {eq: PENDING}}, orderBy: {field: ORDER_NUMBER}) { nodes { id } } }",
        "orders_open_order_number_idx",
        Never,
    ),
    // The plan depends on the values: few rows are selected and sorted, many are read in order.
    Case(
        "{ orders(where: {placedAt: {gte: \"2999-01-01T00:00:00Z\"}}, orderBy: {field: TOTAL_AMOUNT}) { nodes { id } } }",
        "placed_at_idx",
        Few,
    ),
    Case(
        "{ orders(where: {placedAt: {gte: \"2001-01-01T00:00:00Z\"}}, orderBy: {field: TOTAL_AMOUNT}) { nodes { id } } }",
        "orders_total_amount_idx",
        Few,
    ),
    Case(
        "{ orders(where: {totalAmount: {gte: \"5000\"}}) { totalCount { value } nodes { id } } }",
        "orders_total_amount_idx",
        Few,
    ),
    Case(
        "{ orders(where: {user: {eq: BUYER}}, orderBy: {field: TOTAL_AMOUNT}) { nodes { id } } }",
        "orders_user_id_placed_at_idx",
        Few,
    ),
    Case(
        "{ orders(where: {sourceWebsite: {eq: WEBSITE}}, orderBy: {field: ORDER_NUMBER}) { nodes { id } } }",
        "order_number",
        Few,
    ),
    Case(
        "{ orders(where: {orderNumber: {contains: \"n-1999\"}}) { totalCount { value } nodes { id } } }",
        "orders_order_number_trgm_idx",
        Few,
    ),
    Case(
        "{ orders(where: {contactEmail: {eq: \"guest-1@souk.example\"}}) { totalCount { value } nodes { id } } }",
        "orders_contact_email_idx",
        Few,
    ),
    Case("{ order(id: ORDER) { id } }", "orders_pkey", Never),
    Case("{ orders { nodes { details { product { id } } } } }", "order_details_order_id_idx", Never),
    Case("{ orders { nodes { shipments { id } } } }", "shipments_order_id_idx", Few),
    Case("{ orders { nodes { shipments { lines { quantity } } } } }", "shipment_lines_pkey", Few),
    Case("{ orders { nodes { returns { id } } } }", "returns_order_id_idx", Few),
    Case("{ orders { nodes { returns { lines { quantity } } } } }", "return_lines_pkey", Few),
    Case("{ orders { nodes { events { kind } } } }", "order_events_order_id_idx", Never),
    Case("{ orders { nodes { user { id } } } }", "users_pkey", Never),
    Case("{ orders { nodes { payments { id } } } }", "payments_order_id_idx", Few),
    Case("{ orders { nodes { payments { operations { kind } } } } }", "payment_operations_payment_id_idx", Few),
    Case("{ payment(id: PAYMENT) { id } }", "payments_pkey", Never),
    Case("{ orders { nodes { user { addresses { id } } } } }", "addresses_user_id_idx", Few),
    Case(
        "{ users(first: 50) { nodes { orders(first: 3) { totalCount { value } nodes { id } } } } }",
        "orders_user_id_placed_at_idx",
        Never,
    ),
    Case("{ websites { nodes { orders(first: 3) { nodes { id } } } } }", "orders_source_website_id_placed_at_idx", Few),
    Case("{ users { nodes { id } } }", "users_created_at_idx", Never),
    Case("{ users(orderBy: {field: NAME}) { nodes { id } } }", "users_name_idx", Never),
    Case("{ users(where: {email: {eq: \"Buyer-100@souk.example\"}}) { nodes { id } } }", "users_email_key", Few),
    Case("{ users(where: {name: {contains: \"c4ca4\"}}) { totalCount { value } } }", "users_name_trgm_idx", Few),
];

/// The orders of one customer.
const CUSTOMER_ORDERS: &[Case] = &[
    Case("{ orders { totalCount { value } nodes { id details { id } } } }", "orders_user_id_placed_at_idx", Never),
    Case("{ orders(where: {status: {eq: PENDING}}) { nodes { id } } }", "orders_user_id_placed_at_idx", Few),
    Case("{ orders(orderBy: {field: TOTAL_AMOUNT}) { nodes { id } } }", "orders_user_id_placed_at_idx", Few),
    Case("{ me { orders { nodes { id } } addresses { id } } }", "orders_user_id_placed_at_idx", Few),
    // Found by their IDs, and not among all orders of the customer.
    Case("{ order(id: ORDER) { id } }", "Index Cond: (id = ANY", Never),
    Case("{ order(id: ORDER) { payments { id } } }", "payments_order_id_idx", Few),
    Case("{ payment(id: PAYMENT) { id } }", "payments_pkey", Never),
    Case("{ payment(id: PAYMENT) { id } }", "orders_pkey", Never),
];

/// Orders with a seller's products: the cost depends on what the seller sold, not on the number of orders.
const SELLER_ORDERS: &[Case] = &[
    Case("{ orders { totalCount { value } nodes { id } } }", "order_details_seller_id_idx", Few),
    Case("{ orders { nodes { id } } }", "orders_pkey", Few),
    Case("{ orders(where: {status: {eq: PENDING}}) { nodes { id } } }", "order_details_seller_id_idx", Few),
    Case("{ order(id: ORDER) { id } }", "order_details_seller_id_idx", Never),
    Case("{ websites { nodes { orders(first: 3) { nodes { id } } } } }", "order_details_seller_id_idx", Few),
    Case("{ orders(where: {product: {eq: PRODUCT}}) { nodes { id } } }", "order_details_seller_id_idx", Few),
];

impl Case {
    fn document(&self, cursors: &[(&str, String)]) -> String {
        let ids = [
            ("CATEGORY}", nth_id::<CategoryId>(1)),
            ("BRAND}", nth_id::<BrandId>(1)),
            ("SUPPLIER}", nth_id::<SupplierId>(1)),
            ("WEBSITE}", nth_id::<WebsiteId>(1)),
            ("WEBSITE)", nth_id::<WebsiteId>(1)),
            ("GROUP}", nth_id::<ProductGroupId>(1)),
            ("SELLER}", nth_id::<UserId>(1)),
            ("BUYER}", nth_id::<UserId>(100)),
            ("ORDER)", nth_id::<OrderId>(79)),
            ("PAYMENT)", nth_id::<PaymentId>(79)),
            ("PRODUCT}", nth_id::<ProductId>(1)),
            ("PRODUCT)", nth_id::<ProductId>(1)),
            ("PRODUCT]", nth_id::<ProductId>(1)),
        ];
        let document = ids.iter().fold(self.0.to_owned(), |text, (name, id)| {
            let (name, end) = name.split_at(name.len() - 1);
            text.replace(&format!(": {name}{end}"), &format!(": {id:?}{end}"))
                .replace(&format!("[{name}{end}"), &format!("[{id:?}{end}"))
        });
        let document = document.replace("RARE", "c4ca4238a0b923820dcc509a6f75849b");
        cursors.iter().fold(document, |text, (name, cursor)| {
            let place = |argument| (format!("{argument}: {name}"), format!("{argument}: {cursor:?}"));
            [place("after"), place("before")].iter().fold(text, |text, (from, to)| text.replace(from, to))
        })
    }

    /// Returns what is wrong with the plans of the operation.
    async fn problems(&self, actor: &Actor<'_>, cursors: &[(&str, String)]) -> Option<String> {
        let response = actor.run(&self.document(cursors)).await;
        assert!(!response.sql.is_empty() && response.json["errors"].is_null(), "{response:#?}");
        let plans = actor.app.database.plans(&response).await;
        let lines = || plans.iter().flat_map(|plan| &plan.lines);
        let scans = |table: &&str| lines().any(|line| line.trim_end().ends_with(&format!("Seq Scan on {table}")));
        let mut faults: Vec<String> =
            LARGE_TABLES.iter().filter(|table| scans(table)).map(|table| format!("reads all {table}")).collect();
        if self.2 == Never && lines().any(|line| line.trim_start_matches([' ', '-', '>']) == "Sort") {
            faults.push("sorts".to_owned());
        }
        if !lines().any(|line| line.contains(self.1)) {
            faults.push(format!("does not use {}", self.1));
        }
        let shown = || {
            plans.iter().map(|plan| format!("\n  {}\n    {}", plan.sql, plan.lines.join("\n    "))).collect::<String>()
        };
        (!faults.is_empty()).then(|| format!("\n{} {}{}", self.0, faults.join(", "), shown()))
    }
}

/// Names of cursors in the cases: the first row of the list in that order.
const CURSORS: &[(&str, &str)] = &[
    ("products", "CREATED_AT"),
    ("products", "PRICE"),
    ("search", "POPULARITY"),
    ("orders", "PLACED_AT"),
    ("orders", "TOTAL_AMOUNT"),
    ("orders", "ORDER_NUMBER"),
];

async fn check(actor: &Actor<'_>, cases: impl IntoIterator<Item = &'static Case>) {
    let cases: Vec<_> = cases.into_iter().collect();
    let mut cursors = Vec::new();
    for (list, name) in CURSORS {
        let places = [format!("after: {name}"), format!("before: {name}")];
        if !cases.iter().any(|case| places.iter().any(|place| case.0.contains(place))) {
            continue;
        }
        let page = format!("{{ {list}(first: 1, orderBy: {{field: {name}}}) {{ pageInfo {{ endCursor }} }} }}");
        cursors.push((*name, actor.run(&page).await.text_at(&format!("{list}.pageInfo.endCursor"))));
    }
    let mut faults = String::new();
    for case in cases {
        faults += &case.problems(actor, &cursors).await.unwrap_or_default();
    }
    assert!(faults.is_empty(), "{faults}");
}

#[tokio::test]
async fn public_product_lists_use_an_index() {
    // The statements are read.
    let app = TestApp::builder().cache_bytes(0).build().await;
    app.seed_catalog().await;
    check(&app.anonymous(), PRODUCTS.iter().chain(GROUPS)).await;
}

#[tokio::test]
async fn searches_use_an_index() {
    let app = TestApp::builder().cache_bytes(0).build().await;
    app.seed_catalog().await;
    // One product in five is sold, and names have many different words.
    app.bulk_insert(
        "UPDATE search_documents SET popularity = 1 WHERE id % 5 = 0;
         UPDATE products SET compare_at_price = price + 1 WHERE id % 199 = 0;
         INSERT INTO search_rules (website_id, words, url)
            SELECT 1000001 + i % 20, ARRAY['query ' || i], '/' || i FROM generate_series(1, 30000) i;
         INSERT INTO search_words SELECT translate(md5(i::text), '0123456789', 'ghijklmnop') FROM generate_series(1, 20000) i",
    )
    .await;
    check(&app.anonymous(), SEARCHES.iter().chain(BROWSING)).await;
    check(&app.manager().await, SEARCHES.iter().chain(BROWSING).chain(RULES)).await;
}

#[tokio::test]
async fn staff_and_seller_product_lists_use_an_index() {
    let app = TestApp::builder().cache_bytes(0).build().await;
    app.seed_catalog().await;
    let cases = || PRODUCTS.iter().chain(STAFF).chain(GROUPS);
    check(&app.manager().await, cases()).await;
    check(&app.existing_user(UserId(BASE + 1), "seller").await, cases()).await;
}

#[tokio::test]
async fn order_and_user_lists_use_an_index() {
    let app = TestApp::builder().cache_bytes(0).build().await;
    app.seed_catalog().await;
    app.seed_orders().await;
    let lists = [ORDERS_AND_USERS, LOOKUPS, AUDIT_LOG, JOBS, TRANSFERS, REVIEWS, HISTORIES];
    check(&app.admin().await, lists.into_iter().flatten()).await;
    check(&app.existing_user(UserId(BASE + 100), "customer").await, CUSTOMER_ORDERS).await;
    check(&app.existing_user(UserId(BASE + 1), "seller").await, SELLER_ORDERS).await;
}
