//! Documents: their limits, the validation of variables, and the document cache.

use std::time::{Duration, Instant};

use async_graphql::{Request, Response, Variables};
use serde_json::{Value, json};
use souk::auth::{RequestOrigin, Viewer};
use souk::config::LimitSettings;
use souk::error::ErrorCode;
use souk::graphql;
use souk::graphql::engine::{Engine, batching::Dispatcher};
use souk::graphql::schema::{access::cookie::Cookies, context::request_data};
use souk::telemetry::RequestId;

use crate::support::TestApp;

/// An engine with Souk's schema, separate from the one of the app's router.
struct TestEngine {
    app: TestApp,
    engine: Engine,
}

impl TestEngine {
    async fn new() -> Self {
        Self::with(&LimitSettings::default()).await
    }

    async fn with(limits: &LimitSettings) -> Self {
        let app = TestApp::new().await;
        let engine = graphql::engine(&app.services, limits);
        Self { app, engine }
    }

    /// Runs an operation as an anonymous viewer.
    async fn run(&self, text: &str, variables: Value) -> Response {
        let id = RequestId::random();
        match self.engine.prepare(request(text, variables)) {
            Ok(prepared) => {
                let data = request_data(
                    Viewer::anonymous(),
                    RequestOrigin::default(),
                    Cookies::default(),
                    &Dispatcher::default(),
                );
                self.engine.execute(prepared, data, &id).await
            }
            Err(error) => Engine::error_response(error, &id),
        }
    }

    fn is_cached(&self, text: &str, variables: Value) -> bool {
        self.engine.prepare(request(text, variables)).unwrap().is_validated
    }

    /// Returns the code and the message of the only error, raised before execution.
    fn rejection(&self, text: &str) -> (String, String) {
        let started = Instant::now();
        let error = self.engine.prepare(Request::new(text)).err().expect("a rejected document");
        // Not a benchmark: an expanded exponential document would take hours.
        assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
        let code = error.extensions.as_ref().and_then(|extensions| extensions.get("code")).cloned();
        (code.map_or_else(|| "none".to_owned(), |code| code.to_string()), error.message)
    }

    #[track_caller]
    fn assert_limited(&self, text: &str, by: &str) {
        let (code, message) = self.rejection(text);
        assert!(code.contains("LIMIT_EXCEEDED") && message.contains(by), "{code}: {message}");
    }

    #[track_caller]
    fn assert_bad(&self, text: &str, by: &str) {
        let (code, message) = self.rejection(text);
        assert!(code.contains("BAD_USER_INPUT") && message.contains(by), "{code}: {message}");
    }

    #[track_caller]
    fn assert_fits(&self, text: &str) {
        if let Err(error) = self.engine.prepare(Request::new(text)) {
            panic!("{}", error.message);
        }
    }
}

fn request(text: &str, variables: Value) -> Request {
    Request::new(text).variables(Variables::from_json(variables))
}

fn errors(response: &Response) -> String {
    format!("{:?}", response.errors)
}

#[tokio::test]
async fn exponential_documents_are_rejected_before_execution() {
    let graph = TestEngine::new().await;
    // 2^40 fields in 41 fragments; 10^12 in 13; a cycle; a long chain.
    let doubling = |length: usize| -> String {
        (0..length).map(|i| format!("fragment F{i} on Query {{ ...F{0} ...F{0} }} ", i + 1)).collect()
    };
    let text = format!("{{ ...F0 }} {} fragment F40 on Query {{ me {{ id }} }}", doubling(40));
    graph.assert_limited(&text, "nested selection sets");
    let text = format!("{{ me {{ id }} ...F0 }} {} fragment F20 on Query {{ me {{ id }} }}", doubling(20));
    graph.assert_limited(&text, "too many");
    let tenfold: String = (0..12)
        .map(|i| format!("fragment F{i} on Category {{ {} }} ", format!("parent {{ ...F{} }} ", i + 1).repeat(10)))
        .collect();
    let text = format!("{{ category(slug: \"a\") {{ ...F0 }} }} {tenfold} fragment F12 on Category {{ id }}");
    graph.assert_limited(&text, "selections");
    graph.assert_bad(
        "{ ...A } fragment A on Query { ...B ...B } fragment B on Query { ...A ...A }",
        "must not spread itself",
    );
    graph.assert_bad("{ me { id } } fragment A on Query { me { id } }", "never used");
    let chain: String = (0..1500).map(|i| format!("fragment F{i} on Query{{...F{}}}", i + 1)).collect();
    graph.assert_limited(&format!("{{ ...F0 }} {chain} fragment F1500 on Query {{ me {{ id }} }}"), "");
}

