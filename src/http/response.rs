//! Conversion of GraphQL responses into HTTP responses: status, headers and JSON.
//! Rule: every response of the endpoint, including rejections, is a GraphQL response; a request error has no `data`.

use std::mem;

use axum::{
    http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use serde::Serialize;

use super::{media_type::MediaType, public};
use crate::{
    error::ErrorCode,
    graphql::engine::{
        errors::{code, is_request_error, retry_after},
        response::Response as GraphqlResponse,
    },
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

/// Writes the JSON body of a response. Errors come first, as the specification recommends.
fn push_body(response: &GraphqlResponse, out: &mut Vec<u8>) {
    let mut separator = "{";
    let mut push_key = |key: &str, out: &mut Vec<u8>| {
        out.extend_from_slice(separator.as_bytes());
        out.extend_from_slice(key.as_bytes());
        separator = ",";
    };
    if !response.errors.is_empty() {
        push_key("\"errors\":", out);
        push_value(&response.errors, out);
    }
    if !is_request_error(response) {
        push_key("\"data\":", out);
        out.extend_from_slice(response.data.as_deref().unwrap_or(b"null"));
    }
    if !response.extensions.is_empty() {
        push_key("\"extensions\":", out);
        push_value(&response.extensions, out);
    }
    out.push(b'}');
}

fn push_value(value: &impl Serialize, out: &mut Vec<u8>) {
    serde_json::to_writer(out, value).expect("GraphQL values are valid JSON, and writing to memory cannot fail");
}

/// Returns the JSON of a response.
pub fn json(response: &GraphqlResponse) -> String {
    let mut body = Vec::with_capacity(response.data.as_ref().map_or(0, Bytes::len) + 64);
    push_body(response, &mut body);
    String::from_utf8(body).expect("JSON is UTF-8")
}

/// Builds the HTTP response with the status that its errors have.
pub fn respond_with_status(media_type: MediaType, response: GraphqlResponse) -> Response {
    let status = status(&response, media_type);
    respond(media_type, status, response)
}

/// Builds the HTTP response with this status.
pub fn respond(media_type: MediaType, status: StatusCode, mut response: GraphqlResponse) -> Response {
    let headers = mem::take(&mut response.http_headers);
    respond_with_headers(media_type, status, &response, headers)
}

/// Builds the HTTP response to the only operation of a request.
pub fn respond_to_operation(
    request: &Parts,
    media_type: MediaType,
    max_age: u32,
    mut response: GraphqlResponse,
) -> Response {
    let status = status(&response, media_type);
    let mut headers = mem::take(&mut response.http_headers);
    // Extensions are for this client.
    let Some(public) = response.public.take().filter(|_| response.extensions.is_empty()) else {
        return respond_with_headers(media_type, status, &response, headers);
    };
    let body = public::encoded_body(request, &public, &mut headers);
    public::share(request, &public, max_age, build(media_type, status, headers, body, None, false))
}

fn respond_with_headers(
    media_type: MediaType,
    status: StatusCode,
    response: &GraphqlResponse,
    headers: HeaderMap,
) -> Response {
    let seconds = retry_after(response);
    let is_unknown = is_unknown_document(response);
    let mut body = Vec::with_capacity(response.data.as_ref().map_or(0, Bytes::len) + 64);
    push_body(response, &mut body);
    build(media_type, status, headers, body.into(), seconds, is_unknown)
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
    let mut body = vec![b'['];
    for (index, response) in responses.iter().enumerate() {
        body.extend_from_slice(if index == 0 { b"" } else { b"," });
        push_body(response, &mut body);
    }
    body.push(b']');
    let seconds = responses.iter().filter_map(retry_after).max();
    let is_limited = |response: &GraphqlResponse| {
        is_request_error(response) && response.errors.first().and_then(code) == Some(ErrorCode::RateLimited)
    };
    let are_limited = !responses.is_empty() && responses.iter().all(is_limited);
    let status = if are_limited { StatusCode::TOO_MANY_REQUESTS } else { StatusCode::OK };
    build(media_type, status, headers, body.into(), seconds, responses.iter().any(is_unknown_document))
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
    body: Bytes,
    retry_after_seconds: Option<u64>,
    is_unknown_document: bool,
) -> Response {
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
    (status, headers, body).into_response()
}
