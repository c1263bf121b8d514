//! Automatic persisted queries: documents named by their hash, as Apollo clients send them.

use axum::{
    body::Body,
    http::{HeaderMap, Request},
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::support::{RedisServer, TestApp};

const CATEGORIES: &str = "query Page($n: Int!) { categories(first: $n) { nodes { slug } } }";

fn hash(text: &str) -> String {
    hex::encode(Sha256::digest(text.as_bytes()))
}

fn extension(hash: &str) -> Value {
    json!({ "persistedQuery": { "version": 1, "sha256Hash": hash } })
}

/// Returns a request with this text, if any, and this hash.
fn request(text: Option<&str>, hash: &str) -> Value {
    let mut request = json!({ "variables": { "n": 1 }, "extensions": extension(hash) });
    if let Some(text) = text {
        request["query"] = text.into();
    }
    request
}

async fn send(app: &TestApp, request: Request<Body>) -> (u16, HeaderMap, Value) {
    let (status, headers, bytes) = app.send(request).await;
    (status.as_u16(), headers, serde_json::from_slice(&bytes).unwrap())
}

async fn post(app: &TestApp, accept: &str, request: &Value) -> (u16, HeaderMap, Value) {
    let builder = Request::post("/graphql").header("content-type", "application/json").header("accept", accept);
    send(app, builder.body(Body::from(request.to_string())).unwrap()).await
}

async fn post_json(app: &TestApp, request: &Value) -> Value {
    post(app, "application/json", request).await.2
}

/// Sends the hash without the text by GET.
async fn get(app: &TestApp, hash: &str) -> (u16, HeaderMap, Value) {
    let encode = |value: Value| value.to_string().bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
    let query = format!("extensions={}&variables={}", encode(extension(hash)), encode(json!({"n": 1})));
    send(app, Request::get(format!("/graphql?{query}")).body(Body::empty()).unwrap()).await
}

fn code(response: &Value) -> &str {
    assert!(response.get("data").is_none(), "{response}");
    response["errors"][0]["extensions"]["code"].as_str().unwrap()
}

#[tokio::test]
async fn document_is_found_by_its_hash_once_its_text_was_sent() {
    let app = TestApp::new().await;
    app.category("ropes", None).await;
    let data = json!({ "categories": { "nodes": [{ "slug": "ropes" }] } });
    let by_hash = request(None, &hash(CATEGORIES));
    for accept in ["application/json", "application/graphql-response+json"] {
        let (status, headers, response) = post(&app, accept, &by_hash).await;
        assert_eq!((status, code(&response)), (200, "PERSISTED_QUERY_NOT_FOUND"));
        assert_eq!(response["errors"][0]["message"], "PersistedQueryNotFound");
        assert_eq!(headers["cache-control"], "no-store");
    }
    assert_eq!(code(&get(&app, &hash(CATEGORIES)).await.2), "PERSISTED_QUERY_NOT_FOUND");

    assert_eq!(post_json(&app, &request(Some(CATEGORIES), &hash(CATEGORIES))).await["data"], data);
    assert_eq!(post_json(&app, &by_hash).await["data"], data);
    let (_, headers, response) = get(&app, &hash(CATEGORIES)).await;
    assert_eq!(response["data"], data);
    assert_eq!(headers["cache-control"], "private, no-store");
    // Empty text and an upper-case hash are what some clients send.
    assert_eq!(post_json(&app, &request(Some(""), &hash(CATEGORIES).to_uppercase())).await["data"], data);
    // Other servers have a store of their own, so that each of them asks for the text.
    assert_eq!(code(&post_json(&app.second_server().await, &by_hash).await), "PERSISTED_QUERY_NOT_FOUND");
}

#[tokio::test]
async fn stored_document_passes_the_same_checks() {
    let app = TestApp::new().await;
    let mutation = r#"mutation { register(input: { name: "Eve", email: "eve@souk.example",
        password: "a long enough password" }) { user { id } userErrors { code } } }"#;
    let orders = "query ($n: Int!) { orders(first: $n) { nodes { id } } }";
    for text in [CATEGORIES, mutation, orders] {
        post_json(&app, &request(Some(text), &hash(text))).await;
    }
    assert_eq!(app.database.scalar("SELECT count(*) FROM users").await, "1");
    let mut bad_variable = request(None, &hash(CATEGORIES));
    bad_variable["variables"]["n"] = "x".into();
    assert_eq!(code(&post_json(&app, &bad_variable).await), "BAD_USER_INPUT");
    bad_variable["variables"] = json!({});
    assert_eq!(code(&post_json(&app, &bad_variable).await), "BAD_USER_INPUT");
    assert_eq!(
        post_json(&app, &request(None, &hash(orders))).await["errors"][0]["extensions"]["code"],
        "UNAUTHENTICATED"
    );
    let (status, _, response) = get(&app, &hash(mutation)).await;
    assert_eq!((status, code(&response)), (405, "BAD_USER_INPUT"));
    assert_eq!(app.database.scalar("SELECT count(*) FROM users").await, "1");
}

