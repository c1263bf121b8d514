//! GraphQL over HTTP: what the endpoint accepts and rejects, and with which status, code and media type.

use std::time::Duration;

use axum::{
    body::Body,
    http::{HeaderMap, Request, StatusCode, request::Builder},
};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use souk::config::Environment;
use tower::ServiceExt;

use crate::support::{TestApp, failing_fields};

const GRAPHQL_RESPONSE: &str = "application/graphql-response+json";
/// Needs neither a login nor the database.
const ME: &str = "{ me { id } }";
/// Must not run where a test expects a rejection.
const REGISTER: &str = r#"mutation { register(input: {
    name: "Eve", email: "eve@souk.example", password: "a long enough password" }) { user { id } } }"#;

fn post() -> Builder {
    Request::post("/graphql").header("content-type", "application/json")
}

fn query(accept: &str, body: &Value) -> Request<Body> {
    post().header("accept", accept).body(Body::from(body.to_string())).unwrap()
}

async fn send(app: &TestApp, request: Request<Body>) -> (StatusCode, HeaderMap, Value) {
    let (status, headers, bytes) = app.send(request).await;
    (status, headers, serde_json::from_slice(&bytes).unwrap())
}

/// Returns the status, the first error's code and whether there is `data`; checks the rules for every error response.
async fn rejection(app: &TestApp, request: Request<Body>) -> (u16, String, bool) {
    check_error_response(send(app, request).await)
}

fn check_error_response((status, headers, body): (StatusCode, HeaderMap, Value)) -> (u16, String, bool) {
    let content_type = headers["content-type"].to_str().unwrap();
    assert!(content_type.ends_with("json; charset=utf-8"), "{content_type}");
    let error = &body["errors"][0];
    assert_eq!(error["extensions"]["requestId"], headers["x-request-id"].to_str().unwrap());
    assert!(!error["message"].as_str().unwrap().is_empty());
    (status.as_u16(), error["extensions"]["code"].as_str().unwrap().to_owned(), body.get("data").is_some())
}

fn rejected(status: u16, code: &str) -> (u16, String, bool) {
    (status, code.to_owned(), false)
}

#[tokio::test]
async fn response_uses_the_media_type_that_the_client_prefers() {
    let app = TestApp::new().await;
    for (accept, content_type) in [
        (GRAPHQL_RESPONSE, GRAPHQL_RESPONSE),
        ("application/json", "application/json"),
        ("*/*", "application/json"),
        ("application/*", "application/json"),
        ("text/html, application/graphql-response+json;q=0.1, application/json", "application/json"),
        ("application/json;q=0, application/graphql-response+json;q=0.1", GRAPHQL_RESPONSE),
        ("application/json;q=0.1, application/graphql-response+json;q=0.2", GRAPHQL_RESPONSE),
        ("application/json;q=0, */*", GRAPHQL_RESPONSE),
        ("application/json, application/graphql-response+json", "application/json"),
        ("APPLICATION/JSON; charset=UTF-8", "application/json"),
    ] {
        let (status, headers, body) = send(&app, query(accept, &json!({"query": ME}))).await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(headers["content-type"], format!("{content_type}; charset=utf-8"), "{accept}");
        assert_eq!(body["data"], json!({"me": null}));
    }
    let (_, headers, _) = send(&app, post().body(Body::from(json!({"query": ME}).to_string())).unwrap()).await;
    assert_eq!(headers["content-type"], "application/json; charset=utf-8");
    for accept in ["text/html", "application/json; charset=latin1", "application/json;q=0", ""] {
        let request = query(accept, &json!({"query": ME}));
        assert_eq!(rejection(&app, request).await, rejected(406, "BAD_USER_INPUT"), "{accept}");
    }
}

#[tokio::test]
async fn cross_origin_pages_cannot_post() {
    let app = TestApp::new().await;
    let body = json!({"query": REGISTER}).to_string();
    for content_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "text/plain; application/json",
        "application/json-patch+json",
        "application/json; charset=utf-16",
        "",
    ] {
        let request = Request::post("/graphql").header("content-type", content_type).body(Body::from(body.clone()));
        assert_eq!(rejection(&app, request.unwrap()).await, rejected(415, "BAD_USER_INPUT"), "{content_type}");
    }
    let none = Request::post("/graphql").body(Body::from(body.clone())).unwrap();
    assert_eq!(rejection(&app, none).await, rejected(415, "BAD_USER_INPUT"));
    let compressed = post().header("content-encoding", "gzip").body(Body::from(body.clone())).unwrap();
    assert_eq!(rejection(&app, compressed).await, rejected(415, "BAD_USER_INPUT"));
    assert_eq!(app.database.scalar("SELECT count(*) FROM users").await, "0");
    // The same body runs as JSON, so the media type was the reason.
    assert_eq!(send(&app, post().body(Body::from(body)).unwrap()).await.2["errors"], Value::Null);
    assert_eq!(app.database.scalar("SELECT count(*) FROM users").await, "1");
}

