//! A schema with fields that Souk does not have: fields that panic, hang, or fail without a code.
//! It runs in the server's engine, behind the server's endpoint.

use std::{sync::Arc, time::Duration};

use async_graphql::{Context, EmptyMutation, EmptySubscription, ErrorExtensions, InputObject, OneofObject, Schema};
use axum::{
    Router,
    extract::Request,
    middleware::{self, Next},
};
use souk::config::Environment;
use souk::config::HttpSettings;
use souk::config::SubscriptionSettings;
use souk::error::Error;
use souk::error::ErrorCode;
use souk::error::Result;
use souk::graphql::engine::Engine;
use souk::graphql::engine::EngineSettings;
use souk::http::client_limits::ClientLimits;
use souk::http::endpoint::Endpoint;
use souk::http::graphql::router;
use souk::http::request_id::{add_request_id, set_request_id};
use souk::http::subscriptions::Connections;
use souk::storage::space::UploadSpace;
use souk::telemetry::RequestId;
use souk_macros::object;

use super::{TestApp, builder::http_settings};

/// Query root of the failing fields.
#[derive(Default)]
pub struct FailingFields;

#[derive(InputObject)]
struct Line {
    quantity: i32,
    note: Option<String>,
}

/// Lookup key: a `oneof` input.
#[derive(OneofObject)]
enum Pick {
    Id(i32),
    Name(String),
}

#[object]
impl FailingFields {
    fn one(&self) -> i32 {
        1
    }

    fn request_id(&self, ctx: &Context<'_>) -> String {
        ctx.data_unchecked::<RequestId>().to_string()
    }

    async fn panic(&self) -> Option<i32> {
        explode()
    }

    async fn hang(&self) -> Option<i32> {
        std::future::pending().await
    }

    async fn missing(&self) -> Result<Option<i32>> {
        Err(Error::Coded(ErrorCode::NotFound, "no such item".into()))
    }

    async fn fault(&self) -> Result<Option<i32>> {
        Err(Error::Internal("the secret cause".into()))
    }

    async fn must(&self) -> Result<i32> {
        Err(Error::Internal("the secret cause".into()))
    }

    async fn foreign(&self) -> async_graphql::Result<Option<i32>> {
        Err(std::io::Error::other("the secret cause").into())
    }

    async fn odd_code(&self) -> async_graphql::Result<Option<i32>> {
        let error = async_graphql::Error::new("the secret cause");
        Err(error.extend_with(|_, extensions| extensions.set("code", "ODD")))
    }

    async fn lines(&self, lines: Vec<Line>) -> String {
        let line = |line: Line| format!("{}{}", line.quantity, line.note.unwrap_or_default());
        lines.into_iter().map(line).collect()
    }

    async fn pick(&self, by: Pick) -> String {
        match by {
            Pick::Id(id) => id.to_string(),
            Pick::Name(name) => name,
        }
    }
}

fn explode() -> Option<i32> {
    panic!("a resolver that panics")
}

/// Returns an engine with these fields.
pub fn engine() -> Engine {
    let build = || Schema::build(FailingFields, EmptyMutation, EmptySubscription);
    Engine::new(build, EngineSettings::default())
}

/// Returns an endpoint with these fields and this operation timeout.
pub fn endpoint(app: &TestApp, timeout: Duration) -> Router {
    let services = Arc::clone(&app.services);
    let endpoint = Endpoint {
        upload_space: UploadSpace::new(0, 0),
        engine: engine(),
        connections: Connections::new(Arc::clone(&services), SubscriptionSettings::default()),
        environment: Environment::Development,
        services,
        settings: HttpSettings { body_limit: 10_000, timeout, trusted_proxies: 0, ..http_settings() },
        limits: ClientLimits::new(&http_settings(), None),
        show_sql: false,
        introspection: souk::config::Introspection::On,
        has_secure_cookies: false,
    };
    let with_id = |mut request: Request, next: Next| async move {
        let id = set_request_id(&mut request);
        let mut response = next.run(request).await;
        add_request_id(&mut response, &id);
        response
    };
    router(Arc::new(endpoint)).layer(middleware::from_fn(with_id))
}
