//! Trusted documents: clients name them by ID, and a server can be limited to them.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use souk::{
    config::LimitSettings,
    trusted_documents::{
        actions::{Pushed, push, remove},
        manifest::parse,
    },
};

use crate::support::{TestApp, websocket::WebSocket};

const DOCUMENT: &str = "query Sites($first: Int = 5) { websites(first: $first) { nodes { code } } }";

async fn with_document(app: TestApp, id: &str) -> TestApp {
    app.website("main").await;
    let documents = parse(&json!({ id: DOCUMENT }).to_string()).expect("a manifest");
    assert_eq!(push(&app.database.db, &documents).await.unwrap(), Pushed { added: 1, unchanged: 0 });
    app
}

async fn post(app: &TestApp, body: Value) -> Value {
    let request = app.anonymous().request().body(body.to_string().into()).expect("a request");
    let (_, _, body) = app.send(request).await;
    serde_json::from_slice(&body).expect("JSON")
}

async fn get(app: &TestApp, query: &str) -> Value {
    let request = axum::http::Request::get(format!("/graphql?{query}")).body(axum::body::Body::empty()).unwrap();
    let (_, _, body) = app.send(request).await;
    serde_json::from_slice(&body).expect("JSON")
}

fn code(response: &Value) -> &str {
    response["errors"][0]["extensions"]["code"].as_str().unwrap_or_default()
}

fn persisted(hash: &str) -> Value {
    json!({ "extensions": { "persistedQuery": { "version": 1, "sha256Hash": hash } } })
}

#[tokio::test]
async fn a_document_is_named_by_its_id() {
    let app = with_document(TestApp::new().await, "a1-b2").await;
    let expected = json!({ "websites": { "nodes": [{ "code": "main" }] } });
    assert_eq!(post(&app, json!({ "documentId": "a1-b2" })).await["data"], expected);
    assert_eq!(
        post(&app, json!({ "documentId": "sha256:a1-b2", "variables": { "first": 1 } })).await["data"],
        expected
    );
    assert_eq!(get(&app, "documentId=a1-b2").await["data"], expected);
    // As the clients of Apollo and urql name it. The ID is not the hash of the text.
    assert_eq!(post(&app, persisted("a1-b2")).await["data"], expected);
    let mut socket = WebSocket::connect(app.listen().await, &app.anonymous()).await;
    socket.send(json!({ "id": "1", "type": "subscribe", "payload": { "documentId": "a1-b2" } })).await;
    assert_eq!(socket.next().await, expected);

    assert_eq!(code(&post(&app, json!({ "documentId": "unknown" })).await), "PERSISTED_QUERY_NOT_FOUND");
    assert_eq!(code(&post(&app, json!({ "documentId": "a1-b2", "query": "{ __typename }" })).await), "BAD_USER_INPUT");
    assert_eq!(code(&post(&app, json!({ "documentId": 5 })).await), "BAD_USER_INPUT");
    // Other documents are allowed by default.
    assert_eq!(post(&app, json!({ "query": "{ __typename }" })).await["data"]["__typename"], "Query");
}

#[tokio::test]
async fn a_server_can_be_limited_to_trusted_documents() {
    let limits = LimitSettings { trusted_documents_only: true, ..LimitSettings::default() };
    let hash = hex::encode(Sha256::digest(DOCUMENT));
    let app = with_document(TestApp::builder().limits(limits).build().await, &hash).await;
    let allowed = [
        json!({ "documentId": hash }),
        json!({ "documentId": format!("sha256:{hash}") }),
        persisted(&hash),
        // The text of a trusted document, of a client that does not send IDs.
        json!({ "query": DOCUMENT }),
    ];
    for body in allowed {
        assert_eq!(post(&app, body.clone()).await["data"]["websites"]["nodes"][0]["code"], "main", "{body}");
    }
    let other = "{ websites { nodes { name } } }";
    // An ID that is the hash of another text.
    let misleading = parse(&json!({ hex::encode(Sha256::digest(other)): DOCUMENT }).to_string()).unwrap();
    push(&app.database.db, &misleading).await.unwrap();
    let mut registration = persisted(&hex::encode(Sha256::digest(other)));
    registration["query"] = json!(other);
    for body in [
        json!({ "query": other }),
        json!({ "query": "{ __schema { queryType { name } } }" }),
        registration,
        persisted("a1"),
    ] {
        assert_eq!(code(&post(&app, body.clone()).await), "FORBIDDEN", "{body}");
    }
    assert_eq!(code(&post(&app, json!([{ "query": other }])).await[0]), "FORBIDDEN");
    assert_eq!(code(&get(&app, "query=%7B__typename%7D").await), "FORBIDDEN");
}

#[tokio::test]
async fn the_document_of_an_id_never_changes() {
    let app = with_document(TestApp::new().await, "a1").await;
    let db = &app.database.db;
    let again = parse(&json!({ "a1": DOCUMENT, "a2": "{ __typename }" }).to_string()).unwrap();
    assert_eq!(push(db, &again).await.unwrap(), Pushed { added: 1, unchanged: 1 });
    let changed = parse(&json!({ "a0": "{ __typename }", "a1": "{ __typename }" }).to_string()).unwrap();
    assert!(push(db, &changed).await.unwrap_err().to_string().contains("another document has the ID a1"));
    assert_eq!(app.database.scalar("SELECT string_agg(id, ' ' ORDER BY id) FROM trusted_documents").await, "a1 a2");
    assert_eq!(remove(db, &["a1".to_owned(), "a9".to_owned()]).await.unwrap(), 1);
    assert_eq!(code(&post(&app, json!({ "documentId": "a1" })).await), "PERSISTED_QUERY_NOT_FOUND");
}
