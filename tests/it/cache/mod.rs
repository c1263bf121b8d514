//! The cache of responses: which responses are cached, for which viewers, and that none is out of date. The fields that each
//! viewer sees with a warm cache are tested in `schema`.

mod changes;
mod entities;
mod http;
mod invalidation;
mod responses;
mod servers;
mod slow;

use crate::support::{Actor, TestApp, TestResponse};

/// Runs a query when the cache knows of everything that was committed before.
async fn run(actor: &Actor<'_>, document: &str) -> TestResponse {
    actor.app.services.responses.catch_up().await;
    actor.run(document).await
}

/// Returns whether the response to a query comes from the cache, when the cache knows of everything before.
async fn is_hit(app: &TestApp, document: &str) -> bool {
    let response = run(&app.anonymous(), document).await;
    assert!(response.json["errors"].is_null(), "{document}: {}", response.json);
    response.json["extensions"]["cache"]["hit"] == true
}

/// Puts the response to a query in the cache. On a busy machine the cache may not be in use at once.
async fn warm(app: &TestApp, document: &str) {
    for _ in 0..5 {
        if is_hit(app, document).await {
            return;
        }
    }
    panic!("not cached: {document}");
}
