//! GraphQL over HTTP: what the door takes, what it refuses, and with which status, code and media type.

use std::time::Duration;

use axum::{
    Router,
    body::Body,
    http::{Request, Response, StatusCode, request::Builder},
};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

const GRAPHQL_RESPONSE: &str = "application/graphql-response+json";

fn app() -> Router {
    souk::toy::app(Duration::from_millis(300)).0
}

fn post() -> Builder {
    Request::post("/graphql").header("content-type", "application/json")
}

async fn send(request: Request<Body>) -> (Response<()>, Value) {
    let (head, body) = app().oneshot(request).await.unwrap().into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    (Response::from_parts(head, ()), serde_json::from_slice(&bytes).unwrap())
}

/// The status, the first error's code and whether there is `data`; checks what holds for every error answer.
async fn refusal(request: Request<Body>) -> (u16, String, bool) {
    let (head, body) = send(request).await;
    let content_type = head.headers()["content-type"].to_str().unwrap();
    assert!(content_type.ends_with("json; charset=utf-8"), "{content_type}");
    let error = &body["errors"][0];
    assert_eq!(error["extensions"]["requestId"], head.headers()["x-request-id"].to_str().unwrap());
    assert!(!error["message"].as_str().unwrap().is_empty());
    (head.status().as_u16(), error["extensions"]["code"].as_str().unwrap().to_owned(), body.get("data").is_some())
}

fn query(accept: &str, body: &Value) -> Request<Body> {
    post().header("accept", accept).body(Body::from(body.to_string())).unwrap()
}

fn refused(status: u16, code: &str) -> (u16, String, bool) {
    (status, code.to_owned(), false)
}

