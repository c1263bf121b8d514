//! Requests at full speed: each client has points, which its operations use up.

use std::{pin::pin, time::Duration};

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, Request, StatusCode},
};
use futures_util::future::{Either, select};
use serde_json::{Value, json};
use souk::{config::Introspection, limits::Quota};

use crate::support::{
    TestApp, TestAppBuilder,
    generated_operations::{document, is_required, missing_id},
    sdl::{Sdl, base_name},
};

/// Few points, restored so slowly that none are during a test.
const FEW: Quota = Quota { limit: 20, restore_rate: 1 };

fn limited() -> TestAppBuilder {
    TestApp::builder().http(|http| {
        http.rates.anonymous = FEW;
        http.rates.exempt = vec!["10.0.0.0/8".parse().expect("a network")];
    })
}

fn post(address: &str, body: &Value) -> Request<Body> {
    let request = Request::post("/graphql").header("content-type", "application/json").header("host", "souk");
    request.header("x-forwarded-for", address).body(Body::from(body.to_string())).expect("a request")
}

async fn send(app: &TestApp, request: Request<Body>) -> (StatusCode, HeaderMap, Value) {
    let (status, headers, body) = app.send(request).await;
    (status, headers, serde_json::from_slice(&body).unwrap_or_default())
}

/// Sends requests until one is rejected, at most 500.
async fn flood(app: &TestApp, request: impl Fn() -> Request<Body>) -> (StatusCode, HeaderMap, Value) {
    for _ in 0..500 {
        let (status, headers, body) = send(app, request()).await;
        if status == StatusCode::TOO_MANY_REQUESTS {
            return (status, headers, body);
        }
    }
    panic!("500 requests were accepted");
}

#[tokio::test]
async fn a_client_at_full_speed_is_told_when_to_come_back() {
    let app = limited().build().await;
    let query = json!({ "query": "{ websites { nodes { id } } }" });
    let (_, headers, _) = send(&app, post("192.0.2.1", &query)).await;
    assert_eq!(headers["ratelimit-policy"], "\"anonymous\";q=20;w=20;qu=\"points\"");
    let left = headers["ratelimit"].to_str().unwrap();
    assert!(left.starts_with("\"anonymous\";r=1"), "{left}");

    let (_, headers, body) = flood(&app, || post("192.0.2.1", &query)).await;
    let error = &body["errors"][0];
    assert_eq!(error["extensions"]["code"], "RATE_LIMITED", "{body}");
    assert_eq!(body.get("data"), None);
    let seconds = error["extensions"]["retryAfter"].as_u64().expect("a number of seconds");
    assert!((1..=20).contains(&seconds), "{seconds}");
    assert_eq!(headers["retry-after"], seconds.to_string());

    // The same network, but neither another one nor one that is exempt.
    assert_eq!(send(&app, post("192.0.2.77", &query)).await.0, StatusCode::TOO_MANY_REQUESTS);
    for other in ["192.0.3.1", "2001:db8::1", "10.1.2.3"] {
        assert_eq!(send(&app, post(other, &query)).await.0, StatusCode::OK, "{other}");
    }
}

#[tokio::test]
async fn users_and_keys_have_points_of_their_own() {
    let app = limited().build().await;
    let query = json!({ "query": "{ websites { nodes { id } } }" });
    flood(&app, || post("192.0.2.1", &query)).await;
    let (customer, staff) = (app.customer().await, app.admin().await);
    for (actor, class) in [(&customer, "customer"), (&staff, "staff")] {
        let mut request = post("192.0.2.1", &query);
        let token = format!("Bearer {}", actor.token().expect("a token"));
        request.headers_mut().insert("authorization", token.parse().unwrap());
        let (status, headers, _) = send(&app, request).await;
        assert_eq!(status, StatusCode::OK, "{class}");
        assert!(headers["ratelimit"].to_str().unwrap().starts_with(&format!("\"{class}\";")), "{headers:?}");
    }
}

/// Bodies of requests that are rejected before their operation runs.
fn rejected_bodies() -> Vec<String> {
    let fields = |count: usize| (0..count).map(|i| format!("a{i}: __typename ")).collect::<String>();
    let nested = "{ websites { nodes ".to_owned() + &"{ products { nodes ".repeat(8) + "{ id }" + &" }".repeat(18);
    let unknown_hash = json!({ "persistedQuery": { "version": 1, "sha256Hash": "0".repeat(64) } });
    let documents = [
        "{ products(".to_owned(),
        "{ nothing }".to_owned(),
        "{ __schema { types { name fields { name } } } }".to_owned(),
        format!("{{ {} }}", fields(25)),
        format!("{{ websites {{ {} }} }}", fields(35)),
        nested,
        "{ products(first: 100) { nodes { category { products(first: 100) { nodes { id name } } } } } }".to_owned(),
        "[".repeat(100),
        "subscription { a }".to_owned(),
        "{".repeat(70_000),
    ];
    let of_documents = documents.iter().map(|document| json!({ "query": document }).to_string());
    let malformed = ["{", "[]", "7", "{}"].map(str::to_owned);
    of_documents.chain(malformed).chain([json!({ "extensions": unknown_hash }).to_string()]).collect()
}

