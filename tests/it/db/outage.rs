//! A database that is down, slow or out of connections: the errors that operations return, and recovery without a
//! restart.

use std::time::Duration;

use axum::{body::Body, http::Request};
use diesel_async::SimpleAsyncConnection;
use souk::{
    db::{Db, DbSettings},
    ids::ProductId,
};

use crate::support::{ProductSpec, Proxy, TestApp, TestDb, query_scalar};

const PRODUCTS: &str = "{ products { nodes { remainingQuantity } } }";
const ORDERS: &str = "SELECT count(*) FROM orders";

fn settings() -> DbSettings {
    DbSettings { read_connections: 2, pool_size: 4, ..DbSettings::default() }
}

/// Starts a server whose connections go through a proxy.
async fn app_behind_proxy() -> (TestApp, Proxy) {
    let mut database = TestDb::new().await;
    let proxy = Proxy::start(&database.url).await;
    database.db = Db::connect(&proxy.url, &settings()).await.unwrap();
    (TestApp::builder().database(database).build().await, proxy)
}

async fn create_product(app: &TestApp) -> ProductId {
    let website = app.website("sailor").await;
    app.product(website.id, ProductSpec { stock: 5, ..ProductSpec::default() }).await.id
}

async fn readiness(app: &TestApp) -> u16 {
    app.send(Request::get("/readyz").body(Body::empty()).unwrap()).await.0.as_u16()
}

/// Ends every other session of the database and waits until they are gone.
async fn kill_all_sessions(app: &TestApp) {
    let kill = "SELECT count(*) FILTER (WHERE pg_terminate_backend(pid, 10000)) FROM pg_stat_activity
                WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'";
    assert_ne!(app.database.scalar(kill).await, "0");
}

#[tokio::test]
async fn operations_are_unavailable_while_the_database_is_down() {
    let (app, proxy) = app_behind_proxy().await;
    let product = create_product(&app).await;
    let customer = app.customer().await;
    customer.order(&[(product, 1)]).await;
    for round in 0..2 {
        proxy.close();
        for _ in 0..3 {
            let read = customer.run(PRODUCTS).await;
            assert_eq!(read.code(), "UNAVAILABLE");
            assert!(read.json["errors"][0]["extensions"]["requestId"].is_string());
            // Messages of PostgreSQL and the driver appear only in the log.
            let message = read.json["errors"][0]["message"].as_str().unwrap();
            assert_eq!(message, "the database cannot be reached; try again in a moment");
            assert_eq!(customer.try_order(&[(product, 1)], &round.to_string()).await.code(), "UNAVAILABLE");
        }
        assert_eq!(readiness(&app).await, 503);
        // Operations without the database still work.
        assert_eq!(customer.run("{ __typename }").await.text_at("__typename"), "Query");

        proxy.open();
        // At once: a request that needs a connection does not wait for the retry delay.
        let order = customer.try_order(&[(product, 1)], &round.to_string()).await;
        assert_eq!(order.user_errors("orderCreate"), []);
        assert_eq!(customer.run(PRODUCTS).await.at("products.nodes.0.remainingQuantity"), 3 - round);
        assert_eq!(readiness(&app).await, 200);
    }
    assert_eq!(app.database.scalar(ORDERS).await, "3");
}

#[tokio::test]
async fn operations_are_unavailable_when_the_database_rejects_connections() {
    let app = TestApp::new().await;
    let product = create_product(&app).await;
    let customer = app.customer().await;
    let (name, url) = (app.database.scalar("SELECT current_database()").await, app.database.url.clone());
    // From another database, because this one accepts no connections.
    let outside = url.replacen(&name, "postgres", 1);
    let allow = async |yes: bool| {
        query_scalar(&outside, &format!("ALTER DATABASE \"{name}\" ALLOW_CONNECTIONS {yes}")).await.unwrap();
    };
    allow(false).await;
    let kill = "SELECT count(pg_terminate_backend(pid, 10000)) FROM pg_stat_activity WHERE datname = ";
    query_scalar(&outside, &format!("{kill}'{name}'")).await.unwrap();
    assert_eq!(customer.run(PRODUCTS).await.code(), "UNAVAILABLE");
    assert_eq!(customer.try_order(&[(product, 1)], "one").await.code(), "UNAVAILABLE");
    allow(true).await;
    assert_eq!(customer.try_order(&[(product, 1)], "one").await.user_errors("orderCreate"), []);
    assert_eq!(customer.run(PRODUCTS).await.at("products.nodes.0.remainingQuantity"), 4);
}

#[tokio::test]
async fn terminated_database_sessions_are_replaced_transparently() {
    let app = TestApp::new().await;
    let product = create_product(&app).await;
    let customer = app.customer().await;
    for left in [4, 3, 2] {
        kill_all_sessions(&app).await;
        assert_eq!(customer.run(PRODUCTS).await.at("products.nodes.0.remainingQuantity"), left + 1);
        kill_all_sessions(&app).await;
        let order = customer.try_order(&[(product, 1)], &left.to_string()).await;
        assert_eq!(order.user_errors("orderCreate"), [], "{left}");
        assert_eq!(app.stock(product).await, left);
    }
}

