//! A client that does not receive its events.

use std::time::Duration;

use souk::{config::ConnectionSettings, ids::RowId};

use crate::support::{ProductSpec, TestApp};

#[tokio::test]
async fn a_client_that_does_not_read_is_told_and_closed() {
    let app = TestApp::new().await;
    let product = app.product(app.website("main").await.id, ProductSpec::default()).await;
    let id = product.id.to_global_id();
    // Each event is large, so that few fit into the buffers of the connection.
    app.database.sql("UPDATE products SET description = repeat('long ', 4000)").await;
    let copies: String = (0..25).map(|n| format!("d{n}: description ")).collect();
    let document = format!("subscription {{ productChanged(id: {id:?}) {{ product {{ {copies} }} }} }}");
    // Otherwise the connection is cut off first.
    let settings = ConnectionSettings { stall_timeout: Duration::from_secs(300), ..ConnectionSettings::default() };
    let (address, _server) = app.listen_with(settings, std::future::pending()).await;
    let mut socket = app.anonymous().subscribe(address, &document).await;
    // More events than wait for a subscription, besides those that fit into the buffers.
    for _ in 0..400 {
        app.database.sql("UPDATE products SET tags = ARRAY[(coalesce(tags[1], '0')::int + 1)::text]").await;
    }
    app.wait_for_subscriptions(0).await;
    // Longer than a client may take to receive what waits for it.
    tokio::time::sleep(Duration::from_secs(11)).await;
    let told = loop {
        let message = socket.receive().await.json();
        if message["type"] == "error" {
            break message;
        }
    };
    assert_eq!(told["payload"][0]["extensions"]["code"], "LIMIT_EXCEEDED", "{told}");
    assert_eq!(socket.receive().await.code(), 1013);
}
