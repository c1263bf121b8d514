//! Webhooks: who may subscribe, what is delivered and when, and what happens if a receiver fails.

mod deliveries;
mod failures;
mod fixtures;
mod receiver;
mod slow;
mod subscriptions;

pub use self::fixtures::FIXTURES;

use serde_json::{Value, json};
use souk::{
    graphql::schema::webhooks::payload::payload_source,
    ids::{RowId, WebsiteId},
    jobs::worker::StopSignal,
    outbound::Addresses,
    webhooks::actions::deliver::{DeliverContext, run},
};

use self::receiver::Receiver;
use crate::support::{Actor, ProductSpec, TestApp, TestResponse};

const SECRET: &str = "0123456789abcdef";

/// Returns what the job that delivers events needs.
fn context(app: &TestApp) -> DeliverContext {
    DeliverContext::new(app.database.db.clone(), payload_source(&app.services, None), Addresses::All)
}

/// Delivers what is due.
async fn deliver(app: &TestApp) {
    run(&context(app), &StopSignal::never()).await.expect("a run");
}

async fn create(actor: &Actor<'_>, input: Value) -> TestResponse {
    actor.mutate("webhookSubscriptionCreate", "webhookSubscription { id version } secret", input).await
}

/// Subscribes a receiver to these events, with further fields of the input; returns the id.
async fn subscribe(actor: &Actor<'_>, receiver: &Receiver, events: &[&str], more: Value) -> String {
    let mut input = json!({ "url": receiver.url, "events": events, "secret": SECRET });
    input.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    create(actor, input).await.text_at("webhookSubscriptionCreate.webhookSubscription.id")
}

/// Returns the deliveries that an actor sees, oldest first.
async fn deliveries(actor: &Actor<'_>) -> Vec<Value> {
    let document = "{ webhookDeliveries(first: 100, orderBy: {field: CREATED_AT, direction: ASC}) { nodes {
        id eventId event isTest status attempts nextAttemptAt responseStatus responseExcerpt failure subscription { id } } } }";
    let response = actor.run(document).await;
    response.at("webhookDeliveries.nodes").as_array().expect("deliveries").clone()
}

/// Returns the status and the number of attempts of each delivery, oldest first.
async fn states(actor: &Actor<'_>) -> Vec<String> {
    let state =
        |delivery: &Value| format!("{} {}", delivery["status"].as_str().unwrap_or_default(), delivery["attempts"]);
    deliveries(actor).await.iter().map(state).collect()
}

/// Makes all retries due.
async fn skip_delays(app: &TestApp) {
    app.database
        .sql("UPDATE webhook_deliveries SET attempt_at = now(); UPDATE webhook_subscriptions SET retry_at = NULL")
        .await;
}

/// A shop with one product; returns its ID.
async fn shop() -> (TestApp, String) {
    let app = TestApp::new().await;
    let spec = ProductSpec { sku: Some("ROPE".to_owned()), stock: 50, ..ProductSpec::default() };
    let product = app.product(app.website("main").await.id, spec).await;
    (app, product.id.to_global_id())
}

/// Returns the website of [`shop`].
async fn main_website(app: &TestApp) -> WebsiteId {
    WebsiteId(app.database.scalar("SELECT id FROM websites WHERE code = 'main'").await.parse().expect("an ID"))
}

/// Sets the stock of a product.
async fn set_stock(actor: &Actor<'_>, product: &str, quantity: i32) {
    let input = json!({ "productId": product, "quantity": quantity });
    assert_eq!(actor.try_mutate("stockSet", input).await, "done");
}

/// Changes a product.
async fn touch(app: &TestApp, name: &str) {
    app.database.sql(&format!("UPDATE products SET name = '{name}' WHERE sku = 'ROPE'")).await;
}
