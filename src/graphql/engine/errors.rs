//! Top-level errors of a response.
//! Rule: every error of every response passes through [`finish`], so it has `extensions.code` (an [`ErrorCode`]) and
//! `extensions.requestId`, and the message of an internal error is fixed.

use async_graphql::{ErrorExtensionValues, ServerError, Value};

use super::response::Response;
use crate::{
    error::{Error, ErrorCode, format_seconds},
    telemetry::RequestId,
};

/// The message of an internal error; its cause is logged with the request id.
pub const INTERNAL_MESSAGE: &str = "internal server error";

/// The message if the connection was lost before the result of a COMMIT arrived.
const UNKNOWN_OUTCOME_MESSAGE: &str = "The connection to the database was lost before the change was confirmed. Retry \
    with the same idempotency key, or check the current state first.";

/// The extension with the number of seconds to wait before a retry.
const RETRY_AFTER: &str = "retryAfter";

/// Message prefixes of async-graphql's own limit errors, which have no code.
const LIMIT_MESSAGE_PREFIXES: [&str; 4] = [
    "Query is nested too deep.",
    "The recursion depth of the query",
    "The number of directives on the field",
    "recursion limit exceeded.",
];

/// Creates an error with a code.
pub fn coded(code: ErrorCode, message: impl Into<String>) -> ServerError {
    let mut error = ServerError::new(message, None);
    set_code(&mut error, code);
    error
}

/// Creates a RATE_LIMITED error. The reason has no period.
pub fn rate_limited(reason: &str, retry_after: u64) -> ServerError {
    let mut error = coded(ErrorCode::RateLimited, format!("{reason}; try again after {}", format_seconds(retry_after)));
    extensions(&mut error).set(RETRY_AFTER, retry_after);
    error
}

/// Returns the code of an error, or `None` if it has none or an unknown one.
pub fn code(error: &ServerError) -> Option<ErrorCode> {
    let Some(Value::String(text)) = error.extensions.as_ref()?.get("code") else { return None };
    ErrorCode::ALL.iter().copied().find(|code| code.as_str() == text)
}

/// Adds the code and the request id to every error. An error that async-graphql raises about a document or a value is
/// the client's; an error without a code that comes from a resolver is internal: it is logged and its message is
/// hidden.
pub fn finish(errors: &mut [ServerError], request_id: &RequestId) {
    for error in errors {
        if let Some(cause) = error.source::<Error>().cloned() {
            apply_cause(error, &cause, request_id);
        }
        if code(error).is_none() {
            let code = infer_code(error);
            if code == ErrorCode::InternalServerError {
                tracing::error!(%request_id, path = ?error.path, cause = %error.message, "resolver failed");
                INTERNAL_MESSAGE.clone_into(&mut error.message);
            }
            set_code(error, code);
        }
        extensions(error).set("requestId", request_id.as_str());
    }
}

/// Sets code, message and extensions of a GraphQL error from the application error that caused it.
fn apply_cause(error: &mut ServerError, cause: &Error, request_id: &RequestId) {
    let (code, message) = match cause {
        Error::User(rules) => {
            if let Some(rule) = rules.first() {
                let extensions = extensions(error);
                extensions.set("rule", async_graphql::resolver_utils::enum_value(rule.code));
                extensions.set("field", rule.field.as_deref());
            }
            (ErrorCode::BadUserInput, cause.to_string())
        }
        Error::Coded(code, message) => (*code, message.to_string()),
        Error::TooManyAttempts { retry_after } => {
            extensions(error).set(RETRY_AFTER, *retry_after);
            (ErrorCode::RateLimited, cause.to_string())
        }
        Error::Retry(reason) => {
            tracing::warn!(%request_id, cause = %reason, "transaction retries exhausted");
            (ErrorCode::Conflict, "the data was changed by another request; try again".to_owned())
        }
        Error::Unavailable(reason) => {
            tracing::warn!(%request_id, cause = %reason, "database unavailable");
            (ErrorCode::Unavailable, "the database cannot be reached; try again in a moment".to_owned())
        }
        Error::CommitUnknown(reason) => {
            tracing::warn!(%request_id, cause = %reason, "commit outcome unknown");
            (ErrorCode::Unavailable, UNKNOWN_OUTCOME_MESSAGE.to_owned())
        }
        Error::WriteRejected(reason) => {
            tracing::warn!(%request_id, cause = %reason, "write rejected by the database");
            (ErrorCode::Unavailable, "nothing can be changed at the moment; try again later".to_owned())
        }
        Error::Constraint { .. } | Error::Internal(_) => {
            tracing::error!(%request_id, path = ?error.path, %cause, "operation failed");
            (ErrorCode::InternalServerError, INTERNAL_MESSAGE.to_owned())
        }
    };
    error.message = message;
    set_code(error, code);
}

/// Converts an application error that occurred before any resolver ran.
pub fn from_error(error: &Error, request_id: &RequestId) -> ServerError {
    let mut server_error = ServerError::new("", None);
    apply_cause(&mut server_error, error, request_id);
    server_error
}

/// Returns the largest `retryAfter` of the response's errors, in seconds.
pub fn retry_after(response: &Response) -> Option<u64> {
    let seconds = response.errors.iter().filter_map(|error| match error.extensions.as_ref()?.get(RETRY_AFTER)? {
        Value::Number(seconds) => seconds.as_u64(),
        _ => None,
    });
    seconds.max()
}

/// Checks whether the request was rejected before anything was executed: the response has no `data`.
pub fn is_request_error(response: &Response) -> bool {
    response.data.is_none() && !response.errors.is_empty() && response.errors.iter().all(|error| error.path.is_empty())
}

fn infer_code(error: &ServerError) -> ErrorCode {
    let has_unknown_code = error.extensions.as_ref().is_some_and(|extensions| extensions.get("code").is_some());
    // async-graphql keeps the original error of a resolver's `?` as the source; its own errors have no source.
    if has_unknown_code || error.source.is_some() {
        ErrorCode::InternalServerError
    } else if LIMIT_MESSAGE_PREFIXES.iter().any(|text| error.message.starts_with(text)) {
        ErrorCode::LimitExceeded
    } else {
        ErrorCode::BadUserInput
    }
}

fn set_code(error: &mut ServerError, code: ErrorCode) {
    extensions(error).set("code", code.as_str());
}

fn extensions(error: &mut ServerError) -> &mut ErrorExtensionValues {
    error.extensions.get_or_insert_default()
}