#[tokio::test]
async fn bad_parameters_are_400_in_either_media_type() {
    let app = TestApp::new().await;
    for accept in [GRAPHQL_RESPONSE, "application/json"] {
        for body in [
            "",
            "not json",
            "3",
            r#"{"query": "{ me { id } }""#,
            "{}",
            r#"{"query": null}"#,
            r#"{"query": ""}"#,
            r#"{"query": 3}"#,
            r#"{"query": "{ me { id } }", "operationName": 3}"#,
            r#"{"query": "{ me { id } }", "variables": "x"}"#,
            r#"{"query": "{ me { id } }", "variables": [1]}"#,
            r#"{"query": "{ me { id } }", "extensions": "x"}"#,
            r#"{"query": "{ me { id } }", "query": "{ me { id } }"}"#,
            r#"["{ me { id } }"]"#,
            "{\"query\": \"{ me { id } }\0\"}",
        ] {
            let request = post().header("accept", accept).body(Body::from(body)).unwrap();
            assert_eq!(rejection(&app, request).await, rejected(400, "BAD_USER_INPUT"), "{body}");
        }
        let no_utf8 = post().header("accept", accept).body(Body::from(&b"{\"query\": \"{ me { id } # \xff }\"}"[..]));
        assert_eq!(rejection(&app, no_utf8.unwrap()).await, rejected(400, "BAD_USER_INPUT"));
    }
    let nulls = json!({"query": ME, "operationName": null, "variables": null, "extensions": null, "id": 1});
    assert_eq!(send(&app, query("*/*", &nulls)).await.2["data"], json!({"me": null}));
}

#[tokio::test]
async fn bodies_over_the_limit_are_413() {
    let app = TestApp::builder().http(|http| http.body_limit = 1_000).build().await;
    let body = |spaces: usize| format!("{}{}", " ".repeat(spaces), json!({"query": ME}));
    let whole = |text: String| post().body(Body::from(text)).unwrap();
    let fits = 1_000 - body(0).len();
    assert_eq!(send(&app, whole(body(fits))).await.2["data"], json!({"me": null}));
    assert_eq!(rejection(&app, whole(body(fits + 1))).await, rejected(413, "LIMIT_EXCEEDED"));
    // A body without a content length.
    let chunks: Vec<_> = body(2_000).into_bytes().chunks(100).map(|c| Ok::<_, std::io::Error>(c.to_vec())).collect();
    let stream = post().body(Body::from_stream(futures_util::stream::iter(chunks))).unwrap();
    assert_eq!(rejection(&app, stream).await, rejected(413, "LIMIT_EXCEEDED"));
}

#[tokio::test]
async fn get_runs_queries_only() {
    let app = TestApp::new().await;
    let get = |query: &str| Request::get(format!("/graphql?{query}")).body(Body::empty()).unwrap();
    let document = "query=query+A($n:Int!){products(first:$n){nodes{id}}}&variables=%7B%22n%22:1%7D&operationName=A";
    let (status, _, body) = send(&app, get(document)).await;
    assert_eq!((status, &body["data"]), (StatusCode::OK, &json!({"products": {"nodes": []}})));
    let me = "query=%7Bme%7Bid%7D%7D";
    let (_, _, body) = send(&app, get(&format!("{me}&variables=&operationName=&extensions="))).await;
    assert_eq!(body["data"], json!({"me": null}));
    for bad in ["", "query=", &format!("{me}&variables=x"), &format!("{me}&variables=3"), &format!("{me}&{me}")] {
        assert_eq!(rejection(&app, get(bad)).await, rejected(400, "BAD_USER_INPUT"), "{bad}");
    }

    let encoded: String = REGISTER.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let (status, headers, _) = send(&app, get(&format!("query={encoded}"))).await;
    assert_eq!((status, &headers["allow"]), (StatusCode::METHOD_NOT_ALLOWED, &"POST".parse().unwrap()));
    assert_eq!(rejection(&app, get(&format!("query={encoded}"))).await, rejected(405, "BAD_USER_INPUT"));
    let two = format!("query=query+A%7Bme%7Bid%7D%7D+{}&operationName=", encoded.replacen("%6E", "%6E+B", 1));
    assert_eq!(send(&app, get(&format!("{two}A"))).await.2["data"], json!({"me": null}));
    assert_eq!(rejection(&app, get(&format!("{two}B"))).await, rejected(405, "BAD_USER_INPUT"));
    assert_eq!(app.database.scalar("SELECT count(*) FROM users").await, "0");
}

