//! POST `/webhooks/payments/{provider}`: webhooks of payment providers.
//! Rule: the body is passed on unchanged, because its signature covers these bytes; it is not interpreted here.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Extension, Json, Router,
    body::to_bytes,
    extract::{Path, Request, State},
    http::{HeaderMap, Method, StatusCode},
    response::{IntoResponse, Response},
    routing::any,
};
use serde_json::json;
use tokio::time::timeout;

use super::{origin::origin, rejection::Rejection};
use crate::{
    config::HttpSettings,
    db::actor::Actor,
    error::ErrorCode,
    graphql::{
        engine::errors::{self, code},
        schema::context::Services,
    },
    telemetry::RequestId,
};

/// Maximum length of a body, in bytes.
const MAX_BODY_BYTES: usize = 256 * 1024;

#[derive(Clone)]
struct Webhooks {
    services: Arc<Services>,
    settings: Arc<HttpSettings>,
}

pub(super) fn routes(services: Arc<Services>, settings: &HttpSettings) -> Router {
    let webhooks = Webhooks { services, settings: Arc::new(settings.clone()) };
    Router::new().route("/webhooks/payments/{provider}", any(handle)).with_state(webhooks)
}

async fn handle(
    State(webhooks): State<Webhooks>,
    Path(provider): Path<String>,
    Extension(id): Extension<RequestId>,
    request: Request,
) -> Response {
    let result = timeout(webhooks.settings.timeout, receive(&webhooks, &provider, &id, request)).await;
    let timed_out = || Rejection::request_timeout("the webhook was not processed in time");
    let result = result.unwrap_or_else(|_| Err(timed_out()));
    let outcome = match &result {
        Ok(outcome) => outcome,
        Err(rejection) => rejection.message(),
    };
    tracing::info!(request_id = %id, provider, outcome, "payment webhook");
    match result {
        Ok(outcome) => Json(json!({ "outcome": outcome })).into_response(),
        Err(rejection) => rejection.into_json(&id),
    }
}

async fn receive(
    webhooks: &Webhooks,
    provider: &str,
    id: &RequestId,
    request: Request,
) -> Result<&'static str, Rejection> {
    let (parts, body) = request.into_parts();
    if parts.method != Method::POST {
        return Err(Rejection::method_not_allowed("use POST", "POST"));
    }
    let body = to_bytes(body, MAX_BODY_BYTES).await.map_err(|error| {
        let too_large = format!("the body is incomplete or larger than {MAX_BODY_BYTES} bytes");
        Rejection::from_body_error(&error, Rejection::too_large(too_large))
    })?;
    let address = origin(&parts, &webhooks.settings).address;
    let actor = Actor { address, request_id: Some(id.as_str().to_owned()), ..Actor::system() };
    let headers = text_headers(&parts.headers);
    let outcome = actor.scope(webhooks.services.receive_payment_webhook(provider, &headers, &body)).await;
    // It may have changed the availability of products.
    webhooks.services.responses.catch_up().await;
    outcome.map_err(|error| {
        let error = errors::from_error(&error, id);
        let code = code(&error).unwrap_or(ErrorCode::InternalServerError);
        let status = match code {
            ErrorCode::Unauthenticated => StatusCode::UNAUTHORIZED,
            ErrorCode::NotFound => StatusCode::NOT_FOUND,
            ErrorCode::BadUserInput => StatusCode::BAD_REQUEST,
            ErrorCode::Conflict | ErrorCode::Timeout | ErrorCode::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Rejection::new(status, code, error.message)
    })
}

/// Returns the headers whose values are text. Values of the same header are joined with commas, as RFC 9110 defines.
fn text_headers(headers: &HeaderMap) -> BTreeMap<String, String> {
    let mut texts: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in headers {
        let Ok(value) = value.to_str() else { continue };
        let text = texts.entry(name.as_str().to_owned()).or_default();
        if !text.is_empty() {
            text.push(',');
        }
        text.push_str(value);
    }
    texts
}
