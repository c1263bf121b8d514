//! Conversion of GraphQL responses into HTTP responses: status, headers and JSON.
//! Rule: every response of the endpoint, including rejections, is a GraphQL response; a request error has no `data`.

use std::mem;

use async_graphql::{Response as GraphqlResponse, ServerError, Value};
use axum::{
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

use super::media_type::MediaType;
use crate::{
    error::ErrorCode,
    graphql::engine::errors::{code, is_request_error, retry_after},
};

/// Returns the status of a response: from the code of its first error if it is a request error, 200 otherwise.
pub fn status(response: &GraphqlResponse, media_type: MediaType) -> StatusCode {
    if !is_request_error(response) {
        return StatusCode::OK;
    }
    match response.errors.first().and_then(code) {
        Some(ErrorCode::Unauthenticated) => StatusCode::UNAUTHORIZED,
        Some(ErrorCode::Forbidden) => StatusCode::FORBIDDEN,
        Some(ErrorCode::RateLimited) => StatusCode::TOO_MANY_REQUESTS,
        Some(ErrorCode::Timeout) => StatusCode::GATEWAY_TIMEOUT,
        Some(ErrorCode::Unavailable) => StatusCode::SERVICE_UNAVAILABLE,
        Some(ErrorCode::InternalServerError) => StatusCode::INTERNAL_SERVER_ERROR,
        // A step of the protocol for persisted queries: some clients do not read the body of another status.
        Some(ErrorCode::PersistedQueryNotFound | ErrorCode::PersistedQueryNotSupported) => StatusCode::OK,
        _ if media_type == MediaType::GraphqlResponse => StatusCode::BAD_REQUEST,
        _ => StatusCode::OK,
    }
}

/// The JSON body of a response. Errors come first, as the specification recommends.
#[derive(Serialize)]
struct ResponseBody<'a> {
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [ServerError],
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    extensions: Option<&'a std::collections::BTreeMap<String, Value>>,
}

impl<'a> ResponseBody<'a> {
    fn new(response: &'a GraphqlResponse) -> Self {
        Self {
            errors: &response.errors,
            data: (!is_request_error(response)).then_some(&response.data),
            extensions: (!response.extensions.is_empty()).then_some(&response.extensions),
        }
    }
}

/// Builds the HTTP response with this status.
pub fn respond(media_type: MediaType, status: StatusCode, mut response: GraphqlResponse) -> Response {
    let headers = mem::take(&mut response.http_headers);
    let seconds = retry_after(&response);
    let is_unknown = is_unknown_document(&response);
    build(media_type, status, headers, &ResponseBody::new(&response), seconds, is_unknown)
}

/// Builds the HTTP response to an array of requests. Its status is 200, because each response has errors of its own, or 429
/// if none of them ran for lack of points.
pub fn respond_to_batch(media_type: MediaType, responses: &[GraphqlResponse]) -> Response {
    let mut headers = HeaderMap::new();
    for (name, value) in responses.iter().flat_map(|response| &response.http_headers) {
        // The responses have one client, whose last state counts.
        match name.as_str().starts_with("ratelimit") {
            true => drop(headers.insert(name, value.clone())),
            false => drop(headers.append(name, value.clone())),
        }
    }
    let bodies: Vec<_> = responses.iter().map(ResponseBody::new).collect();
    let seconds = responses.iter().filter_map(retry_after).max();
    let is_limited = |response: &GraphqlResponse| {
        is_request_error(response) && response.errors.first().and_then(code) == Some(ErrorCode::RateLimited)
    };
    let are_limited = !responses.is_empty() && responses.iter().all(is_limited);
    let status = if are_limited { StatusCode::TOO_MANY_REQUESTS } else { StatusCode::OK };
    build(media_type, status, headers, &bodies, seconds, responses.iter().any(is_unknown_document))
}

/// Returns whether the response says that a persisted query is unknown. It must not be cached: the same request succeeds
/// later.
fn is_unknown_document(response: &GraphqlResponse) -> bool {
    response.errors.first().and_then(code) == Some(ErrorCode::PersistedQueryNotFound)
}

fn build(
    media_type: MediaType,
    status: StatusCode,
    mut headers: HeaderMap,
    body: &impl Serialize,
    retry_after_seconds: Option<u64>,
    is_unknown_document: bool,
) -> Response {
    let mut bytes = Vec::with_capacity(1024);
    serde_json::to_writer(&mut bytes, body).expect("GraphQL values are valid JSON, and writing to memory cannot fail");
    headers.insert(header::CONTENT_TYPE, media_type.content_type());
    if let Some(seconds) = retry_after_seconds {
        headers.insert(header::RETRY_AFTER, seconds.into());
    }
    if is_unknown_document {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    if status == StatusCode::UNAUTHORIZED {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    (status, headers, bytes).into_response()
}
