//! Uploads that fill the disk: sent by those who may not upload, or more than one user may send.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, Request, StatusCode},
};
use futures_util::stream;
use serde_json::{Value, json};
use souk::ids::RowId;
use tokio::sync::oneshot;

use crate::support::{
    Actor, ProductSpec, TestApp,
    multipart_form::{Form, png},
};

const IMAGE: &str = "mutation ($input: ProductImageCreateInput!) {
    productImageCreate(input: $input) { image { width } userErrors { code message } } }";

/// More than the server discards of a rejected body, in chunks of 1 MiB.
const MAX_DISCARDED: usize = 32;

/// Returns an endless body, the number of its chunks that were read, and a signal that fires when it is dropped.
fn endless_body(start: Vec<u8>) -> (Body, Arc<AtomicUsize>, oneshot::Receiver<()>) {
    let (dropped, is_dropped) = oneshot::channel();
    let count = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&count);
    let chunks = stream::unfold((Some(start), dropped), move |(start, dropped)| {
        counter.fetch_add(1, Ordering::SeqCst);
        let chunk = start.map_or_else(|| Bytes::from(vec![b'x'; 1 << 20]), Bytes::from);
        std::future::ready(Some((Ok::<_, Infallible>(chunk), (None, dropped))))
    });
    (Body::from_stream(chunks), count, is_dropped)
}

fn form(product: &str, files: &[&[u8]]) -> Vec<u8> {
    let input = json!({ "productId": product, "file": null });
    let operations = json!({ "query": IMAGE, "variables": { "input": input, "more": [null, null] } });
    let map: serde_json::Map<String, Value> = (0..files.len())
        .map(|index| match index {
            0 => (index.to_string(), json!(["variables.input.file"])),
            _ => (index.to_string(), json!([format!("variables.more.{index}")])),
        })
        .collect();
    let form = Form::new(&operations, &map.into());
    let add = |form: Form, (index, file): (usize, &&[u8])| form.file(&index.to_string(), "a.png", file);
    files.iter().enumerate().fold(form, add).body()
}

#[tokio::test]
async fn files_of_those_who_may_not_upload_are_not_read() {
    let app = TestApp::new().await;
    let customer = app.customer().await;
    for (actor, status, code) in [
        (&customer, StatusCode::FORBIDDEN, "FORBIDDEN"),
        (&app.anonymous(), StatusCode::UNAUTHORIZED, "UNAUTHENTICATED"),
    ] {
        let (body, chunks, is_dropped) = endless_body(form("none", &[b"a file"]));
        let mut request = actor.request().body(body).unwrap();
        let headers: &mut HeaderMap = request.headers_mut();
        headers.insert("content-type", "multipart/form-data; boundary=a-boundary-of-the-tests".parse().unwrap());
        headers.insert("graphql-require-preflight", "1".parse().unwrap());
        let (found, _, response) = app.send(request).await;
        let response: Value = serde_json::from_slice(&response).unwrap();
        assert_eq!((found, &response["errors"][0]["extensions"]["code"]), (status, &json!(code)), "{response}");
        // The sender of the endless body is dropped with it.
        is_dropped.await.unwrap_err();
        let read = chunks.load(Ordering::SeqCst);
        assert!(read <= MAX_DISCARDED, "{read} MiB were read");
    }
}

async fn post(actor: &Actor<'_>, body: Vec<u8>) -> (u16, Value) {
    let (status, response) = actor.post_form(body, Some("graphql-require-preflight")).await;
    (status.as_u16(), response["errors"][0]["extensions"]["code"].clone())
}

#[tokio::test]
async fn files_in_progress_are_limited_per_user_and_in_total() {
    let large = vec![0; 2_000];
    for (per_user, total, status, code) in [(3_000, 1 << 30, 429, "RATE_LIMITED"), (1 << 30, 3_000, 503, "UNAVAILABLE")]
    {
        let app = TestApp::builder()
            .http(|http| {
                http.uploads.space_per_user = per_user;
                http.uploads.space = total;
            })
            .build()
            .await;
        let manager = app.manager().await;
        let website = app.website("sailor").await.id;
        let product = app.product(website, ProductSpec::default()).await.id.to_global_id();
        for _ in 0..3 {
            assert_eq!(post(&manager, form(&product, &[&large, &large])).await, (status, json!(code)));
        }
        // The space is free again.
        let (_, image) =
            manager.post_form(form(&product, &[&png(9, 9, [1; 3])]), Some("graphql-require-preflight")).await;
        assert_eq!(image["data"]["productImageCreate"]["image"]["width"], 9, "{image}");
    }
}

#[tokio::test]
async fn files_uploaded_in_advance_are_limited_per_user() {
    let app = TestApp::builder().http(|http| http.uploads.kept_per_user = 1_000).build().await;
    let (manager, other) = (app.manager().await, app.manager().await);
    let upload = async |actor: &Actor<'_>| {
        let created = actor.mutate("uploadCreate", "upload { url }", json!({ "bytes": 600 })).await;
        let url = created.text_at("uploadCreate.upload.url");
        let path = url[url.find("/files/").expect("a path")..].to_owned();
        app.send(Request::put(path).body(Body::from(vec![b'x'; 600])).unwrap()).await.0.as_u16()
    };
    assert_eq!(upload(&manager).await, 201);
    assert_eq!(upload(&manager).await, 429);
    assert_eq!(upload(&other).await, 201);
}