#[tokio::test]
async fn document_counts_are_limited() {
    let graph = TestEngine::new().await;
    let aliases = |n: usize| (0..n).map(|i| format!("a{i}: id ")).collect::<String>();
    graph.assert_fits(&format!("{{ me {{ {} }} }}", aliases(30)));
    graph.assert_limited(&format!("{{ me {{ {} }} }}", aliases(31)), "aliases");
    let spread = format!(
        "{{ me {{ ...F orders {{ nodes {{ user {{ ...F }} }} }} }} }} fragment F on User {{ {} }}",
        aliases(16)
    );
    graph.assert_limited(&spread, "aliases");

    let roots = |n: usize| "me { id } ".repeat(n);
    let two = |a: usize, b: usize| format!("{{ {} ...F }} fragment F on Query {{ {} }}", roots(a), roots(b));
    graph.assert_fits(&two(10, 10));
    graph.assert_limited(&two(10, 11), "root fields");

    let operations = |n: usize| (0..n).map(|i| format!("query Q{i} {{ me {{ id }} }} ")).collect::<String>();
    graph.assert_limited(&operations(11), "operations");
    graph.assert_limited(&format!("{{ me {{ {} }} }}", "id ".repeat(5_001)), "selections");
    graph.assert_limited(&format!("{{ me {{ id }} #{} \n }}", "x".repeat(65_536)), "bytes");
    graph.assert_limited(&format!("{{ nodes(ids: [{}]) {{ id }} }}", "1 ".repeat(10_001)), "tokens");
    let inner = "... { ".repeat(40) + "id" + &" }".repeat(40);
    graph.assert_limited(&format!("{{ me {{ {inner} }} }}"), "nested selection sets");
}

#[tokio::test]
async fn document_limits_are_configurable() {
    let usual = LimitSettings::default;
    for (limits, fits, exceeds) in [
        (LimitSettings { max_depth: 3, ..usual() }, "{ me { role { code } } }", "{ me { orders { nodes { id } } } }"),
        (
            LimitSettings { max_complexity: 50, ..usual() },
            "{ brands(first: 5) { nodes { id name } } }",
            "{ brands(first: 50) { nodes { id name } } }",
        ),
        (LimitSettings { max_aliases: 1, ..usual() }, "{ a: me { id } }", "{ a: me { b: id } }"),
        (LimitSettings { max_root_fields: 1, ..usual() }, "{ me { id } }", "{ me { id } __typename }"),
        (LimitSettings { max_document: 20, ..usual() }, "{ me { id } }", "{ me { id role { code } } }"),
    ] {
        let graph = TestEngine::with(&limits).await;
        for (text, code) in [(fits, None), (exceeds, Some("LIMIT_EXCEEDED"))] {
            let response = graph.run(text, json!({})).await;
            let found = response.errors.first().and_then(graphql::engine::errors::code).map(ErrorCode::as_str);
            assert_eq!(found, code, "{text} {}", errors(&response));
        }
    }
}