#[tokio::test]
async fn only_documents_that_passed_all_checks_are_stored_under_their_own_hash() {
    let app = TestApp::new().await;
    let large = "{ products(first: 100) { nodes { category { products(first: 100) { nodes { id name sku } } } } } }";
    for (text, expected) in
        [("{ me { id }", "BAD_USER_INPUT"), ("{ my { id } }", "BAD_USER_INPUT"), (large, "LIMIT_EXCEEDED")]
    {
        assert_eq!(code(&post_json(&app, &request(Some(text), &hash(text))).await), expected, "{text}");
        assert_eq!(code(&post_json(&app, &request(None, &hash(text))).await), "PERSISTED_QUERY_NOT_FOUND", "{text}");
    }
    let wrong = request(Some("query ($n: Int) { categories(first: $n) { nodes { id } } }"), &hash(CATEGORIES));
    let response = post_json(&app, &wrong).await;
    assert_eq!(code(&response), "BAD_USER_INPUT");
    assert!(response["errors"][0]["message"].as_str().unwrap().contains("not the hash of `query`"), "{response}");
    assert_eq!(code(&post_json(&app, &request(None, &hash(CATEGORIES))).await), "PERSISTED_QUERY_NOT_FOUND");
}

#[tokio::test]
async fn malformed_extensions_are_rejected() {
    let app = TestApp::new().await;
    let hash = hash(CATEGORIES);
    for extension in [
        json!("x"),
        json!({}),
        json!({ "version": 2, "sha256Hash": hash }),
        json!({ "sha256Hash": hash }),
        json!({ "version": 1 }),
        json!({ "version": 1, "sha256Hash": 1 }),
        json!({ "version": 1, "sha256Hash": "" }),
        json!({ "version": 1, "sha256Hash": hash[1..] }),
        json!({ "version": 1, "sha256Hash": hash.replace(|c: char| c.is_ascii_digit(), "x") }),
    ] {
        let request = json!({ "extensions": { "persistedQuery": extension } });
        assert_eq!(code(&post_json(&app, &request).await), "BAD_USER_INPUT", "{request}");
    }
    let none = json!({ "query": "{ me { id } }", "extensions": { "persistedQuery": null } });
    assert_eq!(post_json(&app, &none).await["data"], json!({ "me": null }));
}

#[tokio::test]
async fn servers_share_texts_through_redis() {
    let redis = RedisServer::start();
    let one = TestApp::builder().redis(&redis).build().await;
    let two = TestApp::builder().redis(&redis).database(one.database.second_handle().await).build().await;
    let by_hash = request(None, &hash(CATEGORIES));
    assert_eq!(post_json(&two, &by_hash).await["errors"][0]["message"], "PersistedQueryNotFound");
    assert!(post_json(&one, &request(Some(CATEGORIES), &hash(CATEGORIES))).await["data"].is_object());
    redis.wait_for_keys("souk:document:*").await;
    // On a busy machine Redis may not respond in the time that a request waits for it.
    let mut is_found = false;
    for _ in 0..1_000 {
        if post_json(&two, &by_hash).await["data"].is_object() {
            is_found = true;
            break;
        }
    }
    assert!(is_found);
    // From now on it has the text itself. A text that is not that of its hash is not used.
    let _: i64 = redis.run(redis::cmd("DEL").arg(format!("souk:document:{}", hash(CATEGORIES)))).await;
    assert!(post_json(&two, &by_hash).await["data"].is_object());
    let other = hash("{ __typename }");
    let _: String = redis.run(redis::cmd("SET").arg(format!("souk:document:{other}")).arg(CATEGORIES)).await;
    assert_eq!(post_json(&two, &request(None, &other)).await["errors"][0]["message"], "PersistedQueryNotFound");
}
