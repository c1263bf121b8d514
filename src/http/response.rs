//! Conversion of GraphQL responses into HTTP responses: status, headers and JSON.
//! Rule: every response of the endpoint, including rejections, is a GraphQL response; a request error has no `data`.

use async_graphql::{Response as GraphqlResponse, ServerError, Value};
use axum::{
    http::{HeaderValue, StatusCode, header},
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

/// Builds the HTTP response with this status.
pub fn respond(media_type: MediaType, status: StatusCode, response: GraphqlResponse) -> Response {
    let body = ResponseBody {
        errors: &response.errors,
        data: (!is_request_error(&response)).then_some(&response.data),
        extensions: (!response.extensions.is_empty()).then_some(&response.extensions),
    };
    let mut bytes = Vec::with_capacity(1024);
    serde_json::to_writer(&mut bytes, &body).expect("GraphQL values are valid JSON, and writing to memory cannot fail");
    let retry_after_seconds = retry_after(&response);
    let mut headers = response.http_headers;
    headers.insert(header::CONTENT_TYPE, media_type.content_type());
    if let Some(seconds) = retry_after_seconds {
        headers.insert(header::RETRY_AFTER, seconds.into());
    }
    if status == StatusCode::UNAUTHORIZED {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    (status, headers, bytes).into_response()
}
