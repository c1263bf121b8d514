//! Subscriptions as streamed responses: Server-Sent Events and multipart.

use std::{net::SocketAddr, time::Duration};

use serde_json::{Value, json};
use souk::config::ConnectionSettings;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::oneshot,
    time::timeout,
};

use crate::support::{Actor, ProductSpec, TestApp};

const EVENTS: &str = "text/event-stream";
const MULTIPART: &str = "multipart/mixed;boundary=\"graphql\";subscriptionSpec=\"1.0\",application/json";
const PRODUCTS: &str = "subscription { productChanged { productId kind } }";

/// A response that is being received.
struct Stream {
    stream: TcpStream,
    received: String,
}

impl Stream {
    /// Sends an operation and receives the head of the response.
    async fn open(address: SocketAddr, actor: &Actor<'_>, accept: &str, document: &str) -> Self {
        let mut stream = TcpStream::connect(address).await.expect("a connection");
        let authorization = actor.token().map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
        let body = json!({ "query": document }).to_string();
        let request = format!(
            "POST /graphql HTTP/1.1\r\nHost: souk\r\nAccept: {accept}\r\nAccept-Encoding: gzip\r\n{authorization}\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).await.expect("sent");
        let mut opened = Self { stream, received: String::new() };
        opened.wait_for("\r\n\r\n").await;
        opened
    }

    /// Receives until the text occurs, and returns everything up to and with it.
    async fn wait_for(&mut self, text: &str) -> String {
        loop {
            if let Some(at) = self.received.find(text) {
                let rest = self.received.split_off(at + text.len());
                return std::mem::replace(&mut self.received, rest);
            }
            let mut buffer = [0; 4096];
            let read = timeout(Duration::from_secs(20), self.stream.read(&mut buffer)).await;
            let count = read.unwrap_or_else(|_| panic!("no {text:?} in {:?}", self.received)).expect("readable");
            assert!(count > 0, "the response ended: {:?}", self.received);
            self.received.push_str(&String::from_utf8_lossy(&buffer[..count]));
        }
    }

    /// Receives to the end of the connection.
    async fn rest(&mut self) -> String {
        let mut rest = Vec::new();
        timeout(Duration::from_secs(20), self.stream.read_to_end(&mut rest)).await.expect("an end").ok();
        std::mem::take(&mut self.received) + &String::from_utf8_lossy(&rest)
    }
}

async fn shop() -> (TestApp, SocketAddr) {
    let app = TestApp::new().await;
    app.product(app.website("main").await.id, ProductSpec::default()).await;
    let address = app.listen().await;
    (app, address)
}

#[tokio::test]
async fn events_are_sent_as_server_sent_events() {
    let (app, address) = shop().await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    let query = "query=subscription%7BproductChanged%7Bkind%7D%7D";
    let request = format!("GET /graphql?{query} HTTP/1.1\r\nHost: souk\r\nAccept: {EVENTS}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut stream = Stream { stream, received: String::new() };
    let head = stream.wait_for("\r\n\r\n").await.to_lowercase();
    assert!(head.starts_with("http/1.1 200") && head.contains("content-type: text/event-stream"), "{head}");
    assert!(head.contains("cache-control: private, no-store") && !head.contains("content-encoding"), "{head}");
    stream.wait_for(":\n\n").await;
    for _ in 0..2 {
        app.database.sql("UPDATE products SET name = name || '!'").await;
        stream.wait_for("event: next\ndata: {\"data\":{\"productChanged\":{\"kind\":\"UPDATED\"}}}\n\n").await;
    }
    drop(stream);
    app.wait_for_subscriptions(0).await;
}

#[tokio::test]
async fn events_are_sent_as_parts() {
    let (app, address) = shop().await;
    let mut stream = Stream::open(address, &app.anonymous(), MULTIPART, PRODUCTS).await;
    stream.wait_for("--graphql").await;
    app.database.sql("UPDATE products SET name = 'Mug'").await;
    stream.wait_for("\r\ncontent-type: application/json\r\n\r\n{\"payload\":{\"data\":{\"productChanged\"").await;
    let rest = stream.wait_for("\r\n--graphql").await;
    assert!(rest.contains("\"kind\":\"UPDATED\"}}}}"), "{rest}");
}

#[tokio::test]
async fn operations_with_one_response_are_events_only_if_nothing_else_is_accepted() {
    let (app, address) = shop().await;
    let query = "{ websites { nodes { code } } }";
    let mut stream = Stream::open(address, &app.anonymous(), EVENTS, query).await;
    stream.wait_for("event: next\ndata: {\"data\":{\"websites\":{\"nodes\":[{\"code\":\"main\"}]}}").await;
    stream.wait_for("event: complete\ndata:\n\n").await;
    let mut stream = Stream::open(address, &app.anonymous(), EVENTS, "{ nothing }").await;
    stream.wait_for("event: next\ndata: {\"errors\":[").await;
    stream.wait_for("event: complete\ndata:\n\n").await;
    // As urql sends each operation.
    let all = "application/graphql-response+json, application/json, text/event-stream, multipart/mixed";
    let mut stream = Stream::open(address, &app.anonymous(), all, query).await;
    stream.wait_for("{\"data\":{\"websites\"").await;
    let mut stream = Stream::open(address, &app.anonymous(), all, PRODUCTS).await;
    stream.wait_for(":\n\n").await;
    app.wait_for_subscriptions(1).await;
}

#[tokio::test]
async fn subscriptions_without_a_format_for_events_are_rejected() {
    let (app, _) = shop().await;
    let response = app.anonymous().run(PRODUCTS).await;
    assert_eq!(response.code(), "BAD_USER_INPUT");
    assert!(response.json["errors"][0]["message"].as_str().unwrap().contains("graphql-transport-ws"));
}

#[tokio::test]
async fn an_ended_session_ends_its_stream_with_an_error() {
    let (app, address) = shop().await;
    let customer = app.customer().await;
    let mut stream = Stream::open(address, &customer, EVENTS, "subscription { cartUpdated { cartId } }").await;
    app.wait_for_subscriptions(1).await;
    customer.run("mutation { logout { userErrors { code } } }").await;
    let last = stream.wait_for("event: complete\ndata:\n\n").await;
    let data = last.split("data: ").nth(1).and_then(|text| text.lines().next()).expect("an event");
    let response: Value = serde_json::from_str(data).expect("JSON");
    assert_eq!(response["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
}

#[tokio::test]
async fn heartbeats_are_sent_while_nothing_happens() {
    let app =
        TestApp::builder().http(|http| http.subscriptions.ping_interval = Duration::from_millis(100)).build().await;
    let address = app.listen().await;
    let mut events = Stream::open(address, &app.anonymous(), EVENTS, PRODUCTS).await;
    let mut parts = Stream::open(address, &app.anonymous(), MULTIPART, PRODUCTS).await;
    for _ in 0..3 {
        events.wait_for(":\n\n").await;
        parts.wait_for("\r\n\r\n{}\r\n--graphql").await;
    }
}

#[tokio::test]
async fn a_server_that_stops_cuts_its_streams_off_and_ends() {
    let app = TestApp::new().await;
    let (stop, stopped) = oneshot::channel::<()>();
    let (address, server) = app.listen_with(ConnectionSettings::default(), async { drop(stopped.await) }).await;
    let mut stream = Stream::open(address, &app.anonymous(), EVENTS, PRODUCTS).await;
    app.wait_for_subscriptions(1).await;
    stop.send(()).unwrap();
    let rest = stream.rest().await;
    assert!(!rest.contains("complete") && !rest.ends_with("0\r\n\r\n"), "{rest}");
    server.await.unwrap();
}

#[tokio::test]
async fn streams_of_a_client_are_limited() {
    let app = TestApp::builder()
        .http(|http| {
            http.rates.exempt.clear();
            http.subscriptions.connections_per_client = 1;
        })
        .build()
        .await;
    let address = app.listen().await;
    let _one = Stream::open(address, &app.anonymous(), EVENTS, PRODUCTS).await;
    app.wait_for_subscriptions(1).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!(
        "GET /graphql?query=subscription%7BproductChanged%7Bkind%7D%7D HTTP/1.1\r\nHost: souk\r\nAccept: {EVENTS}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut second = Stream { stream, received: String::new() };
    let head = second.wait_for("\r\n\r\n").await;
    assert!(head.starts_with("HTTP/1.1 429"), "{head}");
}
