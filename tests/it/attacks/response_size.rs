//! Responses that are larger than the memory: many texts, texts that grow when they are written, and many errors.

use serde_json::Value;
use souk::{
    auth::{RequestOrigin, Viewer},
    config::LimitSettings,
    graphql::{
        self,
        engine::{batching::Dispatcher, response::Response},
        schema::{access::cookie::Cookies, context::request_data},
    },
    telemetry::RequestId,
};

use crate::support::{ProductSpec, TestApp};

/// The limit of these tests, in bytes.
const LIMIT: usize = 60_000;

/// Creates 20 products whose description is this SQL expression.
async fn shop(description: &str) -> TestApp {
    let app = TestApp::new().await;
    let website = app.website("sailor").await.id;
    for _ in 0..20 {
        app.product(website, ProductSpec::default()).await;
    }
    app.database.sql(&format!("UPDATE products SET description = {description}")).await;
    app
}

/// Executes a query for the public, with [`LIMIT`].
async fn run(app: &TestApp, query: &str) -> Response {
    let settings = LimitSettings { max_response: LIMIT, ..LimitSettings::default() };
    let small = graphql::engine(&app.services, &settings);
    let dispatcher = Dispatcher::default();
    let prepared = small.prepare(async_graphql::Request::new(query)).expect("a document within the limits");
    let data = request_data(Viewer::anonymous(), RequestOrigin::default(), Cookies::default(), &dispatcher);
    dispatcher.run(small.execute(prepared, data, &RequestId::random())).await
}

/// Returns a query of the descriptions of all products, this many times.
fn descriptions(aliases: usize) -> String {
    let texts: String = (0..aliases).map(|index| format!("d{index}: description ")).collect();
    format!("{{ products {{ nodes {{ {texts} }} }} websites {{ nodes {{ code }} }} }}")
}

/// Checks that the response ended at the limit, with one error that says so.
fn assert_exceeded(response: &Response) {
    let errors = serde_json::to_value(&response.errors).expect("errors");
    assert_eq!(errors.as_array().map(Vec::len), Some(1), "{errors:#}");
    assert_eq!(errors[0]["extensions"]["code"], "LIMIT_EXCEEDED");
    assert!(errors[0]["message"].as_str().is_some_and(|text| text.contains("60000 bytes")), "{errors:#}");
}

fn data_bytes(response: &Response) -> usize {
    response.data.as_ref().map_or(0, |data| data.len())
}

#[tokio::test]
async fn response_has_a_maximum_size() {
    let app = shop("repeat('x', 1000)").await;
    // 20 kB fit, 30 aliases of them do not.
    let fits = run(&app, &descriptions(1)).await;
    assert_eq!(fits.errors, vec![]);
    assert!((20_000..LIMIT).contains(&data_bytes(&fits)));
    let exceeds = run(&app, &descriptions(30)).await;
    assert_exceeded(&exceeds);
    assert!(data_bytes(&exceeds) <= LIMIT, "what was built before the limit is dropped");
    // Introspection counts too.
    let schema = run(&app, "{ __schema { types { name fields { name description } } } }").await;
    assert_exceeded(&schema);
    assert_eq!(schema.value().into_json().expect("JSON")["__schema"], Value::Null);
    // With the default of 16 MiB both pass.
    assert!(app.anonymous().run(&descriptions(30)).await.at("products.nodes.19.d29").is_string());
}

#[tokio::test]
async fn texts_count_as_they_are_written() {
    // Line breaks take two bytes, other control characters six: 40 kB fit, 120 kB do not.
    for (character, is_within) in [("10", true), ("1", false), ("31", false)] {
        let app = shop(&format!("repeat(chr({character}), 1000)")).await;
        let response = run(&app, &descriptions(1)).await;
        if is_within {
            assert_eq!(response.errors, vec![]);
            assert!((40_000..LIMIT).contains(&data_bytes(&response)));
        } else {
            assert_exceeded(&response);
            assert!(data_bytes(&response) <= LIMIT);
        }
    }
}

#[tokio::test]
async fn errors_have_a_maximum_size() {
    let app = shop("''").await;
    let hash = "ab".repeat(32);
    let images = format!(
        "WITH made AS (INSERT INTO media (sha256, format, width, height, bytes, blurhash, widths)
            VALUES ('{hash}', 'jpeg', 640, 480, 1000, 'LEHV6nWB2yk8', ARRAY[160, 640]) RETURNING id)
         INSERT INTO images (product_id, media_id, position) SELECT products.id, made.id, 1 FROM made, products"
    );
    app.database.sql(&images).await;
    // One error for each image and alias.
    let failing = |aliases: usize| {
        let urls: String = (0..aliases).map(|index| format!("u{index}: url(width: 0) ")).collect();
        format!("{{ products {{ nodes {{ images {{ {urls} }} }} }} }}")
    };
    let all = run(&app, &failing(2)).await;
    assert_eq!(all.errors.len(), 40);
    let most = run(&app, &failing(30)).await;
    let (exceeded, shown): (Vec<_>, Vec<_>) =
        most.errors.iter().partition(|error| error.message.contains("60000 bytes"));
    assert_eq!(exceeded.len(), 1, "{exceeded:?}");
    assert!(shown.len() > 40 && shown.iter().all(|error| error.message.contains("width")), "{}", shown.len());
    let written = serde_json::to_string(&most.errors).expect("JSON").len();
    assert!(written < 2 * LIMIT, "{written}");
    // The data is complete.
    assert!(most.value().into_json().expect("JSON")["products"]["nodes"][19]["images"][0]["u29"].is_null());
}
