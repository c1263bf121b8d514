//! The demo market, filled in process.

use std::{io::Cursor, time::Instant};

use axum::{
    body::Body,
    http::{HeaderValue, Request, StatusCode},
};
use serde_json::{Value, json};
use souk::{
    cli::demo::{SeedOutcome, seed},
    ids::{RowId, WebsiteId},
    orders::model::{PaymentStatus, ReturnStatus, Status},
    payments::model as payments,
    products::model::Availability,
};

use crate::support::{TestApp, TestDb};

async fn fill(app: &TestApp) -> (SeedOutcome, Vec<String>) {
    let (db, services) = (&app.database.db, &app.services);
    let report = seed(db, &services.passwords, &services.image_processor).await.expect("a market");
    (report.outcome, report.logins.iter().map(ToString::to_string).collect())
}

/// Every value that a query returns, as one text.
async fn values(database: &TestDb, select: &str) -> String {
    database
        .scalar(&format!("SELECT string_agg(value::text, ' ' ORDER BY value::text) FROM ({select}) AS found (value)"))
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_market_fills_an_empty_database_once() {
    let app = TestApp::new().await;
    let begun = Instant::now();
    let (outcome, logins) = fill(&app).await;
    println!("filled in {:?}", begun.elapsed());
    assert_eq!(outcome, SeedOutcome::Inserted);
    assert_eq!(
        logins,
        [
            "admin admin@souk.example demo-admin-2026",
            "manager manager@souk.example demo-manager-2026",
            "seller seller@souk.example demo-seller-2026",
            "customer customer@souk.example demo-customer-2026",
        ]
    );
    let before = app.database.contents().await;
    assert_eq!(fill(&app).await, (SeedOutcome::AlreadyInserted, logins), "again");
    assert_eq!(app.database.contents().await, before, "and nothing was written");
    app.database.assert_invariants().await;

    assert_what_the_market_shows(&app.database).await;
    assert_known_ids(&app).await;
    assert_histories(&app.database).await;
    assert_images(&app).await;
    assert_search(&app).await;
}

/// The texts of all values of an enum, sorted.
fn every<T: Copy>(all: &[T], text: fn(T) -> &'static str) -> String {
    let mut texts: Vec<_> = all.iter().map(|value| text(*value)).collect();
    texts.sort_unstable();
    texts.join(" ")
}

/// Every state that a page of a shop may have to show.
async fn assert_what_the_market_shows(database: &TestDb) {
    let every_value = [
        ("SELECT DISTINCT status FROM orders", every(&Status::ALL, Status::as_str)),
        ("SELECT DISTINCT payment_status FROM orders", every(PaymentStatus::ALL, PaymentStatus::as_str)),
        ("SELECT DISTINCT status FROM payments", every(payments::Status::ALL, payments::Status::as_str)),
        ("SELECT DISTINCT method FROM payments", every(payments::Method::ALL, payments::Method::as_str)),
        ("SELECT DISTINCT kind FROM payment_operations", every(payments::Kind::ALL, payments::Kind::as_str)),
        ("SELECT DISTINCT status FROM returns", every(ReturnStatus::ALL, ReturnStatus::as_str)),
        ("SELECT DISTINCT availability FROM products WHERE is_active", every(Availability::ALL, Availability::as_str)),
    ];
    for (select, expected) in every_value {
        assert_eq!(values(database, select).await, expected, "{select}");
    }
    let table = [
        ("SELECT DISTINCT is_restocked FROM return_lines", "false true"),
        ("SELECT DISTINCT status FROM reviews", "approved pending rejected"),
        ("SELECT DISTINCT is_verified_purchase FROM reviews", "false true"),
        ("SELECT DISTINCT reason FROM stock_movements", "cancellation opening return sale"),
        ("SELECT DISTINCT language FROM websites", "de en"),
        ("SELECT DISTINCT kind FROM order_events", EVENTS),
        ("SELECT sku FROM products WHERE NOT is_active", "RB-2037"),
        ("SELECT count(*) >= 60 FROM products", "true"),
        ("SELECT count(*) > 0 FROM products WHERE compare_at_price > price", "true"),
        ("SELECT count(*) > 0 FROM products WHERE seller_id IS NOT NULL", "true"),
        ("SELECT count(*) = 0 FROM products WHERE barcode IS NOT NULL AND gtin IS NULL", "true"),
        (
            "SELECT count(*) FROM (SELECT gtin FROM products WHERE gtin IS NOT NULL GROUP BY gtin HAVING count(DISTINCT source_website_id) > 1) g",
            "2",
        ),
        (
            "SELECT count(*) FROM brands b WHERE NOT EXISTS (SELECT FROM images WHERE brand_id = b.id AND media_id > 0)",
            "0",
        ),
        (
            "SELECT count(*) FROM categories c WHERE NOT EXISTS (SELECT FROM images WHERE category_id = c.id AND media_id > 0)",
            "0",
        ),
        (
            "SELECT DISTINCT m.widths FROM media m JOIN images i ON i.media_id = m.id WHERE brand_id IS NULL",
            "{160,320,600}",
        ),
        (
            "SELECT DISTINCT m.widths FROM media m JOIN images i ON i.media_id = m.id WHERE brand_id IS NOT NULL",
            "{160,320}",
        ),
        ("SELECT DISTINCT cardinality(varies_by) FROM product_groups", "1 2"),
        ("SELECT count(*) > 0 FROM orders WHERE user_id IS NULL AND contact_email IS NOT NULL", "true"),
        (
            "SELECT count(*) > 0 FROM orders o WHERE status = 'confirmed' AND EXISTS (SELECT FROM shipments s WHERE s.order_id = o.id)",
            "true",
        ),
        (
            "SELECT num_nonnulls(category_id) + 2 * num_nonnulls(brand_id) + 3 * num_nonnulls(product_id) + 4 * num_nonnulls(url) FROM search_rules GROUP BY 1",
            "0 1 2 3 4",
        ),
        ("SELECT DISTINCT website_id FROM search_rules", "1 2"),
    ];
    for (select, expected) in table {
        assert_eq!(values(database, select).await, expected, "{select}");
    }
}

/// Lines of these orders never changed, and no tracking did.
const EVENTS: &str = "delivered note payment_authorized payment_captured payment_failed payment_refunded payment_voided placed \
    return_received return_rejected return_requested shipped status_changed";

/// What the manual names.
async fn assert_known_ids(app: &TestApp) {
    let document = r#"{
        product(website: "sailor", sku: "SR-1001") { id name price { amount currency } category { name ancestors { name } } brand { name } }
    }"#;
    let answer = app.anonymous().run(document).await;
    let expected = r#"{"id":"UHJvZHVjdDox","name":"Harbour Mooring Rope","price":{"amount":"34.50","currency":"EUR"},"category":{"name":"Rope","ancestors":[{"name":"On the Water"},{"name":"Rope & Rigging"}]},"brand":{"name":"Halyard & Hitch"}}"#;
    assert_eq!(answer.at("product").to_string(), expected);
    let database = &app.database;
    assert_eq!(database.scalar("SELECT order_number FROM orders WHERE id = 1").await, "SAILOR-1001");
    // The numbers of orders go with the time.
    let first =
        "SELECT bool_and(id = place) FROM (SELECT id, row_number() OVER (ORDER BY placed_at) AS place FROM orders) o";
    assert_eq!(database.scalar(first).await, "t");
}