#[tokio::test]
async fn other_methods_are_405() {
    // Without CORS, OPTIONS is a method like any other.
    let app =
        TestApp::builder().environment(Environment::Production).http(|http| http.cors_origins.clear()).build().await;
    for method in ["PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"] {
        let request = Request::builder().method(method).uri("/graphql").body(Body::empty()).unwrap();
        let (status, headers, _) = app.send(request).await;
        assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED, "{method}");
        assert_eq!(headers["allow"], "GET, POST", "{method}");
    }
}

#[tokio::test]
async fn request_errors_have_no_data_and_a_status_by_media_type() {
    let app = TestApp::new().await;
    let deep = (0..15).fold("{ id }".to_owned(), |inside, _| format!("{{ parent {inside} }}"));
    let wide = "{ products(first: 100) { nodes { category { products(first: 100) { nodes { id name sku } } } } } }";
    for (body, code) in [
        (json!({"query": "{ me { id }"}), "BAD_USER_INPUT"),
        (json!({"query": "{ my { id } }"}), "BAD_USER_INPUT"),
        (json!({"query": "{ me { id } \u{0} }"}), "BAD_USER_INPUT"),
        (json!({"query": "subscription { me }"}), "BAD_USER_INPUT"),
        (json!({"query": "{ products(orderBy: {field: COLOUR}) { nodes { id } } }"}), "BAD_USER_INPUT"),
        (json!({"query": "query A { me { id } } query B { me { id } }"}), "BAD_USER_INPUT"),
        (json!({"query": "query A { me { id } }", "operationName": "B"}), "BAD_USER_INPUT"),
        (json!({"query": "query ($x: Int!) { me { id } }"}), "BAD_USER_INPUT"),
        (json!({"query": wide}), "LIMIT_EXCEEDED"),
        (json!({"query": format!("{{ category(slug: \"a\") {deep} }}")}), "LIMIT_EXCEEDED"),
    ] {
        assert_eq!(rejection(&app, query(GRAPHQL_RESPONSE, &body)).await, rejected(400, code), "{body}");
        assert_eq!(rejection(&app, query("application/json", &body)).await, rejected(200, code), "{body}");
    }
}