#[tokio::test]
async fn write_that_loses_its_connection_is_rolled_back() {
    let (app, proxy) = app_behind_proxy().await;
    let product = create_product(&app).await;
    let customer = app.customer().await;
    // The order has claimed its key and waits for the product.
    let mut other = app.database.raw_connection().await;
    other.batch_execute(&format!("BEGIN; SELECT FROM products WHERE id = {} FOR UPDATE", product.0)).await.unwrap();
    let cut = async {
        let waits =
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
        while app.database.scalar(waits).await == "0" {
            tokio::task::yield_now().await;
        }
        proxy.close();
    };
    let lines = [(product, 2)];
    let (order, ()) = tokio::join!(customer.try_order(&lines, "one"), cut);
    assert_eq!(order.code(), "UNAVAILABLE");
    proxy.open();
    other.batch_execute("COMMIT").await.unwrap();
    // The same key: it waits for the end of the first transaction, which left nothing.
    let again = customer.try_order(&lines, "one").await;
    assert_eq!(again.user_errors("orderCreate"), []);
    assert_eq!(app.database.scalar(ORDERS).await, "1");
    assert_eq!(app.database.scalar("SELECT count(*) FROM stock_movements WHERE delta < 0").await, "1");
    assert_eq!(app.database.scalar("SELECT stock FROM products").await, "3");
}

#[tokio::test]
async fn slow_statement_is_canceled() {
    let limit = Duration::from_millis(200);
    let database = TestDb::with_settings(&DbSettings { read_timeout: limit, write_timeout: limit, ..settings() }).await;
    let app = TestApp::builder().database(database).build().await;
    let product = create_product(&app).await;
    let customer = app.customer().await;
    let mut other = app.database.raw_connection().await;
    other.batch_execute("BEGIN; LOCK TABLE products IN ACCESS EXCLUSIVE MODE").await.unwrap();
    for _ in 0..3 {
        let read = customer.run(PRODUCTS).await;
        assert_eq!(read.code(), "TIMEOUT");
        assert_eq!(read.json["errors"][0]["path"][0], "products");
    }
    assert_eq!(customer.try_order(&[(product, 1)], "one").await.code(), "TIMEOUT");
    // The connections stay usable.
    assert_eq!(customer.run("{ me { id } }").await.text_at("me.id"), customer.global_id());
    other.batch_execute("COMMIT").await.unwrap();
    assert_eq!(customer.run(PRODUCTS).await.at("products.nodes.0.remainingQuantity"), 5);
    assert_eq!(customer.try_order(&[(product, 1)], "one").await.user_errors("orderCreate"), []);
    assert_eq!(app.database.scalar(ORDERS).await, "1");
}

#[tokio::test]
async fn slow_read_does_not_fail_concurrent_reads() {
    let database = TestDb::with_settings(&DbSettings { read_timeout: Duration::from_millis(200), ..settings() }).await;
    let app = TestApp::builder().database(database).build().await;
    create_product(&app).await;
    let mut other = app.database.raw_connection().await;
    other.batch_execute("BEGIN; LOCK TABLE products IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let anybody = app.anonymous();
    let websites = "{ websites { nodes { code } } }";
    let (slow, quick) = tokio::join!(anybody.run(PRODUCTS), anybody.run(websites));
    assert_eq!((slow.code(), quick.text_at("websites.nodes.0.code").as_str()), ("TIMEOUT", "sailor"));
    // Also on one shared connection: the second read waits for the first, but does not fail with it.
    let both =
        anybody.run("{ websites { nodes { code } } a: product(slug: \"a\") { id } b: product(slug: \"b\") { id } }");
    let both = both.await;
    let codes: Vec<_> = both.json["errors"].as_array().unwrap().iter().map(|e| &e["extensions"]["code"]).collect();
    assert_eq!(codes, ["TIMEOUT", "TIMEOUT"]);
    assert_eq!(both.at_ignoring_errors("websites.nodes.0.code"), "sailor");
}

#[tokio::test]
async fn exhausted_pool_makes_writes_unavailable_until_it_recovers() {
    let few = DbSettings { pool_size: 1, connect_timeout: Duration::from_millis(200), ..settings() };
    let app = TestApp::builder().database(TestDb::with_settings(&few).await).build().await;
    let product = create_product(&app).await;
    let customer = app.customer().await;
    let held = app.database.db.checkout().await.unwrap();
    assert_eq!(customer.try_order(&[(product, 1)], "one").await.code(), "UNAVAILABLE");
    // Reads have connections of their own.
    assert_eq!(customer.run(PRODUCTS).await.at("products.nodes.0.remainingQuantity"), 5);
    // A waiting request gets the connection as soon as it is free.
    let free = async { drop(held) };
    let lines = [(product, 1)];
    let (order, ()) = tokio::join!(customer.try_order(&lines, "one"), free);
    assert_eq!(order.user_errors("orderCreate"), []);
    for n in 0..3 {
        assert_eq!(customer.try_order(&[(product, 1)], &n.to_string()).await.user_errors("orderCreate"), []);
    }
}

#[tokio::test]
async fn dropped_request_returns_a_clean_connection() {
    let one = DbSettings { pool_size: 1, ..settings() };
    let app = TestApp::builder().database(TestDb::with_settings(&one).await).build().await;
    let product = create_product(&app).await;
    let customer = app.customer().await;
    let mut other = app.database.raw_connection().await;
    other.batch_execute(&format!("BEGIN; SELECT FROM products WHERE id = {} FOR UPDATE", product.0)).await.unwrap();
    let waiting = async {
        let waits =
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
        while app.database.scalar(waits).await == "0" {
            tokio::task::yield_now().await;
        }
    };
    let lines = [(product, 2)];
    // The client disconnects in the middle of the transaction.
    tokio::select! {
        response = customer.try_order(&lines, "one") => panic!("{response:?}"),
        () = waiting => {}
    }
    other.batch_execute("COMMIT").await.unwrap();
    let order = customer.try_order(&lines, "one").await;
    assert_eq!(order.user_errors("orderCreate"), []);
    assert_eq!((app.database.scalar(ORDERS).await.as_str(), app.stock(product).await), ("1", 3));
}
