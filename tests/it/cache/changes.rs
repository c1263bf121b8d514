//! The log of changes that the triggers write.

use regex::Regex;
use souk::db::changes;

use crate::support::{ProductSpec, TestApp, TestDb, psql::Psql};

/// Columns of products that the public does not see, or not as they are.
const NOT_PUBLIC: &[&str] = &[
    "id",
    "stock",
    "reserved",
    "updated_at",
    "supplier_id",
    "cost_price",
    "supplier_sku",
    "low_stock_threshold",
    // Computed from the barcode.
    "gtin",
];

#[tokio::test]
async fn trigger_compares_every_public_column_of_products() {
    let database = TestDb::new().await;
    let psql = Psql::connect(&database.url).await;
    let definition = psql
        .scalar(
            "SELECT string_agg(pg_get_triggerdef(oid), ' ') FROM pg_trigger
             WHERE tgname IN ('products_changes_update', 'products_changes_sold')",
        )
        .await
        .to_lowercase();
    let columns =
        psql.column("SELECT attname FROM pg_attribute WHERE attrelid = 'products'::regclass AND attnum > 0 AND NOT attisdropped").await;
    for column in columns {
        let is_compared = Regex::new(&format!(r"\bold\.{column}\b")).expect("an expression").is_match(&definition);
        let is_public = !NOT_PUBLIC.contains(&column.as_str());
        // The units that remain are compared when there are few.
        if !["stock", "reserved"].contains(&column.as_str()) {
            assert_eq!(is_compared, is_public, "{column}");
        }
    }
}

#[tokio::test]
async fn transaction_writes_at_most_a_hundred_changes() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await;
    app.product(website.id, ProductSpec::default()).await;
    let psql = Psql::connect(&app.database.url).await;
    psql.rows("INSERT INTO products (source_website_id, name, slug, sku, price)
               SELECT source_website_id, name || n, slug || n, sku || n, price FROM products, generate_series(1, 300) n").await;
    let (count, tags) = ("SELECT count(*) FROM changes", "SELECT tags::text FROM changes ORDER BY id DESC LIMIT 1");
    psql.rows("DELETE FROM changes").await;
    psql.rows("UPDATE products SET price = price + 1").await;
    assert_eq!((psql.scalar(count).await.as_str(), psql.scalar(tags).await.as_str()), ("100", "{all}"));
    // A row for all products of an insert.
    psql.rows("DELETE FROM changes").await;
    psql.rows(
        "INSERT INTO products (source_website_id, name, slug, sku, price)
               SELECT source_website_id, name, slug || 'x' || id, sku || 'x' || id, price FROM products",
    )
    .await;
    assert!(psql.column("SELECT tags::text FROM changes").await.contains(&"{all}".to_owned()));
    // The next transaction of the session begins anew.
    psql.rows("DELETE FROM changes").await;
    psql.rows("UPDATE products SET price = price + 1 WHERE id = (SELECT min(id) FROM products)").await;
    assert_eq!(psql.scalar(count).await, "1");
}

#[tokio::test]
async fn changes_are_read_once_and_in_any_order_of_commits() {
    let (database, db) = TestDb::with_handle().await;
    let (early, late) = (Psql::connect(&database.url).await, Psql::connect(&database.url).await);
    let brand = |name: &str| format!("INSERT INTO brands (name, slug) VALUES ('{name}', '{name}')");
    let read = async |moment: Option<changes::Moment>| {
        let found = db.read(async |conn| changes::since(conn, moment.as_ref()).await).await.expect("changes");
        (found.tags.into_iter().filter(|tag| tag.starts_with("brand:")).count(), Some(found.position.moment))
    };
    let (count, moment) = read(None).await;
    assert_eq!(count, 0);
    late.rows("BEGIN").await;
    late.rows(&brand("late")).await;
    early.rows(&brand("early")).await;
    let (count, moment) = read(moment).await;
    assert_eq!(count, 1);
    let (count, moment) = read(moment).await;
    assert_eq!(count, 0);
    late.rows("COMMIT").await;
    early.rows(&brand("last")).await;
    let (count, moment) = read(moment).await;
    assert_eq!(count, 2);
    assert_eq!(read(moment).await.0, 0);
}

#[tokio::test]
async fn changes_are_deleted_when_a_cleanup_has_seen_them_before() {
    let (database, db) = TestDb::with_handle().await;
    let count = async || database.scalar("SELECT string_agg(tags[1], ',' ORDER BY id) FROM changes").await;
    let clean_up = async || souk::access::actions::cleanup::delete_expired(&db).await.expect("a cleanup");
    database.sql("DELETE FROM changes; INSERT INTO changes (tags) VALUES ('{one}')").await;
    // Its transaction may have begun long ago, and servers may not have read it yet.
    database.sql("UPDATE changes SET created_at = now() - interval '1 day'").await;
    clean_up().await;
    database.sql("INSERT INTO changes (tags) VALUES ('{two}')").await;
    assert_eq!(count().await, "one,two");
    // A server that starts later must know that it cannot read all changes since an earlier moment.
    clean_up().await;
    assert_eq!(count().await, "two,deleted");
    clean_up().await;
    assert_eq!(count().await, "deleted,deleted");
}

#[tokio::test]
async fn changes_of_another_database_server_are_not_read() {
    let (database, db) = TestDb::with_handle().await;
    let moment = db.read(async |conn| changes::since(conn, None).await).await.expect("changes").position.moment;
    // As a dump has them that was restored.
    database.sql("INSERT INTO changes (transaction_id, tags) VALUES (1000000000000, '{all}')").await;
    let found = db.read(async |conn| changes::since(conn, Some(&moment)).await).await.expect("changes");
    assert_eq!(found.tags, [""; 0]);
}
