//! Large responses are compressed for clients that ask for it; small ones and compressed files are sent as they are.

use std::io::Read;

use axum::{
    body::Body,
    http::{HeaderMap, Request},
};
use flate2::read::GzDecoder;
use serde_json::json;

use crate::support::TestApp;

/// Returns the response headers and body for a client that accepts this encoding.
async fn fetch(app: &TestApp, document: &str, encoding: Option<&str>) -> (HeaderMap, Vec<u8>) {
    let mut request = Request::post("/graphql").header("content-type", "application/json");
    if let Some(encoding) = encoding {
        request = request.header("accept-encoding", encoding);
    }
    let body = Body::from(json!({ "query": document }).to_string());
    let (status, headers, bytes) = app.send(request.body(body).expect("a request")).await;
    assert_eq!(status, 200);
    (headers, bytes)
}

const LARGE: &str = "{ __schema { types { name description } } }";

#[tokio::test]
async fn large_response_is_compressed_if_the_client_accepts_it() {
    let app = TestApp::new().await;
    let (plain_headers, plain) = fetch(&app, LARGE, None).await;
    assert!(!plain_headers.contains_key("content-encoding"));
    let (headers, compressed) = fetch(&app, LARGE, Some("gzip")).await;
    assert_eq!(headers["content-encoding"], "gzip");
    let varies = headers.get_all("vary").iter().any(|value| value.to_str().unwrap().contains("accept-encoding"));
    assert!(varies, "{headers:?}");
    assert!(compressed.len() * 3 < plain.len(), "{} of {} bytes", compressed.len(), plain.len());
    let mut text = Vec::new();
    GzDecoder::new(&compressed[..]).read_to_end(&mut text).expect("gzip");
    let data = |bytes: &[u8]| serde_json::from_slice::<serde_json::Value>(bytes).expect("JSON")["data"].clone();
    assert_eq!(data(&text), data(&plain));
    for encoding in ["br", "zstd"] {
        assert_eq!(fetch(&app, LARGE, Some(encoding)).await.0["content-encoding"], encoding);
    }
}

#[tokio::test]
async fn small_response_is_not_compressed() {
    let app = TestApp::new().await;
    let (headers, bytes) = fetch(&app, "{ __typename }", Some("gzip, br, zstd")).await;
    assert!(!headers.contains_key("content-encoding"));
    assert_eq!(serde_json::from_slice::<serde_json::Value>(&bytes).expect("JSON")["data"]["__typename"], "Query");
}
