//! Request ids: taken from the `x-request-id` header or generated, stored as a request extension, returned in the
//! response.
//! Rule: this is the outermost middleware, so that every response has an id.
//!
//! tower-http's `SetRequestIdLayer` keeps any id that a client sends; this middleware replaces ids that are unsafe to
//! log.

use axum::{
    extract::Request,
    http::{HeaderName, HeaderValue},
    middleware::Next,
    response::Response,
};

use crate::telemetry::RequestId;

/// The request id header of requests and responses.
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Sets the request id; a middleware for `axum::middleware::from_fn`.
pub async fn set_request_id(mut request: Request, next: Next) -> Response {
    let sent = request.headers().get(X_REQUEST_ID).and_then(|value| value.to_str().ok());
    let id = sent.and_then(RequestId::parse).unwrap_or_else(RequestId::random);
    request.extensions_mut().insert(id.clone());
    let mut response = next.run(request).await;
    if let Ok(value) = HeaderValue::from_str(id.as_str()) {
        response.headers_mut().insert(X_REQUEST_ID, value);
    }
    response
}
