//! Request ids: taken from the `x-request-id` header or generated, stored as a request extension, returned in the
//! response.
//! Rule: every response has an id. Ids of clients that are unsafe to log are replaced.

use axum::{
    extract::Request,
    http::{HeaderName, HeaderValue},
    response::Response,
};

use crate::telemetry::RequestId;

/// The request id header of requests and responses.
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Returns the id of a request, which is stored in its extensions.
pub fn set_request_id(request: &mut Request) -> RequestId {
    let sent = request.headers().get(X_REQUEST_ID).and_then(|value| value.to_str().ok());
    let id = sent.and_then(RequestId::parse).unwrap_or_else(RequestId::random);
    request.extensions_mut().insert(id.clone());
    id
}

/// Adds the id to a response.
pub fn add_request_id(response: &mut Response, id: &RequestId) {
    if let Ok(value) = HeaderValue::from_str(id.as_str()) {
        response.headers_mut().insert(X_REQUEST_ID, value);
    }
}
