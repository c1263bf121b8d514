//! The id of every request: taken from `x-request-id` or new, handed on as an extension, sent back in the answer.
//! Rule: the outermost layer, so that no answer leaves without one.
//!
//! tower-http's `SetRequestIdLayer` keeps whatever id a client sends; here an id that could do harm in a log is replaced.

use axum::{
    extract::Request,
    http::{HeaderName, HeaderValue},
    middleware::Next,
    response::Response,
};

use crate::telemetry::RequestId;

/// The header, of requests and of answers.
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The middleware, for `axum::middleware::from_fn`.
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