/// The past of an order fits together: its events go with the time, and end where the order is.
async fn assert_histories(database: &TestDb) {
    let table = [
        "SELECT id FROM order_events e WHERE at > now()",
        "SELECT id FROM order_events e WHERE at < (SELECT at FROM order_events WHERE order_id = e.order_id ORDER BY id LIMIT 1)",
        "SELECT e.id FROM order_events e JOIN order_events f ON f.order_id = e.order_id AND f.id > e.id AND f.at < e.at",
        "SELECT o.id FROM orders o WHERE status <> (SELECT to_status FROM order_events e
            WHERE e.order_id = o.id AND to_status IS NOT NULL ORDER BY id DESC LIMIT 1)",
        "SELECT o.id FROM orders o WHERE placed_at <> (SELECT at FROM order_events e WHERE e.order_id = o.id AND kind = 'placed')",
        "SELECT s.id FROM shipments s JOIN orders o ON o.id = s.order_id WHERE s.shipped_at < o.placed_at OR s.delivered_at > now()",
        // Nothing of the past was created today.
        "SELECT id FROM orders WHERE created_at <> placed_at",
        "SELECT d.id FROM order_details d JOIN orders o ON o.id = d.order_id WHERE d.created_at <> o.created_at",
        "SELECT p.id FROM payments p JOIN orders o ON o.id = p.order_id WHERE p.created_at <> o.created_at",
        "SELECT o.id FROM payment_operations o JOIN payments p ON p.id = o.payment_id WHERE o.created_at < p.created_at
            OR o.created_at > now() - interval '1 hour' OR o.settled_at <> o.created_at",
        "SELECT id FROM shipments WHERE created_at <> shipped_at",
        "SELECT r.id FROM returns r JOIN orders o ON o.id = r.order_id WHERE r.created_at < o.placed_at OR r.settled_at < r.created_at
            OR r.created_at > now() - interval '1 hour'",
        "SELECT u.id FROM users u JOIN orders o ON o.user_id = u.id WHERE u.created_at >= o.created_at",
        "SELECT u.id FROM users u JOIN reviews r ON r.user_id = u.id WHERE u.created_at >= r.created_at",
        "SELECT 1 FROM orders HAVING count(DISTINCT date_trunc('week', created_at)) < 12",
        "SELECT m.id FROM stock_movements m JOIN stock_movements n ON n.product_id = m.product_id AND n.id > m.id AND n.created_at < m.created_at",
        "SELECT v.id FROM reviews v WHERE created_at > now()",
        "SELECT id FROM jobs WHERE NOT is_recurring AND id NOT IN (SELECT job_id FROM payment_operations WHERE status = 'pending')",
        "SELECT id FROM jobs WHERE NOT is_recurring AND run_at < now() + interval '29 days'",
    ];
    for select in table {
        assert_eq!(values(database, select).await, "", "{select}");
    }
}

