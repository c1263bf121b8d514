//! Events are not lost: subscriptions are resumed by cursor, on any server, whatever happened meanwhile.

use chrono::{DateTime, Utc};
use serde_json::json;
use souk::{
    db::changes::{Moment, Position},
    events::model::{EventCursor, Start, Window},
};

use crate::support::{ProductSpec, TestApp, psql::Psql, websocket::WebSocket};

/// A subscription to the names of products.
fn names(after: Option<&str>) -> String {
    let after = after.map(|cursor| format!("(after: \"{cursor}\")")).unwrap_or_default();
    format!("subscription {{ productChanged{after} {{ product {{ sku }} cursor }} }}")
}

async fn touch(app: &TestApp, sku: &str) {
    app.database.sql(&format!("UPDATE products SET description = description || '.' WHERE sku = '{sku}'")).await;
}

/// Waits for an event; returns the SKU of its product, and the cursor.
async fn next(socket: &mut WebSocket) -> (String, String) {
    let change = socket.next().await["productChanged"].clone();
    let text = |value: &serde_json::Value| value.as_str().expect("a text").to_owned();
    (text(&change["product"]["sku"]), text(&change["cursor"]))
}

/// Returns a cursor of another database server, made at this time.
fn cursor_of_another_server(app: &TestApp, since: DateTime<Utc>) -> String {
    let moment: Moment = "5:5:".parse().expect("a snapshot");
    let until = Position { server: "another".to_owned(), moment: moment.clone() };
    EventCursor::at(&Window { start: Start::Moment(moment), since, until }, 1).sealed(&app.services.cursor_seal)
}

async fn shop(skus: &[&str]) -> TestApp {
    let app = TestApp::new().await;
    let website = app.website("main").await;
    for sku in skus {
        app.product(website.id, ProductSpec { sku: Some((*sku).to_owned()), ..ProductSpec::default() }).await;
    }
    app
}

#[tokio::test]
async fn a_client_resumes_on_another_server_and_misses_nothing() {
    let one = shop(&["A", "B", "C"]).await;
    let mut socket = one.anonymous().subscribe(one.listen().await, &names(None)).await;
    touch(&one, "A").await;
    let (sku, cursor) = next(&mut socket).await;
    assert_eq!(sku, "A");
    drop(socket);
    for sku in ["B", "C", "B"] {
        touch(&one, sku).await;
    }
    let two = one.second_server().await;
    let mut socket = two.anonymous().subscribe(two.listen().await, &names(Some(&cursor))).await;
    for expected in ["B", "C", "B"] {
        assert_eq!(next(&mut socket).await.0, expected);
    }
    touch(&two, "A").await;
    let (sku, cursor) = next(&mut socket).await;
    assert_eq!(sku, "A");
    drop(socket);
    // Nothing happened since.
    let mut socket = one.anonymous().subscribe(one.listen().await, &names(Some(&cursor))).await;
    touch(&one, "C").await;
    assert_eq!(next(&mut socket).await.0, "C");
}

#[tokio::test]
async fn a_transaction_that_commits_late_is_not_lost() {
    let app = shop(&["EARLY", "LATE"]).await;
    let address = app.listen().await;
    let mut socket = app.anonymous().subscribe(address, &names(None)).await;
    let psql = Psql::connect(app.database.db.url()).await;
    psql.rows("BEGIN").await;
    psql.rows("UPDATE products SET description = 'late' WHERE sku = 'LATE'").await;
    touch(&app, "EARLY").await;
    let (sku, cursor) = next(&mut socket).await;
    assert_eq!(sku, "EARLY");
    psql.rows("COMMIT").await;
    assert_eq!(next(&mut socket).await.0, "LATE");
    // The event has a lower ID than the one that the cursor is of, but was not visible then.
    let mut resumed = app.anonymous().subscribe(address, &names(Some(&cursor))).await;
    assert_eq!(next(&mut resumed).await.0, "LATE");
    assert!(resumed.is_silent().await);
}

