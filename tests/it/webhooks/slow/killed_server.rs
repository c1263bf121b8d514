//! A server that is killed between a change and its delivery loses nothing.

use serde_json::Value;
use tokio::net::TcpListener;

use super::super::receiver::{Behavior, Receiver};
use crate::support::{
    TestDb,
    process::{DataDir, ServerProcess},
    psql::Psql,
};

fn start(directory: &DataDir, url: &str) -> ServerProcess {
    let mut command = directory.command(&["serve", "--listen", "127.0.0.1:0"]);
    command.env("DATABASE_URL", url).env("SOUK_FETCH_PRIVATE", "true");
    ServerProcess::start(command)
}

fn names(receiver: &Receiver) -> Vec<Value> {
    receiver.take().iter().map(|request| request.json()["data"]["event"]["product"]["name"].clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_loses_no_event() {
    let (directory, database) = (DataDir::new(), TestDb::new().await);
    let url = database.db.url().to_owned();
    let psql = Psql::connect(&url).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let receiver = Receiver::on(listener);
    psql.rows(&format!(
        "INSERT INTO websites (code, name, base_url, currency) VALUES ('main', 'Main', 'https://main.example', 'EUR');
         INSERT INTO products (source_website_id, name, slug, sku, price) SELECT id, 'Rope', 'rope', 'ROPE', 1 FROM websites;
         INSERT INTO users (name, email, role_id) SELECT 'Ada', 'ada@shop.example', id FROM roles WHERE code = 'admin';
         INSERT INTO webhook_subscriptions (user_id, url, events, secret)
             SELECT id, '{}', '{{product_updated}}', '0123456789abcdef' FROM users",
        receiver.url
    ))
    .await;
    // Killed while an attempt is being made: the receiver has the event, the server does not know.
    let server = start(&directory, &url);
    receiver.respond(Behavior::Hang);
    psql.rows("UPDATE products SET name = 'Rope 1'").await;
    receiver.wait_for(1).await;
    server.signal("-KILL");
    server.wait();
    assert_eq!(names(&receiver), ["Rope 1"]);
    // Changed while no server runs.
    psql.rows("UPDATE products SET name = 'Rope 2'").await;
    receiver.respond(Behavior::Status(200));
    // The leases of the job and of the attempt end.
    psql.rows("UPDATE jobs SET locked_until = NULL; UPDATE webhook_deliveries SET locked_until = NULL").await;
    let server = start(&directory, &url);
    receiver.wait_for(2).await;
    assert_eq!(names(&receiver), ["Rope 2", "Rope 2"], "both events, with the product as it is now");
    let pending = || async { psql.scalar("SELECT count(*) FROM webhook_deliveries WHERE status = 'pending'").await };
    while pending().await != "0" {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!(psql.scalar("SELECT string_agg(attempts::text, ' ' ORDER BY id) FROM webhook_deliveries").await, "2 1");
    // Stopped while an attempt is being made: it is completed.
    psql.rows("UPDATE products SET name = 'Rope 3'").await;
    receiver.wait_for(1).await;
    assert_eq!(server.stop(), Some(0));
    assert_eq!(psql.scalar("SELECT count(*) FROM webhook_deliveries WHERE status = 'delivered'").await, "3");
}