#[tokio::test]
async fn requests_that_are_rejected_before_they_run_cost_their_client_points() {
    let app = limited()
        .http(|http| (http.rates.customer, http.introspection) = (FEW, Some(Introspection::Staff)))
        .build()
        .await;
    for (i, body) in rejected_bodies().into_iter().enumerate() {
        let customer = app.customer().await;
        for (actor, network) in [(app.anonymous(), 1), (customer, 2)] {
            let actor = actor.at_address(&format!("192.{network}.{i}.1"));
            let request = || actor.request().body(Body::from(body.clone())).expect("a request");
            let (status, _, first) = send(&app, request()).await;
            assert_ne!(status, StatusCode::TOO_MANY_REQUESTS, "{first}");
            assert_eq!(first.get("data"), None, "{i}: {body:.100}: {first}");
            let (_, headers, limited) = flood(&app, request).await;
            assert_eq!(limited["errors"][0]["extensions"]["code"], "RATE_LIMITED", "{i}: {limited}");
            assert!(headers.contains_key("retry-after"), "{i}");
        }
    }
}

#[tokio::test]
async fn rejected_requests_of_a_user_are_not_charged_to_the_network() {
    let app = limited().http(|http| http.rates.customer = FEW).build().await;
    let (customer, neighbor) =
        (app.customer().await.at_address("192.0.2.1"), app.customer().await.at_address("192.0.2.1"));
    let unknown_field = json!({ "query": "{ nothing }" }).to_string();
    flood(&app, || customer.request().body(Body::from(unknown_field.clone())).expect("a request")).await;
    let query = json!({ "query": "{ websites { nodes { id } } }" });
    assert_eq!(send(&app, post("192.0.2.1", &query)).await.0, StatusCode::OK);
    assert_eq!(neighbor.run("{ me { id } }").await.text_at("me.id"), neighbor.global_id());
}

#[tokio::test]
async fn rejections_without_a_document_cost_points_too() {
    let wrong_token = || {
        let mut request = post("192.0.2.1", &json!({ "query": "{ me { id } }" }));
        request.headers_mut().insert("authorization", "Bearer guess".parse().unwrap());
        request
    };
    let malformed_with_wrong_token = || {
        let (parts, _) = wrong_token().into_parts();
        Request::from_parts(parts, Body::from("{"))
    };
    let unacceptable = || {
        let mut request = post("192.0.2.1", &json!({ "query": "{ __typename }" }));
        request.headers_mut().insert("accept", "image/png".parse().unwrap());
        request
    };
    let image =
        || Request::get("/media/0000/600.webp").header("x-forwarded-for", "192.0.2.1").body(Body::empty()).unwrap();
    let requests: [&dyn Fn() -> Request<Body>; 4] = [&wrong_token, &malformed_with_wrong_token, &unacceptable, &image];
    for (i, request) in requests.into_iter().enumerate() {
        let app = limited().build().await;
        let (_, headers, body) = flood(&app, request).await;
        assert_eq!(body["errors"][0]["extensions"]["code"], "RATE_LIMITED", "{i}: {body}");
        assert!(headers.contains_key("retry-after"), "{i}");
        let health = Request::get("/livez").header("x-forwarded-for", "192.0.2.1").body(Body::empty()).unwrap();
        assert_eq!(send(&app, health).await.0, StatusCode::OK);
    }
}

#[tokio::test]
async fn each_operation_of_an_array_is_charged() {
    let app = limited().build().await;
    let query = json!({ "query": "{ websites { nodes { id } } }" });
    let array = Value::Array(vec![query.clone(); 10]);
    for _ in 0..500 {
        let (status, _, body) = send(&app, post("192.0.2.1", &array)).await;
        let codes: Vec<_> = (0..10).map(|i| &body[i]["errors"][0]["extensions"]["code"]).collect();
        if codes.iter().any(|code| **code == "RATE_LIMITED") {
            // The operations before the limit ran, so the response has the status of a success.
            let all = codes.iter().all(|code| **code == "RATE_LIMITED");
            assert_eq!(status == StatusCode::TOO_MANY_REQUESTS, all || body.is_object(), "{body}");
            return;
        }
    }
    panic!("5,000 operations were accepted");
}

