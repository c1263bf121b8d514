//! A server that is killed loses no events: clients resume at another one.

use std::collections::HashMap;

use serde_json::Value;

use crate::support::{
    TestDb,
    process::{DataDir, ServerProcess},
    psql::Psql,
    websocket::WebSocket,
};

/// Number of changes that are made.
const CHANGES: usize = 400;

fn start(directory: &DataDir, url: &str) -> ServerProcess {
    let mut command = directory.command(&["serve", "--listen", "127.0.0.1:0"]);
    command.env("DATABASE_URL", url);
    ServerProcess::start(command)
}

fn document(after: Option<&str>) -> String {
    let after = after.map(|cursor| format!("(after: \"{cursor}\")")).unwrap_or_default();
    format!("subscription {{ productChanged{after} {{ productId product {{ description }} cursor }} }}")
}

async fn subscribe(server: &ServerProcess, after: Option<&str>) -> WebSocket {
    let mut socket = WebSocket::connect_with(server.address, serde_json::json!({})).await;
    socket.start(&document(after)).await;
    socket
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_of_a_killed_server_resumes_at_another_one() {
    let (directory, database) = (DataDir::new(), TestDb::new().await);
    let url = database.db.url().to_owned();
    let psql = Psql::connect(&url).await;
    psql.rows(
        "INSERT INTO websites (code, name, base_url, currency) VALUES ('main', 'Main', 'https://main.example', 'EUR')",
    )
    .await;
    psql.rows(
        "INSERT INTO products (source_website_id, name, slug, sku, price, description)
         SELECT (SELECT id FROM websites), 'P' || n, 'p' || n, 'P' || n, 1, '0' FROM generate_series(1, 10) n",
    )
    .await;
    let mut servers = [start(&directory, &url), start(&directory, &url)];
    let mut socket = subscribe(&servers[0], None).await;
    // The first event shows that the subscription has started.
    let mut cursor = String::new();
    while cursor.is_empty() {
        psql.rows("UPDATE products SET name = name || '.' WHERE sku = 'P1'").await;
        let received = tokio::time::timeout(std::time::Duration::from_millis(500), socket.receive()).await;
        if let Ok(message) = received {
            cursor = cursor_of(&message.json());
        }
    }
    let writer = tokio::spawn(async move {
        for n in 1..=CHANGES {
            psql.rows(&format!("UPDATE products SET description = '{n}' WHERE sku = 'P{}'", n % 10 + 1)).await;
        }
    });
    let mut last: HashMap<String, usize> = HashMap::new();
    let (mut received, mut killed) = (0, 0);
    let is_complete = |last: &HashMap<String, usize>| last.len() == 10 && last.values().all(|n| *n > CHANGES - 10);
    while received < CHANGES || !is_complete(&last) {
        let message = socket.receive().await;
        let crate::support::websocket::Received::Json(message) = message else { panic!("closed: {message:?}") };
        let change = &message["payload"]["data"]["productChanged"];
        let id = change["productId"].as_str().unwrap_or_else(|| panic!("no event: {message}")).to_owned();
        let n: usize = change["product"]["description"].as_str().unwrap().parse().unwrap();
        // In the order of the changes: what an event shows is never older than what was shown before.
        assert!(last.insert(id, n).is_none_or(|before| before <= n), "{message}");
        cursor = cursor_of(&message);
        received += usize::from(n > 0);
        if received % 60 == 0 && killed < 4 {
            killed += 1;
            servers.swap(0, 1);
            servers[1].signal("-KILL");
            socket = subscribe(&servers[0], Some(&cursor)).await;
            servers[1] = start(&directory, &url);
        }
    }
    writer.await.unwrap();
    assert!(killed >= 2, "{received} events");
    assert!(socket.is_silent().await, "each change is one event");
}

fn cursor_of(message: &Value) -> String {
    message["payload"]["data"]["productChanged"]["cursor"].as_str().expect("a cursor").to_owned()
}
