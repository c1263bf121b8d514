//! Rejections: requests that fail at the HTTP level, with the same status in either media type.
//! Rule: a rejection is a GraphQL response with one error, on every path.

use std::{iter, mem, time::Duration};

use async_graphql::ServerError;
use axum::{
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::Response,
};

use super::{media_type::MediaType, response::respond, server::TooSlow};
use crate::{
    error::{Error, ErrorCode},
    graphql::engine::{
        Engine,
        errors::{INTERNAL_MESSAGE, coded, rate_limited},
    },
    telemetry::RequestId,
};

/// A rejected request: status, error code and message.
pub struct Rejection {
    status: StatusCode,
    code: ErrorCode,
    message: String,
    allow: Option<&'static str>,
    retry_after: Option<u64>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Rejection {
    /// Creates a rejection with this status.
    pub fn new(status: StatusCode, code: ErrorCode, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), allow: None, retry_after: None, headers: Vec::new() }
    }

    /// 400: the request is malformed.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, ErrorCode::BadUserInput, message)
    }

    /// 405: only the methods in `allow` are supported.
    pub fn method_not_allowed(message: &str, allow: &'static str) -> Self {
        let rejection = Self::new(StatusCode::METHOD_NOT_ALLOWED, ErrorCode::BadUserInput, message);
        Self { allow: Some(allow), ..rejection }
    }

    /// 408: the request was not received in time.
    pub fn request_timeout(message: &str) -> Self {
        Self::new(StatusCode::REQUEST_TIMEOUT, ErrorCode::Timeout, message)
    }

    /// 408 if the body could not be read because the client sent it too slowly; this rejection otherwise.
    pub fn from_body_error(error: &(dyn std::error::Error + 'static), otherwise: Self) -> Self {
        let mut causes = iter::successors(Some(error), |error| error.source());
        match causes.any(|cause| cause.is::<TooSlow>()) {
            true => Self::request_timeout("the body was not received in time"),
            false => otherwise,
        }
    }

    /// 413: the body is larger than allowed.
    pub fn too_large(message: impl Into<String>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, ErrorCode::LimitExceeded, message)
    }

    /// 429: the client sent too many requests.
    pub fn rate_limited(retry_after: u64) -> Self {
        let message = "too many requests";
        let rejection = Self::new(StatusCode::TOO_MANY_REQUESTS, ErrorCode::RateLimited, message);
        Self { retry_after: Some(retry_after), ..rejection }
    }

    /// Returns the time after which the client can try again.
    pub fn retry_delay(&self) -> Duration {
        Duration::from_secs(self.retry_after.unwrap_or(1))
    }

    /// Adds headers to the response.
    #[must_use]
    pub fn with_headers(self, headers: impl IntoIterator<Item = (HeaderName, HeaderValue)>) -> Self {
        Self { headers: headers.into_iter().collect(), ..self }
    }

    /// 500: an internal error; its cause is not shown.
    pub fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, ErrorCode::InternalServerError, INTERNAL_MESSAGE)
    }

    /// Converts an error of the file store, or of the database that is asked about a file; an internal error is logged.
    pub fn from_storage_error(error: &Error) -> Self {
        match error {
            Error::Coded(ErrorCode::LimitExceeded, why) => Self::too_large(why.to_string()),
            Error::Coded(ErrorCode::BadUserInput, why) => Self::bad_request(why.to_string()),
            Error::Coded(ErrorCode::RateLimited, why) => {
                Self::new(StatusCode::TOO_MANY_REQUESTS, ErrorCode::RateLimited, why.to_string())
            }
            Error::Coded(code, why) => Self::new(StatusCode::SERVICE_UNAVAILABLE, *code, why.to_string()),
            Error::Unavailable(_) => {
                tracing::warn!(%error, "file request failed");
                let message = "the database is unavailable; try again later";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, ErrorCode::Unavailable, message)
            }
            other => {
                tracing::error!(error = %other, "file request failed");
                Self::internal()
            }
        }
    }

    /// Returns the error message.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Returns the error, without the HTTP status.
    pub fn into_error(self) -> ServerError {
        match self.retry_after {
            Some(seconds) => rate_limited(&self.message, seconds),
            None => coded(self.code, self.message),
        }
    }

    /// Returns the response in this media type.
    pub fn into_response(mut self, media_type: MediaType, request_id: &RequestId) -> Response {
        let Self { status, allow, .. } = self;
        let headers = mem::take(&mut self.headers);
        let mut response = respond(media_type, status, Engine::error_response(self.into_error(), request_id));
        if let Some(methods) = allow {
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(methods));
        }
        response.headers_mut().extend(headers);
        response
    }

    /// Returns the response as JSON, for endpoints that do not negotiate the media type.
    pub fn into_json(self, request_id: &RequestId) -> Response {
        self.into_response(MediaType::Json, request_id)
    }
}