#[tokio::test]
async fn a_cursor_in_the_middle_of_a_transaction_is_exact() {
    let app = shop(&["A", "B", "C"]).await;
    let address = app.listen().await;
    let mut socket = app.anonymous().subscribe(address, &names(None)).await;
    app.database.sql("BEGIN; UPDATE products SET description = '1' WHERE sku = 'A';
        UPDATE products SET description = '1' WHERE sku = 'B'; UPDATE products SET description = '1' WHERE sku = 'C'; COMMIT").await;
    let cursors = [next(&mut socket).await.1, next(&mut socket).await.1, next(&mut socket).await.1];
    for (cursor, expected) in cursors.iter().zip([vec!["B", "C"], vec!["C"], vec![]]) {
        let mut resumed = app.anonymous().subscribe(address, &names(Some(cursor))).await;
        for sku in expected {
            assert_eq!(next(&mut resumed).await.0, sku);
        }
        assert!(resumed.is_silent().await);
    }
}

#[tokio::test]
async fn events_follow_after_the_connection_to_the_database_was_lost() {
    let app = shop(&["A"]).await;
    let mut socket = app.anonymous().subscribe(app.listen().await, &names(None)).await;
    for _ in 0..3 {
        let psql = Psql::connect(app.database.db.url()).await;
        psql.rows("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()").await;
        psql.rows("UPDATE products SET description = description || '!'").await;
        assert_eq!(next(&mut socket).await.0, "A");
    }
}

#[tokio::test]
async fn events_since_another_start_of_the_database_server_are_found_by_their_time() {
    let app = shop(&["A"]).await;
    let address = app.listen().await;
    touch(&app, "A").await;
    let other = cursor_of_another_server(&app, Utc::now());
    let mut resumed = app.anonymous().subscribe(address, &names(Some(&other))).await;
    assert_eq!(next(&mut resumed).await.0, "A");
}

#[tokio::test]
async fn cursors_that_are_none_or_too_old_are_rejected() {
    let app = shop(&["A"]).await;
    let address = app.listen().await;
    let mut socket = app.anonymous().subscribe(address, &names(None)).await;
    touch(&app, "A").await;
    let mut changed = next(&mut socket).await.1;
    changed.replace_range(..1, if changed.starts_with('A') { "B" } else { "A" });
    let old = cursor_of_another_server(&app, Utc::now() - chrono::Duration::minutes(11));
    let unknown = "must be the `cursor`";
    for (after, message) in [("", unknown), ("bm9uZQ", unknown), (changed.as_str(), unknown), (old.as_str(), "too old")]
    {
        let mut socket = WebSocket::connect(address, &app.anonymous()).await;
        socket.start(&names(Some(after))).await;
        let error = socket.receive().await.json()["payload"][0].clone();
        assert_eq!(error["extensions"]["field"], json!("after"));
        assert!(error["message"].as_str().is_some_and(|text| text.contains(message)), "{error}");
    }
}

#[tokio::test]
async fn a_transaction_with_more_changes_than_wait_for_a_client_is_delivered_completely() {
    let app = TestApp::new().await;
    let website = app.website("main").await;
    let mut socket = app.anonymous().subscribe(app.listen().await, &names(None)).await;
    app.database
        .sql(&format!(
            "INSERT INTO products (source_website_id, name, slug, sku, price)
             SELECT {}, 'P' || n, 'p' || n, 'P' || n, 1 FROM generate_series(1, 1500) n",
            website.id.0
        ))
        .await;
    for n in 1..=1500 {
        assert_eq!(next(&mut socket).await.0, format!("P{n}"));
    }
    touch(&app, "P7").await;
    assert_eq!(next(&mut socket).await.0, "P7");
    assert!(socket.is_silent().await);
}

#[tokio::test]
async fn a_resumed_subscription_can_be_resumed_in_the_middle_of_what_it_missed() {
    let app = shop(&["A", "B", "C"]).await;
    let address = app.listen().await;
    let mut socket = app.anonymous().subscribe(address, &names(None)).await;
    touch(&app, "A").await;
    let mut cursor = next(&mut socket).await.1;
    drop(socket);
    for sku in ["B", "C", "A", "B"] {
        touch(&app, sku).await;
    }
    for expected in ["B", "C", "A", "B"] {
        let mut resumed = app.anonymous().subscribe(address, &names(Some(&cursor))).await;
        let (sku, next_cursor) = next(&mut resumed).await;
        assert_eq!(sku, expected);
        cursor = next_cursor;
    }
}