#[tokio::test]
async fn deeply_nested_documents_never_reach_the_recursive_parser() {
    let graph = TestEngine::new().await;
    for (open, close) in [("[", "]"), ("{a:", "}"), ("{", "}"), ("(", ")")] {
        let value = format!("{}1{}", open.repeat(9_000), close.repeat(9_000));
        graph.assert_limited(&format!("{{ product(slug: {value}) {{ id }} }}"), "brackets");
    }
    graph.assert_limited(&"{a".repeat(9_000), "brackets");
    let many = "[".repeat(9_000);
    graph.assert_limited(&format!("query ($a: {many}Int{}) {{ me {{ id }} }}", "]".repeat(9_000)), "brackets");
    // Brackets in strings and comments are text, and a string cannot hide the brackets after it.
    let brackets = "[".repeat(100);
    graph.assert_fits(&format!(
        "{{ product(slug: \"{brackets}\\\"{brackets}\") {{ id }}
            a: product(slug: \"\"\"{brackets}\\\"\"\"{brackets}\"\"\") {{ id }} }} #{brackets}"
    ));
    graph.assert_bad(&format!("{{ product(slug: [\"\"\" \"{many}"), "not closed");
    graph.assert_limited(&format!("{{ product(slug: [\"\" \"\\\\\" {many}"), "brackets");
    graph.assert_limited(&format!("{{ product(slug: \"\n{many}"), "brackets");
}

#[tokio::test]
async fn nul_characters_are_rejected() {
    let graph = TestEngine::new().await;
    for text in ["\"\\u0000\"", "\"\0\"", "\"\"\" \0 \"\"\""] {
        graph.assert_bad(&format!("{{ product(slug: {text}) {{ id }} }}"), "NUL");
    }
    graph.assert_fits(r#"{ product(slug: "\\u0000") { id } }"#);
}

#[tokio::test]
async fn cached_document_returns_the_same_result() {
    let graph = TestEngine::new().await;
    for slug in ["compasses", "lanterns"] {
        graph.app.category(slug, None).await;
    }
    let text = "query ($n: Int!, $where: CategoryWhere!, $skip: Boolean = false) {
        categories(first: $n, where: $where) { nodes { slug } } me @skip(if: $skip) { id } }";
    let nodes = |slugs: &[&str]| json!({"nodes": slugs.iter().map(|slug| json!({"slug": slug})).collect::<Vec<_>>()});
    let all = nodes(&["compasses", "lanterns"]);
    let lanterns = json!({"slug": {"eq": "lanterns"}, "name": null});
    for (variables, data) in [
        (json!({"n": 2, "where": {}}), json!({"categories": all, "me": null})),
        (json!({"n": 1, "where": lanterns, "skip": true}), json!({"categories": nodes(&["lanterns"])})),
        (json!({"n": 2, "where": {}}), json!({"categories": all, "me": null})),
    ] {
        let response = graph.run(text, variables).await;
        assert_eq!(response.errors, vec![]);
        assert_eq!(response.data.into_json().unwrap(), data);
    }
    assert!(graph.is_cached(text, json!({"n": 1, "where": {}})));
    // It now runs without validation, but bad variables are still rejected before execution.
    for variables in [json!({}), json!({"n": "x", "where": {}}), json!({"n": 1, "where": {"colour": 1}})] {
        let response = graph.run(text, variables).await;
        assert_eq!((response.errors.len(), response.errors[0].path.len()), (1, 0));
    }
    // Custom scalars are parsed again, too.
    let priced = "query ($price: Decimal) { products(where: { price: { gte: $price } }) { nodes { id } } }";
    for (price, fits) in [("1.50", true), ("much", false), ("2", true), ("much", false)] {
        let response = graph.run(priced, json!({"price": price})).await;
        assert_eq!(response.errors.is_empty(), fits, "{price}: {}", errors(&response));
        assert!(fits || errors(&response).contains("BAD_USER_INPUT"));
    }
}

#[tokio::test]
async fn documents_with_unvalidated_parts_are_validated_again() {
    let graph = TestEngine::new().await;
    // If $name is absent, validation skips the filter, which contains an unknown field.
    let text = "query ($name: String) { products(where: { colour: 1, name: { eq: $name } }) { nodes { id } } }";
    graph.run(text, json!({})).await;
    assert!(!graph.is_cached(text, json!({})));
    let response = graph.run(text, json!({"name": "x"})).await;
    assert!(response.errors[0].message.contains("colour"), "{}", errors(&response));
    // Of two operations, only the values of the selected one are validated.
    let two = "query A { me { id } } query B($name: String) { products(where: { colour: 1, name: { eq: $name } }) { nodes { id } } }";
    let id = RequestId::random();
    for name in ["A", "A", "B"] {
        let prepared = graph.engine.prepare(request(two, json!({"name": "x"})).operation_name(name)).unwrap();
        let data =
            request_data(Viewer::anonymous(), RequestOrigin::default(), Cookies::default(), &Dispatcher::default());
        let response = graph.engine.execute(prepared, data, &id).await;
        assert_eq!(response.errors.is_empty(), name == "A", "{name}: {}", errors(&response));
    }
    // The size is computed on every run, because it depends on the variables.
    let sized = "query ($n: Int!) { products(first: $n) { nodes { category { products(first: $n) { nodes {
        id name sku } } } } } }";
    for (n, fits) in [(1, true), (100, false), (1, true), (100, false)] {
        let response = graph.run(sized, json!({"n": n})).await;
        assert_eq!(response.errors.is_empty(), fits, "{}", errors(&response));
        assert!(fits || errors(&response).contains("LIMIT_EXCEEDED"), "{}", errors(&response));
    }
}

