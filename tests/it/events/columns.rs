//! The columns whose changes are events.

use crate::support::TestDb;

/// Columns of products that are no events, or events of stock.
const OTHERS: [&str; 5] = ["id", "updated_at", "stock", "reserved", "availability"];

#[tokio::test]
async fn every_column_of_products_is_an_event() {
    let database = TestDb::new().await;
    let trigger =
        database.scalar("SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgname = 'products_events_update'").await;
    let columns = "SELECT string_agg(attname, ' ') FROM pg_attribute
        WHERE attrelid = 'products'::regclass AND attnum > 0 AND NOT attisdropped";
    let columns = database.scalar(columns).await;
    let columns = columns.split(' ').filter(|column| !OTHERS.contains(column));
    let missing: Vec<_> = columns.filter(|column| !trigger.contains(&format!("new.{column}"))).collect();
    assert!(missing.is_empty(), "columns without events: {missing:?}");
}

#[tokio::test]
async fn events_are_kept_for_the_time_in_which_a_subscription_can_be_resumed() {
    let database = TestDb::new().await;
    database
        .sql(
            "INSERT INTO events (kind, subject, created_at) VALUES ('job_died', 1, now() - interval '14 minutes'),
             ('job_died', 2, now() - interval '16 minutes')",
        )
        .await;
    let removed = database.db.transaction(async |conn| souk::events::actions::cleanup::clean_up(conn).await).await;
    assert_eq!(
        (removed.unwrap(), database.scalar("SELECT string_agg(subject::text, ',') FROM events").await.as_str()),
        (1, "1")
    );
}