#[tokio::test]
async fn answers_in_the_first_media_type_that_is_accepted() {
    for (accept, content_type) in [
        (GRAPHQL_RESPONSE, GRAPHQL_RESPONSE),
        ("application/json", "application/json"),
        ("*/*", "application/json"),
        ("application/*", "application/json"),
        ("text/html, application/graphql-response+json;q=0.1, application/json", GRAPHQL_RESPONSE),
        ("application/json, application/graphql-response+json", "application/json"),
        ("APPLICATION/JSON; charset=UTF-8", "application/json"),
    ] {
        let (head, body) = send(query(accept, &json!({"query": "{ hello }"}))).await;
        assert_eq!(head.status(), StatusCode::OK);
        assert_eq!(head.headers()["content-type"], format!("{content_type}; charset=utf-8"), "{accept}");
        assert_eq!(body, json!({"data": {"hello": "hello"}}));
    }
    let (head, _) = send(post().body(Body::from(r#"{"query": "{ hello }"}"#)).unwrap()).await;
    assert_eq!(head.headers()["content-type"], "application/json; charset=utf-8");
    for accept in ["text/html", "application/json; charset=latin1", ""] {
        let request = query(accept, &json!({"query": "{ hello }"}));
        assert_eq!(refusal(request).await, refused(406, "BAD_USER_INPUT"), "{accept}");
    }
}

#[tokio::test]
async fn pages_of_other_origins_cannot_post() {
    for content_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/plain; application/json",
        "application/json-patch+json",
        "application/json; charset=utf-16",
        "",
    ] {
        let body = Body::from(r#"{"query": "mutation { bump }"}"#);
        let request = Request::post("/graphql").header("content-type", content_type).body(body).unwrap();
        assert_eq!(refusal(request).await, refused(415, "BAD_USER_INPUT"), "{content_type}");
    }
    let none = Request::post("/graphql").body(Body::from(r#"{"query": "mutation { bump }"}"#)).unwrap();
    assert_eq!(refusal(none).await, refused(415, "BAD_USER_INPUT"));
    let compressed = post().header("content-encoding", "gzip").body(Body::from("{}")).unwrap();
    assert_eq!(refusal(compressed).await, refused(415, "BAD_USER_INPUT"));
}

#[tokio::test]
async fn bad_parameters_are_400_in_either_media_type() {
    for accept in [GRAPHQL_RESPONSE, "application/json"] {
        for body in [
            "",
            "not json",
            "3",
            r#"{"query": "{ hello }""#,
            "{}",
            r#"{"query": null}"#,
            r#"{"query": ""}"#,
            r#"{"query": 3}"#,
            r#"{"query": "{ hello }", "operationName": 3}"#,
            r#"{"query": "{ hello }", "variables": "x"}"#,
            r#"{"query": "{ hello }", "variables": [1]}"#,
            r#"{"query": "{ hello }", "extensions": "x"}"#,
            r#"{"query": "{ hello }", "query": "{ hello }"}"#,
            r#"[{"query": "{ hello }"}]"#,
            r#"["{ hello }"]"#,
            "{\"query\": \"{ hello }\0\"}",
        ] {
            let request = post().header("accept", accept).body(Body::from(body)).unwrap();
            assert_eq!(refusal(request).await, refused(400, "BAD_USER_INPUT"), "{body}");
        }
        let no_utf8 = post().header("accept", accept).body(Body::from(&b"{\"query\": \"{ hello # \xff }\"}"[..]));
        assert_eq!(refusal(no_utf8.unwrap()).await, refused(400, "BAD_USER_INPUT"));
    }
    let (_, body) = send(post().body(Body::from("[]")).unwrap()).await;
    assert!(body["errors"][0]["message"].as_str().unwrap().contains("batch"));
    let nulls = json!({"query": "{ hello }", "operationName": null, "variables": null, "extensions": null, "id": 1});
    assert_eq!(send(query("*/*", &nulls)).await.1, json!({"data": {"hello": "hello"}}));
}

#[tokio::test]
async fn bodies_over_the_limit_are_413() {
    let body = || format!("{}{}", " ".repeat(2_000_000), r#"{"query": "{ hello }"}"#);
    assert_eq!(refusal(post().body(Body::from(body())).unwrap()).await, refused(413, "LIMIT_EXCEEDED"));
    let chunks = futures_util::stream::iter(
        body().into_bytes().chunks(1000).map(|c| Ok::<_, std::io::Error>(c.to_vec())).collect::<Vec<_>>(),
    );
    assert_eq!(refusal(post().body(Body::from_stream(chunks)).unwrap()).await, refused(413, "LIMIT_EXCEEDED"));
}

#[tokio::test]
async fn get_runs_queries_only() {
    let get = |query: &str| Request::get(format!("/graphql?{query}")).body(Body::empty()).unwrap();
    let (head, body) =
        send(get("query=query+A($a:Int!){add(a:$a,b:1)}&variables=%7B%22a%22:1%7D&operationName=A")).await;
    assert_eq!((head.status(), body), (StatusCode::OK, json!({"data": {"add": 2}})));
    let (_, body) = send(get("query=%7Bhello%7D&variables=&operationName=&extensions=")).await;
    assert_eq!(body, json!({"data": {"hello": "hello"}}));
    for bad in ["", "query=", "query=%7Bhello%7D&variables=x", "query=%7Bhello%7D&variables=3", "query=a&query=b"] {
        assert_eq!(refusal(get(bad)).await, refused(400, "BAD_USER_INPUT"), "{bad}");
    }
    let (head, _) = send(get("query=mutation%7Bbump%7D")).await;
    assert_eq!((head.status(), &head.headers()["allow"]), (StatusCode::METHOD_NOT_ALLOWED, &"POST".parse().unwrap()));
    assert_eq!(refusal(get("query=mutation%7Bbump%7D")).await, refused(405, "BAD_USER_INPUT"));
    let two = "query=query+A%7Bhello%7D+mutation+B%7Bbump%7D&operationName=";
    assert_eq!(send(get(&format!("{two}A"))).await.1, json!({"data": {"hello": "hello"}}));
    assert_eq!(refusal(get(&format!("{two}B"))).await, refused(405, "BAD_USER_INPUT"));
    for method in ["PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"] {
        let request = Request::builder().method(method).uri("/graphql").body(Body::empty()).unwrap();
        let response = app().oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(response.headers()["allow"], "GET, POST");
    }
}

#[tokio::test]
async fn request_errors_have_no_data_and_a_status_by_media_type() {
    for (body, code) in [
        (json!({"query": "{ hello"}), "BAD_USER_INPUT"),
        (json!({"query": "{ helo }"}), "BAD_USER_INPUT"),
        (json!({"query": "{ hello \u{0} }"}), "BAD_USER_INPUT"),
        (json!({"query": "subscription { hello }"}), "BAD_USER_INPUT"),
        (json!({"query": "{ color(color: BLUE) }"}), "BAD_USER_INPUT"),
        (json!({"query": "query A { hello } query B { hello }"}), "BAD_USER_INPUT"),
        (json!({"query": "query A { hello }", "operationName": "B"}), "BAD_USER_INPUT"),
        (json!({"query": "query ($x: Int!) { hello }"}), "BAD_USER_INPUT"),
        (json!({"query": "{ item { items(first: 3000) { items { id } } } }"}), "LIMIT_EXCEEDED"),
        (json!({"query": format!("{{ item {} }}", nested("next", 15))}), "LIMIT_EXCEEDED"),
    ] {
        assert_eq!(refusal(query(GRAPHQL_RESPONSE, &body)).await, refused(400, code), "{body}");
        assert_eq!(refusal(query("application/json", &body)).await, refused(200, code), "{body}");
    }
}

#[tokio::test]
async fn field_errors_have_data_a_path_and_a_code() {
    let run = async |text: &str| send(query(GRAPHQL_RESPONSE, &json!({"query": text}))).await;
    let (head, body) = run("{ missing hello oddCode }").await;
    assert_eq!(head.status(), StatusCode::OK);
    assert_eq!(body["data"].to_string(), r#"{"missing":null,"hello":"hello","oddCode":null}"#);
    assert_eq!(body["errors"][0]["path"], json!(["missing"]));
    assert_eq!(body["errors"][0]["extensions"]["code"], "NOT_FOUND");
    assert_eq!(body["errors"][1]["message"], "internal server error");
    assert_eq!(body["errors"][1]["extensions"]["code"], "INTERNAL_SERVER_ERROR");

    let (head, body) = run("{ hello boom }").await;
    assert_eq!((head.status(), &body["data"]), (StatusCode::OK, &Value::Null));
    assert!(body.as_object().unwrap().contains_key("data"));
    assert_eq!(body["errors"][0]["message"], "internal server error");

    let (_, body) = run("{ add(a: 3000000000, b: 1) }").await;
    assert_eq!(body["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
}

#[tokio::test]
async fn root_fields_stand_in_the_order_of_the_document() {
    let text = "query ($no: Boolean = true) { b: echo(text: \"b\") ...F x: hello @skip(if: $no) a: hello item { id } \
                ... @include(if: $no) { c: hello } } fragment F on Query { item { next { id } } hello }";
    let (_, body) = send(query("*/*", &json!({"query": text}))).await;
    let expected = r#"{"data":{"b":"b","item":{"next":{"id":1},"id":0},"hello":"hello","a":"hello","c":"hello"}}"#;
    assert_eq!(body.to_string(), expected);
    let (_, body) = send(query("*/*", &json!({"query": "{ hello @skip(if: true) }"}))).await;
    assert_eq!(body.to_string(), r#"{"data":{}}"#);
}

#[tokio::test]
async fn what_is_not_the_document_s_fault_has_its_own_status() {
    for accept in [GRAPHQL_RESPONSE, "application/json"] {
        let run = |text: &str| query(accept, &json!({"query": text}));
        assert_eq!(refusal(run("{ panic }")).await, refused(500, "INTERNAL_SERVER_ERROR"));
        assert_eq!(refusal(run("{ slow }")).await, refused(504, "TIMEOUT"));
        let mut bad_token = run("{ hello }");
        bad_token.headers_mut().insert("authorization", "bad".parse().unwrap());
        assert_eq!(refusal(bad_token).await, refused(401, "UNAUTHENTICATED"));
        let stalled = Body::from_stream(futures_util::stream::pending::<Result<Vec<u8>, std::io::Error>>());
        assert_eq!(refusal(post().body(stalled).unwrap()).await, refused(408, "TIMEOUT"));
    }
}

#[tokio::test]
async fn every_answer_has_a_request_id() {
    let run = async |id: &str| {
        let request = post().header("x-request-id", id).body(Body::from(r#"{"query": "{ requestId }"}"#)).unwrap();
        let (head, body) = send(request).await;
        let header = head.headers()["x-request-id"].to_str().unwrap().to_owned();
        assert_eq!(body["data"]["requestId"], header);
        header
    };
    assert_eq!(run("a.B_c-1").await, "a.B_c-1");
    for bad in ["", "a b", "a\"b", "ü", "a".repeat(65).as_str()] {
        assert_eq!(run(bad).await.len(), 36, "{bad}");
    }
}

fn nested(field: &str, times: usize) -> String {
    (0..times).fold("{ id }".to_owned(), |inside, _| format!("{{ {field} {inside} }}"))
}
