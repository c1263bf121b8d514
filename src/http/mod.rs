//! The doors over HTTP: `/graphql`, health, the IDE pages.
//! Rule: nothing here knows a noun; every answer carries its request id.

pub mod graphql;
mod health;
pub mod ide;
mod params;
pub mod request_id;

use std::{sync::Arc, time::Duration};

use axum::{
    Json, Router,
    http::{HeaderValue, Method, StatusCode, header},
    middleware,
    response::{IntoResponse, Response},
    routing::get,
};
use tower_http::{
    catch_panic::CatchPanicLayer,
    cors::{AllowOrigin, CorsLayer},
};

use self::{
    graphql::Endpoint,
    health::{Health, livez, readyz},
    request_id::{X_REQUEST_ID, request_id},
};
use crate::{
    error::ErrorCode,
    graphql::{context::Services, engine::Engine},
};

/// The settings of the doors.
#[derive(Debug, Clone)]
pub struct HttpSettings {
    /// Longest body in bytes.
    pub body_limit: usize,
    /// Longest operation.
    pub timeout: Duration,
    /// Whether the IDE pages are served.
    pub ide: bool,
    /// Whether answers say how many statements they took.
    pub show_sql: bool,
    /// Origins that browsers may call from; `*` for any.
    pub cors_origins: Vec<String>,
}

/// Everything there is over HTTP, and the switch that takes it out of service.
pub fn router(engine: Engine, services: Arc<Services>, settings: &HttpSettings) -> (Router, Arc<Health>) {
    let health = Arc::new(Health::new(services.db.clone()));
    let endpoint = Endpoint {
        engine,
        services,
        max_body_bytes: settings.body_limit,
        timeout: settings.timeout,
        show_sql: settings.show_sql,
    };
    let probes =
        Router::new().route("/livez", get(livez)).route("/readyz", get(readyz)).with_state(Arc::clone(&health));
    let pages = if settings.ide { ide::routes() } else { Router::new() };
    let router = graphql::router(Arc::new(endpoint))
        .merge(probes)
        .merge(pages)
        .fallback(not_found)
        .layer(cors(&settings.cors_origins))
        .layer(CatchPanicLayer::new())
        .layer(middleware::from_fn(request_id));
    (router, health)
}

fn cors(origins: &[String]) -> CorsLayer {
    if origins.is_empty() {
        return CorsLayer::new();
    }
    let allowed = if origins.iter().any(|origin| origin == "*") {
        AllowOrigin::any()
    } else {
        AllowOrigin::list(origins.iter().filter_map(|origin| HeaderValue::from_str(origin.trim()).ok()))
    };
    CorsLayer::new()
        .allow_origin(allowed)
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([header::CONTENT_TYPE, header::ACCEPT, header::AUTHORIZATION, X_REQUEST_ID])
        .expose_headers([X_REQUEST_ID])
        .max_age(Duration::from_secs(3600))
}

async fn not_found() -> Response {
    let error = serde_json::json!({
        "message": "there is nothing here; the graph is at /graphql",
        "extensions": { "code": ErrorCode::NotFound.as_str() },
    });
    (StatusCode::NOT_FOUND, Json(serde_json::json!({ "errors": [error] }))).into_response()
}
