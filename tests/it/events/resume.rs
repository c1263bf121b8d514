//! Events are not lost: subscriptions are resumed by cursor, on any server, whatever happened meanwhile.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::json;
use souk::ids::RowId;

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

/// Returns a cursor with one of its parts replaced: the server, or the time in milliseconds.
fn replace(cursor: &str, part: usize, value: &str) -> String {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).expect("base64url")).expect("UTF-8");
    let mut parts: Vec<_> = text.split('|').collect();
    parts[part] = value;
    URL_SAFE_NO_PAD.encode(parts.join("|"))
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
    let mut socket = app.anonymous().subscribe(address, &names(None)).await;
    touch(&app, "A").await;
    let cursor = next(&mut socket).await.1;
    drop(socket);
    touch(&app, "A").await;
    // The cursor begins with the hash of the server's start.
    let other = replace(&cursor, 0, "0123456789ab");
    let mut resumed = app.anonymous().subscribe(address, &names(Some(&other))).await;
    assert_eq!(next(&mut resumed).await.0, "A");
}

#[tokio::test]
async fn cursors_that_are_none_or_too_old_are_rejected() {
    let app = shop(&["A"]).await;
    let address = app.listen().await;
    let mut socket = app.anonymous().subscribe(address, &names(None)).await;
    touch(&app, "A").await;
    let time = chrono::Utc::now() - chrono::Duration::minutes(11);
    let old = replace(&next(&mut socket).await.1, 1, &time.timestamp_millis().to_string());
    for (after, message) in
        [("", "must be the `cursor`"), ("bm9uZQ", "must be the `cursor`"), (old.as_str(), "too old")]
    {
        let mut socket = WebSocket::connect(address, &app.anonymous()).await;
        socket.start(&names(Some(after))).await;
        let error = socket.receive().await.json()["payload"][0].clone();
        assert_eq!(error["extensions"]["field"], json!("after"));
        assert!(error["message"].as_str().is_some_and(|text| text.contains(message)), "{error}");
    }
}

#[tokio::test]
async fn a_client_that_does_not_read_is_told_and_closed() {
    let app = shop(&["A"]).await;
    let id = app.database.scalar("SELECT id::text FROM products").await;
    let id = souk::ids::ProductId(id.parse().unwrap()).to_global_id();
    // Each event is large, so that few fit into the buffers of the connection.
    app.database.sql("UPDATE products SET description = repeat('long ', 4000)").await;
    let copies: String = (0..25).map(|n| format!("d{n}: description ")).collect();
    let document = format!("subscription {{ productChanged(id: {id:?}) {{ product {{ {copies} }} }} }}");
    let mut socket = app.anonymous().subscribe(app.listen().await, &document).await;
    // More events than wait for a subscription, besides those that fit into the buffers.
    for _ in 0..400 {
        app.database.sql("UPDATE products SET tags = ARRAY[(coalesce(tags[1], '0')::int + 1)::text]").await;
    }
    while app.services.events.count() > 0 {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let told = loop {
        let message = socket.receive().await.json();
        if message["type"] == "error" {
            break message;
        }
    };
    assert_eq!(told["payload"][0]["extensions"]["code"], "LIMIT_EXCEEDED", "{told}");
    assert_eq!(socket.receive().await.code(), 1013);
}