#[tokio::test]
async fn only_short_executed_queries_are_cached() {
    let graph = TestEngine::new().await;
    let long = format!("{{ me {{ id }} #{}\n }}", "x".repeat(16 * 1024));
    let mutation = r#"mutation { userDeactivate(input: { id: "x" }) { userErrors { code } } }"#;
    for (text, kept) in [
        ("{ me { id } }", true),
        (mutation, false),
        (long.as_str(), false),
        // A failed execution does not make the document invalid.
        ("{ orders { nodes { id } } }", true),
    ] {
        graph.run(text, json!({})).await;
        assert_eq!(graph.is_cached(text, json!({})), kept, "{text:.50}");
    }
    graph.run("{ my { id } }", json!({})).await;
    assert!(!graph.is_cached("{ my { id } }", json!({})));
    // An absent variable that is a whole argument skips no validation.
    let optional = "query ($slug: String) { category(slug: $slug) { id } }";
    graph.run(optional, json!({})).await;
    assert!(graph.is_cached(optional, json!({})));
}

#[tokio::test]
async fn cached_document_still_checks_permissions() {
    let app = TestApp::new().await;
    let (admin, customer) = (app.admin().await, app.customer().await);
    for text in ["{ users { nodes { id } } }", "{ suppliers { nodes { id } } }"] {
        // The first run stores the document in the cache.
        let staff = admin.run(text).await;
        let (other, nobody) = (customer.run(text).await, app.anonymous().run(text).await);
        assert!(staff.json["errors"].is_null(), "{staff:?}");
        assert_eq!(nobody.code(), "UNAUTHENTICATED");
        match text.contains("users") {
            true => assert_eq!(other.at("users.nodes"), &json!([{"id": customer.global_id()}])),
            false => assert_eq!(other.code(), "FORBIDDEN"),
        }
    }
}

#[tokio::test]
async fn introspection_queries_of_common_tools_are_within_the_limits() {
    let of_type = (0..9).fold("kind name".to_owned(), |inside, _| format!("kind name ofType {{ {inside} }}"));
    let text = format!(
        "query IntrospectionQuery {{ __schema {{ description queryType {{ name kind }} mutationType {{ name kind }}
           subscriptionType {{ name kind }} types {{ ...FullType }}
           directives {{ name description isRepeatable locations args {{ ...InputValue }} }} }} }}
         fragment FullType on __Type {{ kind name description specifiedByURL
           fields(includeDeprecated: true) {{ name description args {{ ...InputValue }} type {{ ...TypeRef }}
             isDeprecated deprecationReason }}
           inputFields {{ ...InputValue }} interfaces {{ ...TypeRef }}
           enumValues(includeDeprecated: true) {{ name description isDeprecated deprecationReason }}
           possibleTypes {{ ...TypeRef }} }}
         fragment InputValue on __InputValue {{ name description type {{ ...TypeRef }} defaultValue }}
         fragment TypeRef on __Type {{ {of_type} }}"
    );
    let app = TestApp::new().await;
    for _ in 0..2 {
        let response = app.anonymous().run(&text).await;
        assert_eq!(response.text_at("__schema.queryType.name"), "Query");
        let types = response.at("__schema.types").as_array().unwrap();
        let fields =
            |name: &str| types.iter().find(|ty| ty["name"] == name).map(|ty| ty["fields"].as_array().unwrap().len());
        assert!(fields("Product").is_some_and(|count| count > 10));
        assert!(fields("Mutation").is_some_and(|count| count > 10));
    }
}
