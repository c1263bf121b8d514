//! The HTTP transport: `/graphql`, images, signed files, health, public keys, webhooks, the IDE pages.
//! Rule: no business rules here; every response carries its request id, and the headers that protect it.

mod admission;
pub mod client_limits;
mod cors;
mod credentials;
pub mod endpoint;
mod files;
pub mod graphql;
pub mod header_names;
mod health;
mod home;
mod host;
pub mod ide;
mod jwks;
mod lingering;
mod manual;
mod media;
mod media_type;
mod multipart;
mod operation;
mod origin;
mod page;
mod params;
mod protection;
mod public;
mod public_url;
mod rejection;
pub mod request_id;
mod response;
mod server;
pub mod subscriptions;
mod unsent;
mod webhooks;

use std::{panic::AssertUnwindSafe, sync::Arc};

use axum::{
    Extension, Router,
    extract::{Request, State},
    http::{HeaderMap, StatusCode},
    middleware::{self, Next},
    response::Response,
    routing::get,
};
use futures_util::FutureExt;
use tower::ServiceBuilder;
use tower_http::compression::{
    CompressionLayer, Predicate,
    predicate::{NotForContentType, SizeAbove},
};

pub use self::server::serve;
use self::{
    client_limits::{ClientLimits, charge_request},
    endpoint::Endpoint,
    health::{Health, livez, readyz},
    host::require_host,
    lingering::discard_unread_body,
    protection::protect,
    public_url::is_https,
    rejection::Rejection,
    request_id::{add_request_id, set_request_id},
    subscriptions::Connections,
};
use crate::{
    config::{Environment, HttpSettings, UploadSettings},
    error::ErrorCode,
    graphql::{engine::Engine, schema::context::Services},
    storage::space::UploadSpace,
    telemetry::RequestId,
};

/// Minimum size of a compressed response, in bytes. Smaller responses fit into one packet uncompressed.
const MIN_COMPRESSED: u64 = 1024;

/// Builds the router of all HTTP endpoints, and the health state that takes the server out of service.
pub fn router(
    engine: Engine,
    services: Arc<Services>,
    settings: &HttpSettings,
    environment: Environment,
) -> (Router, Arc<Health>) {
    let health = Arc::new(Health::new(services.db.clone(), services.redis.clone()));
    let keys = jwks::routes(&services.jwt);
    let webhooks = webhooks::routes(Arc::clone(&services), settings);
    let UploadSettings { space, space_per_user, kept_per_user } = settings.uploads;
    let kept_space = UploadSpace::new(u64::MAX, kept_per_user);
    let images = media::routes(Arc::clone(&services));
    let files = files::routes(services.storage.clone(), kept_space).merge(images);
    let show_sql = environment == Environment::Development;
    let limits = ClientLimits::new(settings, services.redis.clone());
    let endpoint = Endpoint {
        engine,
        limits: limits.clone(),
        environment,
        connections: Connections::new(Arc::clone(&services), settings.subscriptions),
        services,
        settings: settings.clone(),
        upload_space: UploadSpace::new(space, space_per_user),
        show_sql,
        introspection: settings.introspection(environment),
        has_secure_cookies: environment == Environment::Production,
    };
    let probes =
        Router::new().route("/livez", get(livez)).route("/readyz", get(readyz)).with_state(Arc::clone(&health));
    let has_ide = settings.has_ide(environment);
    let pages = if has_ide { ide::routes() } else { Router::new() };
    let pages = pages.merge(home::routes(has_ide)).merge(manual::routes());
    let router =
        graphql::router(Arc::new(endpoint)).merge(probes).merge(keys).merge(webhooks).merge(files).merge(pages);
    let router = router.fallback(unknown_path);
    // Around all routes at once: a layer of the router itself is cloned and boxed for each request of each route.
    let frame = Arc::new(Frame { limits, settings: settings.clone() });
    let layers = ServiceBuilder::new()
        .layer(middleware::from_fn_with_state(frame, exchange))
        .layer(compression())
        .option_layer(cors::layer(&settings.cors_origins, environment));
    (Router::new().fallback_service(layers.service(router)), health)
}

/// What every exchange needs.
struct Frame {
    limits: ClientLimits,
    settings: HttpSettings,
}

/// Runs a request between what all have in common: its id, the host, the charge, and the headers of the response. One
/// function, because each middleware boxes the future of the request once more.
async fn exchange(State(frame): State<Arc<Frame>>, mut request: Request, next: Next) -> Response {
    let id = set_request_id(&mut request);
    let is_https = is_https(request.headers(), &frame.settings);
    let mut response = match require_host(&request) {
        Ok(()) => {
            let run = charge_request(&frame.limits, &id, discard_unread_body(request), next);
            catch_panic(&id, run).await
        }
        Err(rejection) => rejection.into_json(&id),
    };
    protect(&mut response, is_https);
    add_request_id(&mut response, &id);
    response
}

/// Compresses responses with the encoding that the client prefers: gzip, Brotli or Zstandard. The layer skips responses
/// that already have a `Content-Encoding` or a `Content-Range`.
fn compression() -> CompressionLayer<impl Predicate> {
    // Images are compressed already, and so may be private files of `/files`, whose type is unknown.
    let predicate = SizeAbove::new(MIN_COMPRESSED)
        .and(NotForContentType::IMAGES)
        .and(NotForContentType::const_new("application/octet-stream"))
        // Events are sent at once.
        .and(NotForContentType::SSE)
        .and(NotForContentType::const_new("multipart/mixed"));
    CompressionLayer::new().compress_when(predicate)
}

async fn unknown_path(headers: HeaderMap, Extension(id): Extension<RequestId>) -> Response {
    not_found(&headers, &id, "not found; the GraphQL endpoint is /graphql", ("/", "Start page"))
}

/// Responds to a path that does not exist: with a page to a browser, with JSON to other clients.
fn not_found(headers: &HeaderMap, id: &RequestId, message: &str, link: (&str, &str)) -> Response {
    if media_type::prefers_html(headers) {
        return page::not_found(message, link);
    }
    Rejection::new(StatusCode::NOT_FOUND, ErrorCode::NotFound, message).into_json(id)
}

/// Turns a panic outside of an operation into a 500 response, as a last resort.
async fn catch_panic(id: &RequestId, run: impl Future<Output = Response>) -> Response {
    AssertUnwindSafe(run).catch_unwind().await.unwrap_or_else(|_| {
        tracing::error!(request_id = %id, "request panicked");
        Rejection::internal().into_json(id)
    })
}
