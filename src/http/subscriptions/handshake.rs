//! The HTTP request that opens a WebSocket.
//! Rule: a page that CORS does not allow cannot open one, and neither can a client that has too many connections.

use std::sync::Arc;

use axum::{
    extract::{FromRequestParts, WebSocketUpgrade},
    http::{HeaderName, HeaderValue, Method, StatusCode, header, request::Parts},
    response::Response,
};

use super::{
    messages::{OLD_PROTOCOL, PROTOCOL},
    websocket::{Opening, run},
};
use crate::{
    auth::RequestOrigin,
    error::ErrorCode,
    graphql::schema::context::PublicUrl,
    http::{
        admission::{Exchange, RequestError},
        cors,
        credentials::authenticate,
        endpoint::Endpoint,
        header_names::{X_API_KEY, X_CART_TOKEN, X_VISITOR_ID},
        public_url::public_url,
        rejection::Rejection,
        server::ConnectionLink,
    },
};

/// Bytes that a connection reads and writes at once. Messages are small, and there are many connections.
const BUFFER_BYTES: usize = 1024;

/// Maximum size of a message from a client, besides that of a request. A client can take its time to send one.
const MAX_MESSAGE_BYTES: usize = 256 * 1024;

/// Returns whether a request opens a WebSocket.
pub fn is_handshake(parts: &Parts) -> bool {
    let upgrade = parts.headers.get(header::UPGRADE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    parts.method == Method::GET && upgrade.eq_ignore_ascii_case("websocket")
}

/// Opens a WebSocket.
/// # Errors
/// 403 for an origin that is not allowed, 429 if the client has too many connections or no points, 400 if the request is no valid
/// handshake; UNAUTHENTICATED for invalid credentials in headers.
pub async fn open(exchange: Exchange<'_>, mut parts: Parts) -> Result<Response, RequestError> {
    let Exchange { endpoint, origin, request_id, .. } = exchange;
    check_origin(endpoint, &parts)?;
    let viewer = authenticate(&parts.headers, &endpoint.services, request_id).await?;
    endpoint.limits.check(endpoint.limits.client(&viewer, origin))?;
    let opening = endpoint.connections.reserve_opening(endpoint.limits.network(origin))?;
    let link = parts.extensions.remove::<ConnectionLink>();
    let upgrade = WebSocketUpgrade::from_request_parts(&mut parts, &())
        .await
        .map_err(|error| Rejection::bad_request(format!("the WebSocket cannot be opened: {error}")))?;
    let limit = endpoint.settings.body_limit.min(MAX_MESSAGE_BYTES);
    let upgrade = upgrade
        .protocols([PROTOCOL, OLD_PROTOCOL])
        .read_buffer_size(BUFFER_BYTES)
        .write_buffer_size(0)
        .max_message_size(limit)
        .max_frame_size(limit);
    let is_supported = upgrade.selected_protocol() == Some(&HeaderValue::from_static(PROTOCOL));
    // The operations of the connection are like POST requests with its headers.
    parts.method = Method::POST;
    keep_needed(&mut parts);
    let opening = Opening { endpoint: Arc::clone(endpoint), parts, origin: RequestOrigin::clone(origin), opening };
    Ok(upgrade.on_upgrade(move |socket| Box::pin(run(socket, opening, link, is_supported))))
}

/// Removes what operations do not read, because a connection is open for long.
fn keep_needed(parts: &mut Parts) {
    parts.extensions.clear();
    let is_needed = |name: &HeaderName| {
        [header::AUTHORIZATION, header::HOST, header::USER_AGENT, X_API_KEY, X_CART_TOKEN, X_VISITOR_ID].contains(name)
            || name.as_str().starts_with("x-forwarded-")
    };
    let needed = parts.headers.iter().filter(|(name, _)| is_needed(name));
    parts.headers = needed.map(|(name, value)| (name.clone(), value.clone())).collect();
}

fn check_origin(endpoint: &Endpoint, parts: &Parts) -> Result<(), Rejection> {
    let PublicUrl(own) = public_url(parts, &endpoint.settings);
    match cors::is_allowed(&parts.headers, own.as_deref(), &endpoint.settings.cors_origins, endpoint.environment) {
        true => Ok(()),
        false => Err(Rejection::new(
            StatusCode::FORBIDDEN,
            ErrorCode::Forbidden,
            "pages of this origin may not open a WebSocket (SOUK_CORS_ORIGINS)",
        )),
    }
}
