//! What browsers and caches may do with a response: every route says so, also when it rejects the request.

use std::collections::BTreeSet;

use axum::{
    body::Body,
    http::{HeaderMap, Request, StatusCode, request::Builder},
};
use regex::Regex;
use serde_json::json;

use crate::support::{TestApp, source::Source};

/// A route, a request to it, the status, and its `Cache-Control`.
type Case = (&'static str, Builder, &'static str, StatusCode, &'static str);

const PRIVATE: &str = "private, no-store";

fn text(headers: &HeaderMap, name: &str) -> String {
    let values = headers.get_all(name).iter().map(|value| value.to_str().expect("text"));
    values.collect::<Vec<_>>().join(" | ")
}

fn cases() -> Vec<Case> {
    let post = || Request::post("/graphql").header("content-type", "application/json");
    let page = |path: &str| Request::get(path).header("accept", "text/html");
    vec![
        ("/graphql", post(), r#"{"query": "{ me { id } }"}"#, StatusCode::OK, PRIVATE),
        ("/graphql", post(), r#"{"query": "{ nothing }"}"#, StatusCode::OK, PRIVATE),
        ("/graphql", post(), r#"[{"query": "{ me { id } }"}, {"query": "{ me { id } }"}]"#, StatusCode::OK, PRIVATE),
        ("/graphql", post(), "{", StatusCode::BAD_REQUEST, PRIVATE),
        (
            "/graphql",
            post().header("authorization", "Bearer x"),
            r#"{"query": "{ me { id } }"}"#,
            StatusCode::UNAUTHORIZED,
            PRIVATE,
        ),
        ("/graphql", Request::get("/graphql?query=%7Bme%7Bid%7D%7D"), "", StatusCode::OK, PRIVATE),
        ("/graphql", Request::put("/graphql"), "", StatusCode::METHOD_NOT_ALLOWED, PRIVATE),
        ("/graphql", post().header("accept", "image/png"), "{}", StatusCode::NOT_ACCEPTABLE, PRIVATE),
        ("/livez", Request::get("/livez"), "", StatusCode::OK, PRIVATE),
        ("/readyz", Request::get("/readyz"), "", StatusCode::OK, PRIVATE),
        ("/.well-known/jwks.json", Request::get("/.well-known/jwks.json"), "", StatusCode::OK, "public, max-age=300"),
        (
            "/webhooks/payments/{provider}",
            Request::post("/webhooks/payments/none"),
            "{}",
            StatusCode::NOT_FOUND,
            PRIVATE,
        ),
        ("/files/{token}", Request::get("/files/none"), "", StatusCode::NOT_FOUND, PRIVATE),
        ("/media/{sha256}/{file}", Request::get("/media/none/1.webp"), "", StatusCode::NOT_FOUND, PRIVATE),
        ("/", page("/"), "", StatusCode::OK, PRIVATE),
        ("/docs", page("/docs"), "", StatusCode::TEMPORARY_REDIRECT, PRIVATE),
        ("/docs/", page("/docs/"), "", StatusCode::TEMPORARY_REDIRECT, PRIVATE),
        ("/docs/{*path}", page("/docs/SUMMARY.md"), "", StatusCode::OK, PRIVATE),
        ("/docs/{*path}", page("/docs/nothing.md"), "", StatusCode::NOT_FOUND, PRIVATE),
        ("unknown", page("/nothing"), "", StatusCode::NOT_FOUND, PRIVATE),
        ("unknown", Request::get("/nothing"), "", StatusCode::NOT_FOUND, PRIVATE),
        ("ide", page("/graphiql"), "", StatusCode::OK, "no-cache"),
        ("ide", page("/playground"), "", StatusCode::OK, "no-cache"),
        ("ide", Request::get("/ide/graphiql.js"), "", StatusCode::OK, "no-cache"),
        (
            "ide",
            Request::get("/ide/graphiql.min.js").header("accept-encoding", "br"),
            "",
            StatusCode::NOT_ACCEPTABLE,
            PRIVATE,
        ),
    ]
}

#[tokio::test]
async fn every_response_is_private_and_neither_sniffed_nor_framed() {
    let app = TestApp::new().await;
    for (route, request, body, status, cache) in cases() {
        let request = request.body(Body::from(body)).unwrap();
        let path = format!("{} {} ({route})", request.method(), request.uri());
        let (found, headers, _) = app.send(request).await;
        assert_eq!(found, status, "{path} {body}");
        assert_eq!(text(&headers, "cache-control"), cache, "{path} {body}");
        assert_eq!(text(&headers, "x-content-type-options"), "nosniff", "{path} {body}");
        assert_eq!(text(&headers, "referrer-policy"), "no-referrer", "{path} {body}");
        assert_eq!(text(&headers, "x-frame-options"), "DENY", "{path} {body}");
        assert_eq!(text(&headers, "strict-transport-security"), "", "{path} {body}: arrived without TLS");
        if text(&headers, "content-type").starts_with("text/html") {
            let policy = text(&headers, "content-security-policy");
            assert!(policy.contains("frame-ancestors 'none'"), "{path}: {policy:?}");
        }
    }
}

#[test]
fn every_route_is_tried() {
    let tried: BTreeSet<&str> = cases().iter().map(|case| case.0).collect();
    let route = Regex::new(r#"\.route\(\s*"([^"]+)""#).unwrap();
    let mut count = 0;
    for source in Source::all("src").iter().filter(|source| source.path.starts_with("src/http/")) {
        for found in route.captures_iter(&source.text) {
            assert!(tried.contains(&found[1]), "{} is not tried", &found[1]);
            count += 1;
        }
    }
    assert!(count > 8, "only {count} routes were found");
}

#[tokio::test]
async fn files_that_never_change_stay_public() {
    let app = TestApp::new().await;
    let (hash, brand) = ("ab".repeat(32), app.brand("halyard").await.id);
    let key = format!("media/{hash}/160.webp");
    app.services.storage.put(&key, "an image".into()).await.unwrap();
    let insert = format!(
        "WITH made AS (INSERT INTO media (sha256, format, width, height, bytes, blurhash, widths)
            VALUES ('{hash}', 'jpeg', 160, 120, 8, 'LEHV6nWB2yk8', ARRAY[160]) RETURNING id)
         INSERT INTO images (brand_id, media_id, position) SELECT {}, id, 1 FROM made",
        brand.0
    );
    app.database.sql(&insert).await;
    let (status, headers, _) = app.send(Request::get(format!("/{key}")).body(Body::empty()).unwrap()).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(text(&headers, "cache-control"), "public, max-age=31536000, immutable");
    assert_eq!(text(&headers, "x-content-type-options"), "nosniff");
}

#[tokio::test]
async fn browsers_that_came_by_tls_stay_there() {
    let proxied = TestApp::new().await;
    let direct = TestApp::builder().http(|http| http.trusted_proxies = 0).build().await;
    let public = TestApp::builder()
        .http(|http| {
            http.trusted_proxies = 0;
            http.public_url = Some("https://api.shop.example".to_owned());
        })
        .build()
        .await;
    let year = "max-age=31536000";
    for (app, scheme, expected) in [
        (&proxied, Some("https"), year),
        (&proxied, Some("http"), ""),
        (&proxied, None, ""),
        // What a client claims without a proxy in between.
        (&direct, Some("https"), ""),
        (&public, None, year),
    ] {
        for path in ["/graphql", "/graphiql", "/nothing"] {
            let body = Body::from(json!({ "query": "{ me { id } }" }).to_string());
            let request = Request::post(path).header("content-type", "application/json");
            let request = match scheme {
                Some(scheme) => request.header("x-forwarded-proto", scheme),
                None => request,
            };
            let (_, headers, _) = app.send(request.body(body).unwrap()).await;
            assert_eq!(text(&headers, "strict-transport-security"), expected, "{path} {scheme:?}");
        }
    }
}