#[tokio::test]
async fn field_errors_have_data_a_path_and_a_code() {
    let app = TestApp::new().await;
    let run = async |text: &str| send(&app, query(GRAPHQL_RESPONSE, &json!({"query": text}))).await;
    // An error in a nullable field stays there; an error in a non-null field nulls its parent, here the whole data.
    // Lists that need a permission are nullable.
    let (status, _, body) = run(r#"{ a: me { id } b: node(id: "?") { id } }"#).await;
    assert_eq!((status, &body["data"]), (StatusCode::OK, &json!({"a": null, "b": null})));
    assert_eq!(body["errors"][0]["path"], json!(["b"]));
    assert_eq!(body["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");

    let (status, headers, body) = run("{ products { nodes { id } } orders { nodes { id } } }").await;
    assert_eq!(body["data"], json!({"products": {"nodes": []}, "orders": null}));
    assert_eq!(body["errors"][0]["path"], json!(["orders"]));
    assert_eq!(check_error_response((status, headers, body)), (200, "UNAUTHENTICATED".to_owned(), true));

    let (status, headers, body) = run(r#"{ me { id } products(after: "?") { nodes { id } } }"#).await;
    assert_eq!((&body["data"], &body["errors"][0]["path"]), (&Value::Null, &json!(["products"])));
    assert_eq!(check_error_response((status, headers, body)), (200, "BAD_USER_INPUT".to_owned(), true));

    for number in ["3000000000", "0", "101"] {
        let (_, _, body) = run(&format!("{{ products(first: {number}) {{ nodes {{ id }} }} }}")).await;
        assert_eq!(body["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{number}");
    }
}

#[tokio::test]
async fn cause_of_an_internal_error_is_not_shown() {
    let app = TestApp::new().await;
    let failing = failing_fields::endpoint(&app, Duration::from_secs(5));
    let run = async |text: &str| {
        let request = query(GRAPHQL_RESPONSE, &json!({"query": text}));
        let (head, body) = failing.clone().oneshot(request).await.unwrap().into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        assert!(!String::from_utf8_lossy(&bytes).contains("secret"), "{text}");
        (head.status, head.headers, serde_json::from_slice::<Value>(&bytes).unwrap())
    };
    let (_, _, body) = run("{ missing one fault oddCode foreign }").await;
    assert_eq!(body["data"].to_string(), r#"{"missing":null,"one":1,"fault":null,"oddCode":null,"foreign":null}"#);
    let codes: Vec<_> = body["errors"].as_array().unwrap().iter().map(|error| &error["extensions"]["code"]).collect();
    let internal = "INTERNAL_SERVER_ERROR";
    assert_eq!(codes, ["NOT_FOUND", internal, internal, internal]);
    assert_eq!(body["errors"][1]["message"], "internal server error");

    assert_eq!(check_error_response(run("{ one must }").await), (200, internal.to_owned(), true));
    // A panic ends the operation, not the server.
    assert_eq!(check_error_response(run("{ one panic }").await), rejected(500, internal));
    assert_eq!(run("{ one }").await.2, json!({"data": {"one": 1}}));
}

#[tokio::test]
async fn slow_operation_times_out() {
    let timeout = Duration::from_millis(200);
    let app = TestApp::builder().http(|http| http.timeout = timeout).build().await;
    // Plain fields are resolved immediately; this one waits for another session.
    let mut other = app.database.raw_connection().await;
    let conn = &mut other;
    diesel_async::SimpleAsyncConnection::batch_execute(conn, "BEGIN; LOCK TABLE products").await.unwrap();
    for accept in [GRAPHQL_RESPONSE, "application/json"] {
        let slow = query(accept, &json!({"query": "{ products { nodes { id } } }"}));
        assert_eq!(rejection(&app, slow).await, rejected(504, "TIMEOUT"));
        let stalled = Body::from_stream(futures_util::stream::pending::<Result<Vec<u8>, std::io::Error>>());
        let stalled = post().header("accept", accept).body(stalled).unwrap();
        assert_eq!(rejection(&app, stalled).await, rejected(408, "TIMEOUT"));
        let hanging = query(accept, &json!({"query": "{ hang }"}));
        let response = failing_fields::endpoint(&app, timeout).oneshot(hanging).await.unwrap();
        assert_eq!(response.status(), StatusCode::GATEWAY_TIMEOUT);
    }
}

#[tokio::test]
async fn sql_statistics_are_returned_only_when_enabled() {
    for (environment, show_sql) in [(Environment::Development, true), (Environment::Production, false)] {
        let app = TestApp::builder().environment(environment).build().await;
        for (document, statements) in [(ME, 0), ("{ products { nodes { id } } }", 1), ("{ my { id } }", 0)] {
            let (_, _, body) = send(&app, query("*/*", &json!({"query": document}))).await;
            let sql = &body["extensions"]["sql"];
            match show_sql {
                true if document == "{ my { id } }" => assert!(sql.is_null() || sql["statements"] == 0, "{body}"),
                true => {
                    assert_eq!(sql["statements"], statements, "{body}");
                    assert!(sql["ms"].is_number(), "{body}");
                }
                false => assert_eq!(body.get("extensions"), None, "{document}"),
            }
        }
    }
}

#[tokio::test]
async fn introspection_fields_follow_the_document_order() {
    let app = TestApp::new().await;
    let text = r#"{ a: __typename s: __schema { queryType { name } } me { id }
        none: __type(name: "Nothing") { name } t: __type(name: "Role") { name } }"#;
    let response = app.anonymous().run(text).await;
    let expected =
        r#""data":{"a":"Query","s":{"queryType":{"name":"Query"}},"me":null,"none":null,"t":{"name":"Role"}}"#;
    assert!(response.text.contains(expected), "{}", response.text);
}