/// Every product has an image, which is served in the requested width.
async fn assert_images(app: &TestApp) {
    let mut after = Value::Null;
    let mut count = 0;
    loop {
        let document = "query ($after: String) { products(first: 100, after: $after, where: { isActive: true }) {
            nodes { sku image { alt width thumbnail: url(width: 160) small: url(width: 320) large: url(width: 640) jpeg: url(width: 160, format: JPEG) } } pageInfo { hasNextPage endCursor } } }";
        let answer = app.anonymous().run_with(document, json!({ "after": after })).await;
        for product in answer.at("products.nodes").as_array().expect("a list") {
            let image = &product["image"];
            assert!(image["width"] == 600 && image["alt"].as_str().is_some_and(|alt| alt.len() > 5), "{product}");
            // No image is wider than its original.
            let fields = [
                ("thumbnail", "image/webp", 160),
                ("small", "image/webp", 320),
                ("large", "image/webp", 600),
                ("jpeg", "image/jpeg", 160),
            ];
            for (field, kind, width) in fields {
                let request =
                    Request::get(image[field].as_str().expect("a URL")).body(Body::empty()).expect("a request");
                let (status, headers, bytes) = app.send(request).await;
                assert_eq!(
                    (status, &headers["content-type"]),
                    (StatusCode::OK, &HeaderValue::from_static(kind)),
                    "{product}"
                );
                let file = image::ImageReader::new(Cursor::new(bytes)).with_guessed_format().expect("a format");
                assert_eq!(file.into_dimensions().expect("a picture"), (width, width), "{field} of {product}");
            }
            count += 1;
        }
        if answer.at("products.pageInfo.hasNextPage") == &Value::Bool(false) {
            break;
        }
        after = answer.at("products.pageInfo.endCursor").clone();
    }
    assert!(count > 60, "{count}");
}

/// Words of the website's language are found, and the rules of the websites hold.
async fn assert_search(app: &TestApp) {
    let sailor = WebsiteId(1).to_global_id();
    let search = async |query: &str| {
        let document = "query ($query: String!, $sailor: ID!) {
            search(query: $query, types: [PRODUCT], first: 1, where: { sourceWebsite: { eq: $sailor } }) {
                nodes { ... on Product { name } } redirect { url target { ... on Category { name } } } } }";
        let variables = json!({ "query": query, "sailor": sailor });
        app.anonymous().run_with(document, variables).await.at("search").clone()
    };
    // In the plural, which only a German website knows.
    assert_eq!(search("Kompasse").await["nodes"][0]["name"], "Peilkompass aus Messing");
    assert_eq!(search("Mützen").await["nodes"][0]["name"], "Merino Watch Cap", "by a synonym");
    assert_eq!(search("Ölzeug").await["redirect"]["target"]["name"], "Foul-Weather Gear");
    assert_eq!(search("Versand").await["redirect"]["url"], "/seiten/versand");
}

#[tokio::test]
async fn a_database_that_holds_anything_is_left_alone() {
    let app = TestApp::new().await;
    app.customer().await;
    let before = app.database.contents().await;
    assert_eq!(fill(&app).await, (SeedOutcome::OtherData, Vec::new()));
    assert_eq!(app.database.contents().await, before);
    let files = app.services.storage.list("media").expect("a list");
    let files: Vec<_> = futures_util::TryStreamExt::try_collect(files).await.expect("a list");
    assert!(files.is_empty(), "no file is stored for nothing");
}
