//! Arrays of requests, as Apollo's batch link sends them.

use axum::{body::Body, http::Request};
use serde_json::{Value, json};

use crate::support::{Actor, TestApp};

const ME: &str = "{ me { id } }";

async fn post(actor: &Actor<'_>, body: &Value) -> (u16, Value) {
    let request = actor.request().header("accept", "application/graphql-response+json, application/json");
    let (status, headers, bytes) = actor.app.send(request.body(Body::from(body.to_string())).unwrap()).await;
    assert_eq!(headers["content-type"], "application/graphql-response+json; charset=utf-8");
    (status.as_u16(), serde_json::from_slice(&bytes).unwrap())
}

/// Returns `n` times the request with this document.
fn times(n: usize, document: &str) -> Value {
    vec![json!({ "query": document }); n].into()
}

/// Returns the code of each response, or `-` for one without errors.
fn codes(responses: &Value) -> Vec<&str> {
    fn code(response: &Value) -> &str {
        response["errors"][0]["extensions"]["code"].as_str().unwrap_or("-")
    }
    responses.as_array().unwrap().iter().map(code).collect()
}

#[tokio::test]
async fn array_of_requests_gets_an_array_of_responses_in_the_same_order() {
    let app = TestApp::new().await;
    let manager = app.manager().await;
    let slugs = "query Slugs($n: Int!) { categories(first: $n) { nodes { slug } } }";
    let create = r#"mutation { categoryCreate(input: { name: "Ropes" }) { category { name } userErrors { code } } }"#;
    let batch = json!([
        { "query": slugs, "variables": { "n": 1 } },
        { "query": create },
        { "query": slugs, "variables": { "n": 2 }, "operationName": "Slugs" },
        { "query": slugs },
        { "query": "{ my { id } }" },
        { "query": "{ a: __typename" },
    ]);
    let (status, responses) = post(&manager, &batch).await;
    assert_eq!(status, 200);
    // The second list was read after the mutation.
    assert_eq!(responses[0]["data"], json!({ "categories": { "nodes": [] } }));
    assert_eq!(responses[1]["data"]["categoryCreate"]["category"]["name"], "Ropes");
    assert_eq!(responses[2]["data"], json!({ "categories": { "nodes": [{ "slug": "ropes" }] } }));
    assert_eq!(codes(&responses), ["-", "-", "-", "BAD_USER_INPUT", "BAD_USER_INPUT", "BAD_USER_INPUT"]);
    for failed in 3..6 {
        assert!(responses[failed].get("data").is_none(), "{responses}");
        assert!(responses[failed]["errors"][0]["extensions"]["requestId"].is_string(), "{responses}");
    }
    assert_eq!(post(&manager, &times(1, "{ __typename }")).await.1[0]["data"], json!({ "__typename": "Query" }));
    let unknown = app.with_token("dead".to_owned(), manager.id);
    let (status, responses) = post(&unknown, &times(2, ME)).await;
    assert_eq!((status, codes(&responses)), (200, vec!["UNAUTHENTICATED"; 2]));
}

#[tokio::test]
async fn malformed_arrays_are_rejected_as_a_whole() {
    let app = TestApp::new().await;
    let anonymous = app.anonymous();
    let mutation = r#"mutation { register(input: { name: "Eve", email: "eve@souk.example",
        password: "a long enough password" }) { user { id } } }"#;
    for (batch, status, code, words) in [
        (json!([]), 400, "BAD_USER_INPUT", "at least one"),
        (json!([{ "query": mutation }, {}]), 400, "BAD_USER_INPUT", "request 2 of the array: query is required"),
        (json!([{ "query": mutation }, [ME]]), 400, "BAD_USER_INPUT", "request 2 of the array: the request must be"),
        (json!([{ "query": mutation }, null]), 400, "BAD_USER_INPUT", "request 2"),
        (json!([{ "query": mutation }, { "query": 3 }]), 400, "BAD_USER_INPUT", "request 2"),
        (times(11, mutation), 413, "LIMIT_EXCEEDED", "at most 10 requests; this one has 11"),
    ] {
        let (found, response) = post(&anonymous, &batch).await;
        let error = &response["errors"][0];
        assert_eq!((found, &error["extensions"]["code"]), (status, &json!(code)), "{response}");
        assert!(error["message"].as_str().unwrap().contains(words), "{response}");
    }
    assert_eq!(app.database.scalar("SELECT count(*) FROM users").await, "0");
    assert_eq!(codes(&post(&anonymous, &times(10, ME)).await.1), ["-"; 10]);
}

#[tokio::test]
async fn number_of_requests_in_an_array_is_configurable() {
    for (max_batch, requests, status) in [(2, 2, 200), (2, 3, 413), (1, 1, 400), (1, 2, 400)] {
        let app = TestApp::builder().http(|http| http.max_batch = max_batch).build().await;
        assert_eq!(post(&app.anonymous(), &times(requests, ME)).await.0, status, "{requests} of {max_batch}");
        let single = Request::post("/graphql").header("content-type", "application/json");
        let single = single.body(Body::from(json!({ "query": ME }).to_string())).unwrap();
        assert_eq!(app.send(single).await.0, 200);
    }
}

#[tokio::test]
async fn limits_count_for_all_requests_of_an_array_together() {
    let app = TestApp::new().await;
    let anonymous = app.anonymous();
    let roots = |n: usize| format!("{{ {} }}", "me { id } ".repeat(n));
    let aliases = |n: usize| format!("{{ me {{ {} }} }}", (0..n).map(|i| format!("a{i}: id ")).collect::<String>());
    // 100 brands with 120 fields each.
    let complex = format!("{{ brands(first: 100) {{ nodes {{ {} }} }} }}", "name ".repeat(120));
    for (batch, expected, words) in [
        (
            json!([{ "query": roots(10) }, { "query": roots(11) }, { "query": roots(10) }]),
            ["-", "LIMIT_EXCEEDED", "-"],
            "too many root fields; the limit for all is 20",
        ),
        (
            json!([{ "query": aliases(20) }, { "query": aliases(20) }, { "query": aliases(10) }]),
            ["-", "LIMIT_EXCEEDED", "-"],
            "too many aliases; the limit for all is 30",
        ),
        (
            json!([{ "query": complex }, { "query": complex }, { "query": ME }]),
            ["-", "LIMIT_EXCEEDED", "-"],
            "after operations with a complexity of 12101; the limit is 20000",
        ),
    ] {
        let (status, responses) = post(&anonymous, &batch).await;
        assert_eq!((status, codes(&responses)), (200, expected.to_vec()));
        let message = responses[1]["errors"][0]["message"].as_str().unwrap();
        assert!(message.contains(words), "{message}");
    }
    // Cached documents count too.
    let (_, responses) =
        post(&anonymous, &json!([{ "query": roots(10) }, { "query": roots(10) }, { "query": ME }])).await;
    assert_eq!(codes(&responses), ["-", "-", "LIMIT_EXCEEDED"]);
}
