//! A database that cannot be written: the probe says so, and clients get an error that says so.

use axum::{body::Body, http::Request};
use serde_json::json;

use crate::support::{TestApp, TestDb};

async fn readiness(app: &TestApp) -> (u16, String) {
    let (status, _, body) = app.send(Request::get("/readyz").body(Body::empty()).unwrap()).await;
    (status.as_u16(), String::from_utf8(body).unwrap())
}

#[tokio::test]
async fn server_is_not_ready_while_the_disk_is_full() {
    let app = TestApp::new().await;
    let customer = app.customer().await;
    assert_eq!(readiness(&app).await, (200, "ok\n".to_owned()));
    // What PostgreSQL says when a table cannot grow.
    app.database
        .sql(
            "CREATE FUNCTION fill_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                RAISE 'could not extend file \"base/1/2\": No space left on device' USING ERRCODE = '53100';
            END $$;
            CREATE TRIGGER wishlists_disk BEFORE INSERT ON wishlists FOR EACH ROW EXECUTE FUNCTION fill_disk()",
        )
        .await;
    let create = async || customer.mutate("wishlistCreate", "wishlist { id }", json!({ "name": "Boat" })).await;
    assert_eq!(create().await.code(), "UNAVAILABLE");
    assert_eq!(readiness(&app).await, (503, "degraded: the database rejects writes\n".to_owned()));
    app.database.sql("DROP TRIGGER wishlists_disk ON wishlists").await;
    assert_eq!(create().await.outcome("wishlistCreate"), "done");
    assert_eq!(readiness(&app).await, (200, "ok\n".to_owned()));
}

#[tokio::test]
async fn server_is_not_ready_if_the_database_is_read_only() {
    let database = TestDb::new().await;
    let name = database.scalar("SELECT current_database()").await;
    database.sql(&format!("ALTER DATABASE \"{name}\" SET default_transaction_read_only = on")).await;
    // Connected after the change, as a server is to a standby.
    let app = TestApp::builder().database(database.second_handle().await).build().await;
    assert_eq!(readiness(&app).await, (503, "degraded: the database is read-only\n".to_owned()));
    let anonymous = app.anonymous();
    let registered = anonymous.run(
        r#"mutation { register(input: { name: "Eve", email: "eve@souk.example", password: "a long enough password" }) {
            user { id } userErrors { code } } }"#,
    );
    assert_eq!(registered.await.code(), "UNAVAILABLE");
}
