//! What the responses to anonymous GET queries tell browsers and content delivery networks.

use std::io::Read;

use axum::{
    body::Body,
    http::{HeaderMap, Request, StatusCode},
};
use souk::config::Environment;

use crate::support::{ProductSpec, TestApp};

const PRODUCTS: &str = "/graphql?query=%7Bproducts%7Bnodes%7Bname%20description%7D%7D%7D";

/// Sends a GET request with these headers.
async fn get(app: &TestApp, path: &str, headers: &[(&str, &str)]) -> (StatusCode, HeaderMap, Vec<u8>) {
    app.services.responses.catch_up().await;
    let request = headers.iter().fold(Request::get(path), |request, (name, value)| request.header(*name, *value));
    app.send(request.body(Body::empty()).expect("a request")).await
}

async fn app(cache_bytes: u64) -> TestApp {
    let app = TestApp::builder().environment(Environment::Production).cache_bytes(cache_bytes);
    let app = app.http(|http| http.cache_max_age = 60).build().await;
    let website = app.website("sailor").await;
    for _ in 0..20 {
        app.product(website.id, ProductSpec::default()).await;
    }
    app.database.sql("UPDATE products SET description = repeat('A mug for coffee. ', 20)").await;
    app
}

#[tokio::test]
async fn public_responses_can_be_kept_and_validated_with_and_without_the_cache() {
    for bytes in [0, 1 << 20] {
        let app = app(bytes).await;
        for _ in 0..3 {
            let (status, headers, body) = get(&app, PRODUCTS, &[]).await;
            assert_eq!(status, 200);
            assert_eq!(headers["cache-control"], "public, max-age=60, stale-while-revalidate=60");
            assert_eq!(headers["surrogate-key"], "list:products");
            assert_eq!(headers["cache-tag"], "list:products");
            assert!(!headers.contains_key("ratelimit"), "{headers:?}");
            let vary = headers["vary"].to_str().expect("text");
            for name in ["accept", "accept-encoding", "authorization", "x-api-key", "x-cart-token"] {
                assert!(vary.split(", ").any(|varied| varied == name), "{vary}");
            }
            let etag = headers["etag"].to_str().expect("text").to_owned();
            assert!(etag.starts_with("W/\""), "{etag}");
            let (status, headers, empty) = get(&app, PRODUCTS, &[("if-none-match", &etag)]).await;
            assert_eq!(
                (status, empty.len(), headers["etag"].to_str().expect("text")),
                (StatusCode::NOT_MODIFIED, 0, etag.as_str())
            );
            assert_eq!(headers["cache-control"], "public, max-age=60, stale-while-revalidate=60");
            let (status, _, same) = get(&app, PRODUCTS, &[("if-none-match", "W/\"another\"")]).await;
            assert_eq!((status, same), (StatusCode::OK, body));
        }
        let (_, before, _) = get(&app, PRODUCTS, &[]).await;
        app.database.sql("UPDATE products SET name = name || '!'").await;
        let (status, after, _) =
            get(&app, PRODUCTS, &[("if-none-match", before["etag"].to_str().expect("text"))]).await;
        assert_eq!(status, 200);
        assert_ne!(before["etag"], after["etag"]);
    }
}

#[tokio::test]
async fn age_of_zero_lets_caches_validate_each_time() {
    let app = TestApp::builder().environment(Environment::Production).cached().build().await;
    let (_, headers, _) = get(&app, PRODUCTS, &[]).await;
    assert_eq!(headers["cache-control"], "public, max-age=0, must-revalidate");
}

#[tokio::test]
async fn responses_to_others_are_private() {
    let app = app(1 << 20).await;
    let token = format!("Bearer {}", app.customer().await.token().expect("a token"));
    get(&app, PRODUCTS, &[]).await;
    let me = "/graphql?query=%7Bme%7Bid%7D%7D";
    let product_update = "/graphql?query=%7Bproducts%7Bnodes%7BupdatedAt%7D%7D%7D";
    let with_cost = ("x-query-cost", "1");
    let wrong = "/graphql?query=%7Bnothing%7D";
    for (path, header) in [
        (PRODUCTS, ("authorization", token.as_str())),
        (PRODUCTS, ("x-cart-token", "a cart token")),
        (me, ("authorization", token.as_str())),
        (product_update, ("accept", "*/*")),
        (wrong, ("accept", "*/*")),
        // Not acceptable.
        (PRODUCTS, ("accept-encoding", "identity;q=0")),
        // It has what this client has left.
        (PRODUCTS, with_cost),
    ] {
        let (_, headers, _) = get(&app, path, &[header]).await;
        assert_eq!(headers["cache-control"], "private, no-store", "{path} {header:?}");
        assert!(!headers.contains_key("etag") && !headers.contains_key("surrogate-key"), "{path} {headers:?}");
    }
    // Nobody may keep the response to a POST request.
    let request = app.anonymous().request().body(Body::from("{\"query\":\"{ products { nodes { name } } }\"}"));
    let (_, headers, _) = app.send(request.expect("a request")).await;
    assert_eq!(headers["cache-control"], "private, no-store");
}

#[tokio::test]
async fn cached_responses_are_kept_compressed() {
    let app = app(1 << 20).await;
    let (_, _, plain) = get(&app, PRODUCTS, &[]).await;
    for _ in 0..2 {
        for (accepted, expected) in
            [("gzip, deflate, br", "br"), ("gzip", "gzip"), ("br;q=0, gzip;q=0.5", "gzip"), ("zstd", "zstd")]
        {
            let (_, headers, body) = get(&app, PRODUCTS, &[("accept-encoding", accepted)]).await;
            assert_eq!(headers["content-encoding"], expected, "{accepted}");
            let mut text = Vec::new();
            match expected {
                "br" => brotli::BrotliDecompress(&mut &*body, &mut text).expect("Brotli"),
                "gzip" => drop(flate2::read::GzDecoder::new(&*body).read_to_end(&mut text).expect("gzip")),
                _ => continue,
            }
            assert_eq!(text, plain);
            assert!(body.len() * 3 < plain.len(), "{} of {} bytes", body.len(), plain.len());
        }
    }
    let (_, headers, body) = get(&app, PRODUCTS, &[("accept-encoding", "identity")]).await;
    assert!(!headers.contains_key("content-encoding"));
    assert_eq!(body, plain);
}
