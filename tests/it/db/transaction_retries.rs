//! Transactions that fail because of others: they are retried as a whole, up to a limit.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use diesel_async::SimpleAsyncConnection;
use souk::{
    db::{Conn, after_commit},
    error::{Error, Result},
};

use crate::support::{ProductSpec, TestApp};

async fn run(mut conn: &Conn, sql: &str) -> Result<()> {
    Ok(SimpleAsyncConnection::batch_execute(&mut conn, sql).await?)
}

/// Creates two rows to conflict over.
async fn two_rows(app: &TestApp) {
    app.database.sql("CREATE TABLE fought (id int PRIMARY KEY, n int); INSERT INTO fought VALUES (1, 0), (2, 0)").await;
}

async fn rows(app: &TestApp) -> String {
    app.database.scalar("SELECT string_agg(n::text, ' ' ORDER BY id) FROM fought").await
}

#[tokio::test]
async fn transaction_is_retried_after_a_serialization_failure() {
    let app = TestApp::new().await;
    two_rows(&app).await;
    let attempts = AtomicU32::new(0);
    let done = app.database.db.transaction(async |conn| {
        run(conn, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; UPDATE fought SET n = n + 1 WHERE id = 1").await?;
        if attempts.fetch_add(1, Relaxed) < 2 {
            app.database.sql("UPDATE fought SET n = n + 10 WHERE id = 2").await;
        }
        run(conn, "UPDATE fought SET n = n + 1 WHERE id = 2").await?;
        Ok(attempts.load(Relaxed))
    });
    assert_eq!(done.await.unwrap(), 3);
    // The failed attempts are rolled back.
    assert_eq!(rows(&app).await, "1 21");
}

#[tokio::test]
async fn transaction_is_retried_after_a_deadlock() {
    let app = TestApp::new().await;
    two_rows(&app).await;
    let mut other = app.database.raw_connection().await;
    other.batch_execute("BEGIN; UPDATE fought SET n = n + 10 WHERE id = 2").await.unwrap();
    let other = tokio::sync::Mutex::new(other);
    let attempts = AtomicU32::new(0);
    let ours = app.database.db.transaction(async |conn| {
        attempts.fetch_add(1, Relaxed);
        run(conn, "UPDATE fought SET n = n + 1 WHERE id = 1").await?;
        run(conn, "UPDATE fought SET n = n + 1 WHERE id = 2").await
    });
    // The other session waits last, so ours checks for the deadlock first and becomes the victim.
    let theirs = async {
        let waits =
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
        while app.database.scalar(waits).await == "0" {
            tokio::task::yield_now().await;
        }
        let mut other = other.lock().await;
        other.batch_execute("UPDATE fought SET n = n + 10 WHERE id = 1; COMMIT").await
    };
    let (ours, theirs) = tokio::join!(ours, theirs);
    theirs.unwrap();
    ours.unwrap();
    assert_eq!((attempts.load(Relaxed), rows(&app).await.as_str()), (2, "11 11"));
}

#[tokio::test]
async fn transaction_that_keeps_failing_returns_conflict() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await;
    let product = app.product(website.id, ProductSpec { stock: 5, ..ProductSpec::default() }).await;
    let customer = app.customer().await;
    // A sequence also counts in transactions that are rolled back.
    let lose = "CREATE SEQUENCE attempts; CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                PERFORM nextval('attempts'); RAISE EXCEPTION 'lost' USING ERRCODE = '40001'; END $$;";
    app.database.sql(lose).await;
    for (round, (kind, when)) in
        [("TRIGGER", ""), ("CONSTRAINT TRIGGER", "DEFERRABLE INITIALLY DEFERRED")].iter().enumerate()
    {
        // At the statement, and at the commit.
        let sql = format!("CREATE {kind} lose AFTER INSERT ON orders {when} FOR EACH ROW EXECUTE FUNCTION lose()");
        app.database.sql(&sql).await;
        let response = customer.try_order(&[(product.id, 1)], "one").await;
        assert_eq!(response.code(), "CONFLICT", "{kind}");
        let attempts = (5 * (round + 1)).to_string();
        assert_eq!(app.database.scalar("SELECT last_value FROM attempts").await, attempts, "{kind}");
        assert_eq!(app.stock(product.id).await, 5);
        app.database.sql("DROP TRIGGER lose ON orders").await;
    }
    // The key can be reused, because nothing of the failed attempts was kept.
    let response = customer.try_order(&[(product.id, 1)], "one").await;
    assert_eq!(response.user_errors("orderCreate"), []);
    assert_eq!(app.stock(product.id).await, 4);
}

#[tokio::test]
async fn other_errors_are_not_retried() {
    let app = TestApp::new().await;
    two_rows(&app).await;
    let attempts = AtomicU32::new(0);
    let failing = async |error: Error| {
        attempts.store(0, Relaxed);
        let error = &error;
        let attempts = &attempts;
        let done = app.database.db.transaction(async move |conn| -> Result<()> {
            attempts.fetch_add(1, Relaxed);
            run(conn, "UPDATE fought SET n = n + 1").await?;
            Err(error.clone())
        });
        done.await.unwrap_err();
        attempts.load(Relaxed)
    };
    assert_eq!(failing(Error::Unavailable("gone".into())).await, 1);
    assert_eq!(failing(Error::Internal("a fault".into())).await, 1);
    assert_eq!(failing(Error::bad_input("name", "wrong")).await, 1);
    assert_eq!(failing(Error::Retry("lost".into())).await, 5);
    assert_eq!(rows(&app).await, "0 0");
}

#[tokio::test]
async fn concurrent_orders_of_the_same_products_all_succeed() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await;
    let spec = ProductSpec { stock: 100, ..ProductSpec::default() };
    let (one, two) = (app.product(website.id, spec.clone()).await.id, app.product(website.id, spec).await.id);
    let customer = app.customer().await;
    let orders = (0..20).map(|n| {
        let lines = if n % 2 == 0 { [(one, 1), (two, 1)] } else { [(two, 1), (one, 1)] };
        let customer = &customer;
        async move { customer.try_order(&lines, &n.to_string()).await.user_errors("orderCreate") }
    });
    for errors in futures_util::future::join_all(orders).await {
        assert_eq!(errors, []);
    }
    assert_eq!((app.stock(one).await, app.stock(two).await), (80, 80));
}

#[tokio::test]
async fn work_after_the_commit_is_done_once_and_not_after_a_rollback() {
    static CALLS: AtomicU32 = AtomicU32::new(0);
    let count = || {
        CALLS.fetch_add(1, Relaxed);
    };
    let app = TestApp::new().await;
    let db = &app.database.db;
    let failed: Result<()> = db
        .transaction(async |_| {
            after_commit(count);
            Err(Error::Internal("rolled back".into()))
        })
        .await;
    assert!(failed.is_err());
    let attempts = AtomicU32::new(0);
    let done = db.transaction(async |_| {
        after_commit(count);
        assert_eq!(CALLS.load(Relaxed), 0, "not inside the transaction");
        if attempts.fetch_add(1, Relaxed) < 2 { Err(Error::Retry("again".into())) } else { Ok(()) }
    });
    done.await.unwrap();
    assert_eq!((attempts.load(Relaxed), CALLS.load(Relaxed)), (3, 1));
}
