//! Introspection that multiplies at each level, and queries whose responses are too large for the memory.

use axum::{body::Body, http::Request};
use serde_json::{Value, json};
use souk::{
    auth::Permission,
    config::{Environment, Introspection},
};

use crate::support::{Actor, TestApp};

/// The introspection queries of common tools.
const QUERIES: [(&str, &str); 7] = [
    ("all_options", include_str!("introspection_queries/all_options.graphql")),
    ("schema_description", include_str!("introspection_queries/schema_description.graphql")),
    ("seven_levels", include_str!("introspection_queries/seven_levels.graphql")),
    ("without_one_of", include_str!("introspection_queries/without_one_of.graphql")),
    ("repeatable_and_specified_by", include_str!("introspection_queries/repeatable_and_specified_by.graphql")),
    ("without_descriptions", include_str!("introspection_queries/without_descriptions.graphql")),
    ("without_fragments", include_str!("introspection_queries/without_fragments.graphql")),
];

/// Repeats a selection inside of itself.
fn nested(levels: usize, open: &str, inside: &str) -> String {
    let (before, after) = open.split_once("...").expect("a place for the inside");
    (0..levels).fold(inside.to_owned(), |inside, _| format!("{before}{inside}{after}"))
}

#[tokio::test]
async fn introspection_queries_of_tools_pass() {
    let app = TestApp::new().await;
    for (name, query) in QUERIES {
        for round in ["validated", "from the cache"] {
            let response = app.anonymous().run(query).await;
            assert_eq!(response.json["errors"], Value::Null, "{name} {round}");
            let types = response.at("__schema.types").as_array().expect("types");
            let product = types.iter().find(|ty| ty["name"] == "Product").expect("the type Product");
            assert!(product["fields"].as_array().is_some_and(|fields| fields.len() > 10), "{name}");
        }
    }
}

#[tokio::test]
async fn introspection_that_multiplies_is_rejected_before_it_runs() {
    let app = TestApp::new().await;
    let product = |inside: &str| format!("{{ __type(name: \"Product\") {{ {inside} }} }}");
    let types = |inside: &str| format!("{{ __schema {{ types {{ {inside} }} }} }}");
    let up_and_down = "interfaces { possibleTypes { ... } }";
    // The query of the attack with one level returns what it asks for; each level has 25 times as many types.
    let one = app.anonymous().run(&product(&nested(1, up_and_down, "name"))).await;
    let found = one.at("__type.interfaces.0.possibleTypes").as_array().expect("types").len();
    assert!(found > 20, "{found}");
    let fields = "fields { type { ofType { ... } } }";
    let mut documents = vec![
        types(&nested(3, fields, "fields { name }")),
        types(&nested(2, up_and_down, "fields { args { type { name } } name }")),
        types(&format!(
            "fields {{ args {{ type {{ ofType {{ inputFields {{ type {{ ofType {{ {} }} }} }} }} }} }} }}",
            "inputFields { type { inputFields { name } } }"
        )),
        // The same through a fragment, an inline fragment and a variable.
        format!("{} fragment F on __Type {{ {} }}", types("...F"), nested(3, up_and_down, "name")),
        types(&format!("... on __Type {{ {} }}", nested(3, up_and_down, "name"))),
        format!(
            "query ($name: String = \"Product\") {{ __type(name: $name) {{ {} }} }}",
            nested(5, up_and_down, "name")
        ),
        // Many full lists side by side.
        format!(
            "{{ __schema {{ {} }} }}",
            (0..20)
                .map(|i| format!(
                    "a{i}: types {{ fields {{ name type {{ name }} args {{ name type {{ name }} }} }} }} "
                ))
                .collect::<String>()
        ),
    ];
    documents.extend((2..=6).map(|levels| product(&nested(levels, up_and_down, "name"))));
    for document in documents {
        let response = app.anonymous().run(&document).await;
        assert_eq!(response.code(), "LIMIT_EXCEEDED", "{document}");
        assert_eq!(response.json["data"], Value::Null, "{document}");
        let message = response.json["errors"][0]["message"].as_str().expect("a message");
        assert!(message.contains("introspection") || message.contains("too many"), "{document}: {message}");
    }
    // Together they count as one.
    let full = QUERIES[0].1;
    let batch: Vec<_> = (0..4).map(|_| json!({ "query": full })).collect();
    let request = Request::post("/graphql").header("content-type", "application/json");
    let (_, _, bytes) = app.send(request.body(Body::from(json!(batch).to_string())).unwrap()).await;
    let responses: Vec<Value> = serde_json::from_slice(&bytes).expect("an array");
    let codes: Vec<_> = responses.iter().map(|response| response["errors"][0]["extensions"]["code"].as_str()).collect();
    assert_eq!(codes, [None, None, Some("LIMIT_EXCEEDED"), Some("LIMIT_EXCEEDED")]);
    // The server still runs, and small questions are free.
    let response = app.anonymous().run("{ __type(name: \"Product\") { fields { name type { kind name } } } }").await;
    assert!(response.at("__type.fields").as_array().expect("fields").len() > 10);
    assert_eq!(app.anonymous().run("{ __type(name: \"Nothing\") { name } }").await.at("__type"), &Value::Null);
}

/// Returns the code with which a query is rejected, or `None` if it runs.
async fn code(actor: &Actor<'_>, query: &str) -> Option<String> {
    let response = actor.run(query).await;
    (!response.json["errors"].is_null()).then(|| response.code().to_owned())
}

#[tokio::test]
async fn introspection_is_for_those_whom_the_setting_names() {
    let queries = [
        "{ __schema { queryType { name } } }",
        "{ me { id } t: __type(name: \"Product\") { name } }",
        "{ ...F } fragment F on Query { ... { __schema { queryType { name } } } }",
        "query Q($name: String!) { __type(name: $name) { name } }",
    ];
    use Environment::{Development, Production};
    use Introspection::{Off, On, Staff};
    // The environment, the setting, and whether strangers and staff may.
    for (environment, setting, strangers_may, staff_may) in [
        (Development, None, true, true),
        (Production, None, false, true),
        (Production, Some(On), true, true),
        (Development, Some(Staff), false, true),
        (Development, Some(Off), false, false),
    ] {
        let app = TestApp::builder().environment(environment).http(|http| http.introspection = setting).build().await;
        let staff = app.user_with(&[Permission::ManageReviews], &[]).await;
        let actors = [
            (app.anonymous(), strangers_may),
            (app.customer().await, strangers_may),
            (staff, staff_may),
            (app.seller().await, staff_may),
        ];
        for (actor, may) in actors {
            for query in queries {
                let response = actor.run_with(query, json!({ "name": "Product" })).await;
                if may {
                    assert_eq!(response.json["errors"], Value::Null, "{environment:?} {setting:?} {query}");
                    continue;
                }
                assert_eq!(response.code(), "FORBIDDEN", "{environment:?} {setting:?} {query}");
                assert!(response.json.get("data").is_none(), "{query}: nothing was executed");
                let message = response.json["errors"][0]["message"].as_str().expect("a message");
                assert!(message.contains("SOUK_INTROSPECTION"), "{message}");
            }
            // The type of an object says nothing about the schema.
            assert_eq!(code(&actor, "{ __typename websites { __typename nodes { __typename } } }").await, None);
        }
    }
}
