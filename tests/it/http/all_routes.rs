//! Rules for every route: request ids, CORS, health checks, and the response for an unknown path.

use axum::{
    body::Body,
    http::{HeaderMap, Request, StatusCode, request::Builder},
};
use serde_json::{Value, json};
use souk::config::Environment;
use souk::db::migrations;
use tower::ServiceExt;

use crate::support::{TestApp, TestDb, builder, failing_fields};

const SHOP: &str = "https://shop.example";
const OTHER: &str = "https://evil.example";

async fn with_origins(origins: &[&str]) -> TestApp {
    let cors_origins = origins.iter().map(ToString::to_string).collect();
    TestApp::builder().http(|http| http.cors_origins = cors_origins).build().await
}

fn me() -> Body {
    Body::from(json!({"query": "{ me { id } }"}).to_string())
}

fn post() -> Builder {
    Request::post("/graphql").header("content-type", "application/json")
}

async fn get(app: &TestApp, path: &str) -> (u16, String) {
    let (status, _, bytes) = app.send(Request::get(path).body(Body::empty()).unwrap()).await;
    (status.as_u16(), String::from_utf8(bytes).unwrap())
}

/// Returns the response headers for a page of this origin.
async fn headers_for_origin(app: &TestApp, origin: &str) -> HeaderMap {
    let (status, headers, _) = app.send(post().header("origin", origin).body(me()).unwrap()).await;
    assert_eq!(status, StatusCode::OK);
    headers
}

/// Sends the preflight request of a browser that posts JSON.
async fn preflight(app: &TestApp, origin: &str) -> (StatusCode, HeaderMap) {
    let request = Request::options("/graphql")
        .header("origin", origin)
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "content-type,authorization")
        .body(Body::empty());
    let (status, headers, _) = app.send(request.unwrap()).await;
    (status, headers)
}

fn allowed_origin(headers: &HeaderMap) -> Option<&str> {
    headers.get("access-control-allow-origin").map(|value| value.to_str().unwrap())
}

#[tokio::test]
async fn configured_origins_may_call() {
    let app = with_origins(&["https://first.example", SHOP]).await;
    assert_eq!(allowed_origin(&headers_for_origin(&app, SHOP).await), Some(SHOP));
    let exposed = headers_for_origin(&app, SHOP).await["access-control-expose-headers"].to_str().unwrap().to_owned();
    for header in [
        "x-request-id",
        "retry-after",
        "ratelimit",
        "ratelimit-policy",
        "ratelimit-limit",
        "ratelimit-remaining",
        "ratelimit-reset",
        "etag",
        "content-range",
        "accept-ranges",
    ] {
        assert!(exposed.split(',').any(|name| name == header), "{header}: {exposed}");
    }
    assert_eq!(allowed_origin(&headers_for_origin(&app, OTHER).await), None);
    // Responses differ by origin, so caches must vary on it.
    assert!(headers_for_origin(&app, OTHER).await["vary"].to_str().unwrap().contains("origin"));

    let (status, headers) = preflight(&app, SHOP).await;
    assert_eq!((status, allowed_origin(&headers)), (StatusCode::OK, Some(SHOP)));
    let allows = |name: &str, wanted: &str| headers[name].to_str().unwrap().to_lowercase().contains(wanted);
    for method in ["get", "post", "put"] {
        assert!(allows("access-control-allow-methods", method), "{method}");
    }
    for header in [
        "content-type",
        "authorization",
        "accept",
        "accept-language",
        "x-api-key",
        "x-cart-token",
        "x-request-id",
        "x-visitor-id",
        "graphql-require-preflight",
        "apollographql-client-name",
        "apollographql-client-version",
        "traceparent",
        "tracestate",
        "baggage",
        "sentry-trace",
        "range",
        "if-none-match",
    ] {
        assert!(allows("access-control-allow-headers", header), "{header}");
    }
    assert!(headers.contains_key("access-control-max-age"));
    // The refresh token may be a cookie, and these pages may send it.
    assert_eq!(headers["access-control-allow-credentials"], "true");
    assert_eq!(allowed_origin(&preflight(&app, OTHER).await.1), None);
}

#[tokio::test]
async fn wildcard_allows_every_origin() {
    let app = with_origins(&["*"]).await;
    assert_eq!(allowed_origin(&headers_for_origin(&app, OTHER).await), Some("*"));
    let (_, headers) = preflight(&app, OTHER).await;
    assert_eq!(allowed_origin(&headers), Some("*"));
    assert!(!headers.contains_key("access-control-allow-credentials"), "a wildcard does not allow cookies");
}

#[tokio::test]
async fn without_configured_origins_no_other_origin_may_call() {
    let app = TestApp::builder();
    let app = app.environment(Environment::Production).http(|http| http.cors_origins.clear()).build().await;
    for origin in [SHOP, "http://localhost:5173"] {
        assert_eq!(allowed_origin(&headers_for_origin(&app, origin).await), None);
        let (status, headers) = preflight(&app, origin).await;
        assert_eq!((status, allowed_origin(&headers)), (StatusCode::METHOD_NOT_ALLOWED, None));
        assert!(!headers.contains_key("access-control-allow-methods"), "{headers:?}");
    }
}