#[tokio::test]
async fn an_operation_reports_its_cost_on_request() {
    let app = limited().environment(souk::config::Environment::Production).cache_bytes(0).build().await;
    let query = json!({ "query": "{ websites { nodes { id } } }" });
    let (_, _, body) = send(&app, post("192.0.2.1", &query)).await;
    assert_eq!(body.get("extensions"), None, "{body}");
    let mut request = post("192.0.2.1", &query);
    request.headers_mut().insert("x-query-cost", "1".parse().unwrap());
    let (_, _, body) = send(&app, request).await;
    let cost = &body["extensions"]["cost"];
    for name in ["requested", "actual", "remaining"] {
        assert!(cost[name].as_f64().is_some_and(|points| points > 0.0), "{name}: {body}");
    }
    assert_eq!((&cost["limit"], &cost["restoreRate"]), (&json!(20), &json!(1)));
}

#[tokio::test]
async fn without_limits_nothing_is_rejected() {
    let app = limited().http(|http| http.rates.is_on = false).build().await;
    let query = json!({ "query": "{ websites { nodes { id } } }" });
    for _ in 0..300 {
        let (status, headers, _) = send(&app, post("192.0.2.1", &query)).await;
        assert_eq!((status, headers.get("ratelimit")), (StatusCode::OK, None));
    }
}

#[tokio::test]
async fn rejections_are_delayed_so_that_a_flood_of_them_is_slow() {
    let app = limited().http(|http| http.rates.rejection_delay = Duration::from_secs(3_600)).build().await;
    let query = json!({ "query": "{ websites { nodes { id } } }" });
    let image = || {
        let request = Request::get("/media/0000/600.webp").header("x-forwarded-for", "198.51.100.1");
        request.body(Body::empty()).expect("a request")
    };
    let graphql = || post("192.0.2.1", &query);
    let requests: [&dyn Fn() -> Request<Body>; 2] = [&graphql, &image];
    for request in requests {
        let mut is_delayed = false;
        for _ in 0..500 {
            let flooding = pin!(send(&app, request()));
            let others = pin!(async {
                for _ in 0..25 {
                    for other in ["10.1.2.3", "10.3.2.1"] {
                        assert_eq!(send(&app, post(other, &query)).await.0, StatusCode::OK);
                    }
                }
            });
            match select(flooding, others).await {
                Either::Left(((status, ..), _)) => assert_ne!(status, StatusCode::TOO_MANY_REQUESTS),
                // The others were served fifty times meanwhile.
                Either::Right(_) => is_delayed = true,
            }
            if is_delayed {
                break;
            }
        }
        assert!(is_delayed, "500 requests were accepted");
    }
}

#[tokio::test]
async fn every_mutation_with_a_password_costs_what_hashing_takes() {
    let app = TestApp::new().await;
    let sdl = Sdl::read();
    let mut passwords = 0;
    for field in sdl.fields("Mutation") {
        let Some(input) = field.arguments.first() else { continue };
        let inputs = sdl.inputs(base_name(&input.node.ty.node));
        // Those that need it sometimes only are charged afterwards.
        if !inputs.iter().any(|input| input.name.node == "password" && is_required(input)) {
            continue;
        }
        passwords += 1;
        let mutation = document(&sdl, "Mutation", field, &missing_id);
        let selection = mutation.trim_start_matches("mutation {").trim_end_matches('}');
        for (count, is_allowed) in [(3, true), (4, false)] {
            let aliases: String = (0..count).map(|i| format!("a{i}: {selection} ")).collect();
            let response = app.anonymous().run(&format!("mutation {{ {aliases} }}")).await;
            let is_too_complex = response.text.contains("Query is too complex.");
            assert_eq!(is_too_complex, !is_allowed, "{}: {}", field.name.node, response.text);
        }
    }
    assert!(passwords >= 5, "{passwords}");
}

#[tokio::test]
async fn unreadable_addresses_do_not_lift_the_limits() {
    let app = limited().http(|http| http.rates.exempt.push("127.0.0.0/8".parse().expect("a network"))).build().await;
    let query = json!({ "query": "{ websites { nodes { id } } }" });
    for (forwarded, network) in
        [(b"\xff, 192.0.2.1".as_slice(), "192.0.2.9"), (b"127.0.0.1, \xfe192.0.2.1, 192.0.4.1", "192.0.4.9")]
    {
        let request = || {
            let mut request = post("192.0.2.1", &query);
            request.headers_mut().insert("x-forwarded-for", HeaderValue::from_bytes(forwarded).expect("a value"));
            request
        };
        flood(&app, request).await;
        assert_eq!(send(&app, post(network, &query)).await.0, StatusCode::TOO_MANY_REQUESTS);
    }
    flood(&app, || post("192.0.2.1, nothing", &query)).await;
}
