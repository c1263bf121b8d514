//! Documents: the validation of variables, and the document cache.

use std::time::{Duration, Instant};

use async_graphql::{Request, Variables};
use serde_json::{Value, json};
use souk::auth::{RequestOrigin, Viewer};
use souk::config::LimitSettings;
use souk::graphql;
use souk::graphql::engine::{Engine, batching::Dispatcher, budget::Budget, response::Response};
use souk::graphql::schema::{access::cookie::Cookies, context::request_data};
use souk::telemetry::RequestId;

use crate::support::TestApp;

/// An engine with Souk's schema, separate from the one of the app's router.
pub(super) struct TestEngine {
    pub(super) app: TestApp,
    engine: Engine,
}

impl TestEngine {
    pub(super) async fn new() -> Self {
        Self::with(&LimitSettings::default()).await
    }

    pub(super) async fn with(limits: &LimitSettings) -> Self {
        let app = TestApp::new().await;
        let engine = graphql::engine(&app.services, limits);
        Self { app, engine }
    }

    /// Runs an operation as an anonymous viewer.
    pub(super) async fn run(&self, text: &str, variables: Value) -> Response {
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
    pub(super) fn assert_limited(&self, text: &str, by: &str) {
        let (code, message) = self.rejection(text);
        assert!(code.contains("LIMIT_EXCEEDED") && message.contains(by), "{code}: {message}");
    }

    #[track_caller]
    pub(super) fn assert_bad(&self, text: &str, by: &str) {
        let (code, message) = self.rejection(text);
        assert!(code.contains("BAD_USER_INPUT") && message.contains(by), "{code}: {message}");
    }

    #[track_caller]
    pub(super) fn assert_fits(&self, text: &str) {
        if let Err(error) = self.engine.prepare(Request::new(text)) {
            panic!("{}", error.message);
        }
    }
}

fn request(text: &str, variables: Value) -> Request {
    Request::new(text).variables(Variables::from_json(variables))
}

pub(super) fn errors(response: &Response) -> String {
    format!("{:?}", response.errors)
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
        assert_eq!(response.value().into_json().unwrap(), data);
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
    for (n, fits) in [(1, true), (100, false), (1, true), (1, true), (100, false)] {
        let response = graph.run(sized, json!({"n": n})).await;
        assert_eq!(response.errors.is_empty(), fits, "{}", errors(&response));
        assert!(fits || errors(&response).contains("LIMIT_EXCEEDED"), "{}", errors(&response));
    }
}

#[tokio::test]
async fn complexity_of_a_validated_document_is_charged_on_every_run() {
    let graph = TestEngine::with(&LimitSettings { max_complexity: 20, ..LimitSettings::default() }).await;
    let text = "query ($id: ID!) { node(id: $id) { id } }";
    let charged = async |budget: &Budget| {
        let request = request(text, json!({"id": "UHJvZHVjdDox"}));
        let prepared = graph.engine.prepare_within(request, budget).unwrap();
        let data =
            request_data(Viewer::anonymous(), RequestOrigin::default(), Cookies::default(), &Dispatcher::default());
        graph.engine.execute(prepared, data, &RequestId::random()).await.errors.is_empty()
    };
    let mut runs_within_limit = Vec::new();
    // The first run validates the document, the second finds out its complexity, the others know it.
    for _ in 0..4 {
        let budget = graph.engine.budget();
        let mut runs = 0;
        while charged(&budget).await {
            runs += 1;
        }
        runs_within_limit.push(runs);
    }
    assert!((2..20).contains(&runs_within_limit[0]), "{runs_within_limit:?}");
    assert_eq!(runs_within_limit, [runs_within_limit[0]; 4]);
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
