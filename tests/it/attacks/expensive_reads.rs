//! Reads that take long: many of them in one document, abandoned ones, and those of one client that others wait for.

use std::time::Duration;

use diesel_async::{AsyncPgConnection, SimpleAsyncConnection};
use futures_util::future::join_all;
use serde_json::{Value, json};
use souk::{auth::Permission, db::DbSettings};
use tokio::{io::AsyncWriteExt, net::TcpStream, time::timeout};

use crate::support::{ProductSpec, TestApp, TestDb};

/// Waits until a number of statements wait for a lock.
async fn wait_for_lock_waiters(app: &TestApp, expected: usize) {
    let sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let waiting = async {
        while app.database.scalar(sql).await != expected.to_string() {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(60), waiting).await.unwrap_or_else(|_| panic!("{expected} statements that wait"));
}

/// Locks the products until the connection is closed, so that every statement that reads them waits.
async fn lock_products(app: &TestApp) -> AsyncPgConnection {
    let mut session = app.database.raw_connection().await;
    session.batch_execute("BEGIN; LOCK TABLE products IN ACCESS EXCLUSIVE MODE").await.expect("the lock");
    session
}

/// Sends a query on a connection of its own, without waiting for the response.
async fn send(address: std::net::SocketAddr, headers: &str, query: &str) -> TcpStream {
    let body = json!({ "query": query }).to_string();
    let head = "POST /graphql HTTP/1.1\r\nhost: souk\r\ncontent-type: application/json\r\n";
    let mut socket = TcpStream::connect(address).await.expect("a connection");
    let request = format!("{head}{headers}content-length: {}\r\n\r\n{body}", body.len());
    socket.write_all(request.as_bytes()).await.expect("an open connection");
    socket
}

const FILTERED: &str = r#"{ products(where: {name: {contains: "mug"}}) { nodes { id } } }"#;

#[tokio::test]
async fn many_expensive_reads_in_one_document_are_rejected_before_they_run() {
    let app = TestApp::new().await;
    let aliases = |count: usize, field: &str| -> String {
        (0..count).map(|i| format!("a{i}: {}", field.replace("{i}", &i.to_string()))).collect::<Vec<_>>().join(" ")
    };
    let contains = vec![r#"{name: {contains: "mug"}}"#; 50].join(", ");
    for document in [
        format!("{{ {} }}", aliases(20, &format!("products(where: {{or: [{contains}]}}) {{ nodes {{ id }} }}"))),
        format!("{{ {} }}", aliases(20, "search(query: \"cofee tabel wodden {i}\") { didYouMean }")),
        format!("{{ {} }}", aliases(20, "products(onePerGroup: true) { nodes { id } }")),
        format!(
            "{{ {} }}",
            aliases(20, "search { totalCount { value } facets { brands { count } categories { count } } }")
        ),
        format!("{{ categories(first: 100) {{ nodes {{ {} }} }} }}", &FILTERED[2..FILTERED.len() - 2]),
    ] {
        let response = app.anonymous().run(&document).await;
        let document = &document[..document.len().min(200)];
        assert_eq!(response.json["errors"][0]["extensions"]["code"], "LIMIT_EXCEEDED", "{document}: {}", response.json);
        assert_eq!(response.json["data"], Value::Null);
        assert_eq!(response.json["extensions"]["sql"]["statements"], 0, "{document}");
    }
    app.anonymous().run(FILTERED).await.at("products.nodes");
    // The same filter given as a variable costs the same.
    let filter = json!({"or": vec![json!({"name": {"contains": "mug"}}); 50]});
    let variables = json!({ "w": filter });
    let document = "query ($w: ProductWhere) { products(where: $w) { nodes { id } } }";
    let response = app.anonymous().run_with(document, variables).await;
    assert_eq!(response.json["errors"][0]["extensions"]["code"], "LIMIT_EXCEEDED", "{}", response.json);
}

#[tokio::test]
async fn statements_of_a_client_that_is_gone_are_canceled() {
    let app = TestApp::new().await;
    let address = app.listen().await;
    let lock = lock_products(&app).await;
    let sockets = [send(address, "", FILTERED).await, send(address, "", FILTERED).await];
    wait_for_lock_waiters(&app, 2).await;
    drop(sockets);
    wait_for_lock_waiters(&app, 0).await;
    drop(lock);
    app.anonymous().run(FILTERED).await.at("products.nodes");
}

#[tokio::test]
async fn statements_of_an_operation_that_timed_out_are_canceled() {
    let app = TestApp::builder().http(|http| http.timeout = Duration::from_millis(300)).build().await;
    let admin = app.admin().await;
    let created = admin.mutate("categoryCreate", "category { id }", json!({ "name": "Mugs" })).await;
    assert_eq!(created.outcome("categoryCreate"), "done");
    let _lock = lock_products(&app).await;
    let nested =
        r#"{ categories { nodes { products(where: {name: {contains: "mug"}}, first: 1) { nodes { id } } } } }"#;
    for document in [FILTERED, nested] {
        let response = app.anonymous().run(document).await;
        assert_eq!(response.json["errors"][0]["extensions"]["code"], "TIMEOUT", "{}", response.json);
        wait_for_lock_waiters(&app, 0).await;
    }
}

#[tokio::test]
async fn one_client_leaves_connections_to_others() {
    let app = TestApp::new().await;
    let address = app.listen().await;
    let staff = app.user_with(&[Permission::ManageOrders], &[]).await;
    let lock = lock_products(&app).await;
    let mut sockets = Vec::new();
    for _ in 0..20 {
        sockets.push(send(address, "x-forwarded-for: 192.0.2.1\r\n", FILTERED).await);
    }
    let connections = DbSettings::default().expensive_read_connections;
    wait_for_lock_waiters(&app, connections / 4).await;
    // A list of orders is an expensive read too.
    staff
        .run(r#"{ orders(where: {contactEmail: {eq: "ada@souk.example"}}) { nodes { id } } }"#)
        .await
        .at("orders.nodes");
    drop((lock, sockets));
}

#[tokio::test]
async fn shoppers_who_want_the_same_product_leave_connections_to_others() {
    let settings = DbSettings::default();
    let pool_size = settings.pool_size;
    let app = TestApp::builder().database(TestDb::with_settings(&settings).await).build().await;
    let website = app.website("sailor").await.id;
    let product = app.product(website, ProductSpec { stock: 100, ..ProductSpec::default() }).await.id;
    let mut shoppers = Vec::new();
    for _ in 0..pool_size + 4 {
        let cart = app.anonymous().create_cart(&[(product, 1)]).await;
        shoppers.push((app.anonymous().with_cart(cart.token), cart.id));
    }
    let mut session = app.database.raw_connection().await;
    let lock = format!("BEGIN; SELECT FROM products WHERE id = {} FOR UPDATE", product.0);
    session.batch_execute(&lock).await.unwrap();
    let reservations = shoppers.iter().map(|(guest, id)| guest.mutate("cartReserve", "", json!({ "id": id })));
    let meanwhile = async {
        wait_for_lock_waiters(&app, pool_size - pool_size / 4).await;
        // Opens a session, which needs a transaction.
        app.customer().await;
        session.batch_execute("ROLLBACK").await.unwrap();
    };
    let (reserved, ()) = tokio::join!(join_all(reservations), meanwhile);
    for response in reserved {
        assert_eq!(response.outcome("cartReserve"), "done");
    }
}

#[tokio::test]
async fn a_write_does_not_wait_for_a_lock_forever() {
    let settings = DbSettings { lock_timeout: Duration::from_millis(100), ..DbSettings::default() };
    let database = TestDb::with_settings(&settings).await;
    let app = TestApp::builder().database(database).build().await;
    let website = app.website("sailor").await.id;
    let product = app.product(website, ProductSpec { stock: 1, ..ProductSpec::default() }).await.id;
    let cart = app.anonymous().create_cart(&[(product, 1)]).await;
    let mut session = app.database.raw_connection().await;
    let lock = format!("BEGIN; SELECT FROM products WHERE id = {} FOR UPDATE", product.0);
    session.batch_execute(&lock).await.unwrap();
    let guest = app.anonymous().with_cart(cart.token);
    let response = guest.mutate("cartReserve", "", json!({ "id": cart.id })).await;
    assert_eq!(response.json["errors"][0]["extensions"]["code"], "CONFLICT", "{}", response.json);
}
