//! Operations of which one root field fails: it is null, and the others are answered.

use serde_json::{Value, json};

use crate::support::{
    TestApp,
    sdl::{Sdl, description},
};

#[test]
fn root_fields_that_can_be_rejected_are_nullable() {
    let sdl = Sdl::read();
    let queries = sdl.fields("Query").into_iter().filter(|field| description(field).contains("Requires "));
    let not_null: Vec<_> = queries
        .chain(sdl.fields("Mutation"))
        .filter(|field| !field.ty.node.nullable)
        .map(|field| field.name.node.as_str())
        .collect();
    assert_eq!(not_null, Vec::<&str>::new());
}

#[tokio::test]
async fn lists_beside_a_rejected_one_are_returned() {
    let app = TestApp::new().await;
    app.website("sailor").await;
    for (actor, field, code) in
        [(app.anonymous(), "orders", "UNAUTHENTICATED"), (app.user_with(&[], &[]).await, "auditLog", "FORBIDDEN")]
    {
        let response = actor.run(&format!("{{ websites {{ nodes {{ code }} }} {field} {{ nodes {{ id }} }} }}")).await;
        assert_eq!(response.at_ignoring_errors("websites.nodes.0.code"), "sailor");
        assert_eq!(response.at_ignoring_errors(field), &Value::Null);
        let [error] = response.json["errors"].as_array().unwrap().as_slice() else { panic!("{response:?}") };
        assert_eq!((&error["path"], &error["extensions"]["code"]), (&json!([field]), &json!(code)));
    }
}

#[tokio::test]
async fn mutations_beside_a_limited_one_return_their_results() {
    let app = TestApp::new().await;
    let login = |name: usize| {
        format!(
            r#"l{name}: login(input: {{ email: "a@souk.example", password: "wrong" }}) {{ userErrors {{ code }} }}"#
        )
    };
    let block = "UPDATE login_throttles SET attempts = 100, blocked_until = now() + interval '10 min'";
    for attempt in 0..5 {
        app.anonymous().run(&format!("mutation {{ {} }}", login(attempt))).await;
    }
    app.database.sql(block).await;
    let response = app.anonymous().run(&format!("mutation {{ {} cartCreate {{ cart {{ id }} }} }}", login(5))).await;
    assert_eq!(response.at_ignoring_errors("l5"), &Value::Null);
    assert!(response.at_ignoring_errors("cartCreate.cart.id").is_string(), "{response:?}");
    let [error] = response.json["errors"].as_array().unwrap().as_slice() else { panic!("{response:?}") };
    assert_eq!((&error["path"], &error["extensions"]["code"]), (&json!(["l5"]), &json!("RATE_LIMITED")));
}
