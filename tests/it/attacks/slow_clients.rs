//! Clients that open connections and keep them: silent, with headers or a body that never end, or without reading the response.
//! Others are served, and the server can stop.

use std::{net::SocketAddr, time::Duration};

use axum::body::Bytes;
use souk::config::ConnectionSettings;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    sync::oneshot,
    time::{interval, timeout},
};

use crate::support::TestApp;

const PROBE: &str = "GET /livez HTTP/1.1\r\nhost: souk\r\nconnection: close\r\n\r\n";
const MINUTE: Duration = Duration::from_secs(60);

/// Settings with time limits that the tests do not reach.
fn patient() -> ConnectionSettings {
    ConnectionSettings { header_timeout: MINUTE, idle_timeout: MINUTE, stall_timeout: MINUTE, ..Default::default() }
}

async fn connect(address: SocketAddr, text: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    stream.write_all(text.as_bytes()).await.expect("sent");
    stream
}

/// Reads until the server closes the connection, or resets it.
async fn read_to_close(mut stream: TcpStream) -> String {
    let mut bytes = Vec::new();
    let _ = timeout(MINUTE, stream.read_to_end(&mut bytes)).await.expect("a connection that the server closes");
    String::from_utf8_lossy(&bytes).into_owned()
}

async fn assert_served(address: SocketAddr) {
    let response = read_to_close(connect(address, PROBE).await).await;
    assert!(response.starts_with("HTTP/1.1 200 "), "{response}");
}

#[tokio::test]
async fn silent_sockets_and_endless_headers_are_closed() {
    let app = TestApp::new().await;
    let settings = ConnectionSettings { max_connections: 30, header_timeout: Duration::from_millis(500), ..patient() };
    let (address, _) = app.listen_with(settings, std::future::pending()).await;
    let mut attackers = Vec::new();
    for number in 0..30 {
        let start = ["", "POST /graphql HTTP/1.1\r\nhost: souk\r\nx-a: "][number % 2];
        let (mut read, mut write) = connect(address, start).await.into_split();
        // One byte after the other, so that the connection is never idle for long.
        let drip = async move {
            let mut pauses = interval(Duration::from_millis(50));
            while number % 2 == 1 && write.write_all(b"b").await.is_ok() {
                pauses.tick().await;
            }
            write
        };
        let drip = tokio::spawn(drip);
        attackers.push(async move {
            let mut bytes = Vec::new();
            let _ = timeout(MINUTE, read.read_to_end(&mut bytes)).await.expect("a connection that the server closes");
            drop(drip.await);
        });
    }
    assert_served(address).await;
    futures_util::future::join_all(attackers).await;
}

#[tokio::test]
async fn connection_is_closed_when_it_was_idle_after_a_request() {
    let app = TestApp::new().await;
    let settings = ConnectionSettings { idle_timeout: Duration::from_millis(200), ..patient() };
    let (address, _) = app.listen_with(settings, std::future::pending()).await;
    let response = read_to_close(connect(address, "GET /livez HTTP/1.1\r\nhost: souk\r\n\r\n").await).await;
    assert!(response.ends_with("ok\n"), "{response}");
}

#[tokio::test]
async fn one_address_cannot_take_all_connections() {
    let app = TestApp::new().await;
    let settings = ConnectionSettings { max_connections: 20, max_connections_per_address: 5, ..patient() };
    let (address, _) = app.listen_with(settings, std::future::pending()).await;
    let mut held = Vec::new();
    for _ in 0..5 {
        held.push(connect(address, "").await);
    }
    for _ in 0..20 {
        assert_eq!(read_to_close(TcpStream::connect(address).await.unwrap()).await, "");
    }
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.2:0".parse().unwrap()).unwrap();
    let mut other = socket.connect(address).await.unwrap();
    other.write_all(PROBE.as_bytes()).await.unwrap();
    assert!(read_to_close(other).await.starts_with("HTTP/1.1 200 "));
    // A connection that ends makes room for another.
    drop(held.pop());
    while !read_to_close(connect(address, PROBE).await).await.starts_with("HTTP/1.1 200 ") {}
}

#[tokio::test]
async fn endless_bodies_are_rejected_on_every_route() {
    let app = TestApp::new().await;
    let settings = ConnectionSettings { stall_timeout: Duration::from_millis(300), ..patient() };
    let (address, _) = app.listen_with(settings, std::future::pending()).await;
    let token = format!("authorization: Bearer {}\r\n", app.manager().await.token().unwrap());
    let form = format!("content-type: multipart/form-data; boundary=b\r\ngraphql-require-preflight: 1\r\n{token}");
    for (target, headers, start, expected) in [
        ("/graphql", "content-type: application/json\r\n", "{\"query\": ", "408"),
        ("/graphql", &form, "--b\r\nContent-Disposition: form-data; name=\"operations\"\r\n\r\n{", "408"),
        ("/webhooks/payments/test", "", "{", "408"),
        // Rejected before the body is read; it is discarded for a limited time.
        ("/nothing", "", "x", "404"),
    ] {
        let request = format!("POST {target} HTTP/1.1\r\nhost: souk\r\ncontent-length: 1000\r\n{headers}\r\n{start}");
        let response = read_to_close(connect(address, &request).await).await;
        assert!(response.starts_with(&format!("HTTP/1.1 {expected} ")), "{target}: {response}");
    }
}

#[tokio::test]
async fn client_that_does_not_read_the_response_is_disconnected() {
    let app = TestApp::new().await;
    // More than the buffers of both sockets hold.
    let file = Bytes::from(vec![b'x'; 32 * 1024 * 1024]);
    let path = format!("media/{}/160.webp", "ab".repeat(32));
    app.services.storage.put(&path, file).await.unwrap();
    let expires_at = chrono::Utc::now() + chrono::Duration::hours(1);
    let target = app.services.storage.signed_media_url(&path, expires_at).await.unwrap();
    let settings = ConnectionSettings { max_connections: 1, stall_timeout: Duration::from_millis(300), ..patient() };
    let (address, _) = app.listen_with(settings, std::future::pending()).await;
    let _held = connect(address, &format!("GET {target} HTTP/1.1\r\nhost: souk\r\n\r\n")).await;
    assert_served(address).await;
}

#[tokio::test]
async fn server_stops_although_clients_are_slow() {
    let app = TestApp::new().await;
    let (stop, stopped) = oneshot::channel::<()>();
    let (address, server) = app.listen_with(patient(), async { drop(stopped.await) }).await;
    let body =
        "POST /graphql HTTP/1.1\r\nhost: souk\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{";
    let _held = [
        connect(address, "").await,
        connect(address, "POST /graphql HTTP/1.1\r\nhost").await,
        connect(address, body).await,
    ];
    assert_served(address).await;
    stop.send(()).unwrap();
    // Less than the time limits of the clients.
    timeout(MINUTE / 2, server).await.expect("a server that stops").unwrap();
}