#[tokio::test]
async fn in_development_pages_of_this_machine_may_call_unless_origins_are_configured() {
    let local = ["http://localhost", "http://localhost:5173", "https://127.0.0.1:8443", "http://[::1]:3000"];
    let app = with_origins(&[]).await;
    for origin in local {
        assert_eq!(allowed_origin(&headers_for_origin(&app, origin).await), Some(origin));
        let (status, headers) = preflight(&app, origin).await;
        assert_eq!((status, allowed_origin(&headers)), (StatusCode::OK, Some(origin)));
        assert_eq!(headers["access-control-allow-credentials"], "true");
    }
    for origin in [SHOP, "http://localhost.evil.example", "http://evil.example/localhost", "null"] {
        assert_eq!(allowed_origin(&headers_for_origin(&app, origin).await), None, "{origin}");
        assert_eq!(allowed_origin(&preflight(&app, origin).await.1), None, "{origin}");
    }
    let app = with_origins(&[SHOP]).await;
    for origin in local {
        assert_eq!(allowed_origin(&headers_for_origin(&app, origin).await), None, "{origin}");
    }
}

#[tokio::test]
async fn response_for_an_unknown_path_names_the_graphql_endpoint() {
    let app = TestApp::new().await;
    for request in
        [Request::get("/home"), Request::get("/graphql/"), Request::post("/nothing?x=1"), Request::put("/Graphql")]
    {
        let (status, headers, bytes) = app.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(status, StatusCode::NOT_FOUND);
        let error = &serde_json::from_slice::<Value>(&bytes).unwrap()["errors"][0];
        assert!(error["message"].as_str().unwrap().contains("/graphql"));
        assert_eq!(error["extensions"]["code"], "NOT_FOUND");
        assert_eq!(error["extensions"]["requestId"], headers["x-request-id"].to_str().unwrap());
    }
}

#[tokio::test]
async fn server_is_ready_until_it_drains() {
    let app = TestApp::new().await;
    assert_eq!(get(&app, "/readyz").await, (200, "ok\n".to_owned()));
    app.drain();
    assert_eq!(get(&app, "/readyz").await, (503, "draining\n".to_owned()));
    // It is alive, and still serves requests.
    assert_eq!(get(&app, "/livez").await, (200, "ok\n".to_owned()));
    assert_eq!(app.anonymous().run("{ me { id } }").await.at("me"), &Value::Null);
}

#[tokio::test]
async fn server_with_missing_migrations_is_not_ready() {
    let app = TestApp::new().await;
    let newest = "SELECT max(version) FROM __diesel_schema_migrations";
    app.database.sql(&format!("DELETE FROM __diesel_schema_migrations WHERE version = ({newest})")).await;
    assert_eq!(get(&app, "/readyz").await, (503, "migrations are pending\n".to_owned()));
    assert_eq!(get(&app, "/livez").await, (200, "ok\n".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn server_is_ready_once_the_database_is_migrated() {
    let app = TestApp::builder().database(TestDb::empty().await).build().await;
    assert_eq!(get(&app, "/readyz").await, (503, "migrations are pending\n".to_owned()));
    assert!(!migrations::migrate(&app.database.url).await.unwrap().applied.is_empty());
    assert_eq!(get(&app, "/readyz").await, (200, "ok\n".to_owned()));
}

#[tokio::test]
async fn every_response_has_a_request_id() {
    // The field of the request ID below is not one of the schema, and does not declare what it depends on.
    let app = TestApp::builder().cache_bytes(0).build().await;
    for path in ["/graphql", "/livez", "/readyz", "/graphiql", "/nothing"] {
        let request = Request::get(path).header("x-request-id", "a.B_c-1").body(Body::empty()).unwrap();
        assert_eq!(app.send(request).await.1["x-request-id"], "a.B_c-1", "{path}");
    }
    // A resolver sees the same id; ids with unsafe characters are replaced.
    let failing = failing_fields::endpoint(&app, builder::http_settings().timeout);
    let run = async |id: &str| {
        let body = Body::from(json!({"query": "{ requestId }"}).to_string());
        let response = failing.clone().oneshot(post().header("x-request-id", id).body(body).unwrap()).await.unwrap();
        let header = response.headers()["x-request-id"].to_str().unwrap().to_owned();
        let bytes = http_body_util::BodyExt::collect(response.into_body()).await.unwrap().to_bytes();
        assert_eq!(serde_json::from_slice::<Value>(&bytes).unwrap()["data"]["requestId"], header);
        header
    };
    assert_eq!(run("a.B_c-1").await, "a.B_c-1");
    for bad in ["", "a b", "a\"b", "ü", "a".repeat(65).as_str()] {
        assert_eq!(run(bad).await.len(), 36, "{bad}");
    }
}

#[tokio::test]
async fn panic_outside_of_an_operation_returns_an_error_response() {
    let app = TestApp::new().await;
    let body = Body::from_stream(futures_util::stream::poll_fn(
        |_| -> std::task::Poll<Option<Result<Vec<u8>, std::io::Error>>> { panic!("a body that panics") },
    ));
    let (status, headers, bytes) = app.send(post().body(body).unwrap()).await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
    let error = &serde_json::from_slice::<Value>(&bytes).unwrap()["errors"][0];
    assert_eq!(error["message"], "internal server error");
    assert_eq!(error["extensions"]["code"], "INTERNAL_SERVER_ERROR");
    assert_eq!(error["extensions"]["requestId"], headers["x-request-id"].to_str().unwrap());
    assert_eq!(app.anonymous().run("{ me { id } }").await.at("me"), &Value::Null);
}
