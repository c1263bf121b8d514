//! Top-level errors as a client sees them.
//! Rule: every error of every answer passes through [`finish`], so it has `extensions.code` (an [`ErrorCode`]) and
//! `extensions.requestId`, and the text of a fault of ours is fixed.

use async_graphql::{ErrorExtensionValues, Response, ServerError, Value};

use crate::{
    error::{Error, ErrorCode},
    telemetry::RequestId,
};

/// What a client reads of a fault of ours; the log has the cause under the request id.
pub const INTERNAL_MESSAGE: &str = "internal server error";

/// What a client reads where the answer to a COMMIT was lost.
const UNKNOWN_OUTCOME_MESSAGE: &str = "the database went away before it said whether this is done: send it again with the same idempotency \
    key, or look first";

/// Where an error says in how many seconds to try again.
const RETRY_AFTER: &str = "retryAfter";

/// Every code an error may carry.
const CODES: [ErrorCode; 10] = [
    ErrorCode::Unauthenticated,
    ErrorCode::Forbidden,
    ErrorCode::NotFound,
    ErrorCode::BadUserInput,
    ErrorCode::Conflict,
    ErrorCode::LimitExceeded,
    ErrorCode::RateLimited,
    ErrorCode::Timeout,
    ErrorCode::Unavailable,
    ErrorCode::InternalServerError,
];

/// How the texts of async-graphql's own limits begin; it gives them no code.
const LIMIT_MESSAGE_PREFIXES: [&str; 5] = [
    "Query is too complex.",
    "Query is nested too deep.",
    "The recursion depth of the query",
    "The number of directives on the field",
    "recursion limit exceeded.",
];

/// An error with its code.
pub fn coded(code: ErrorCode, message: impl Into<String>) -> ServerError {
    let mut error = ServerError::new(message, None);
    set_code(&mut error, code);
    error
}

/// The code of an error, or `None` where it has none or one that is not in the list.
pub fn code(error: &ServerError) -> Option<ErrorCode> {
    let Some(Value::String(text)) = error.extensions.as_ref()?.get("code") else { return None };
    CODES.into_iter().find(|code| code.as_str() == text)
}

/// Gives every error its code and the request's id. Errors that async-graphql raises about a document or a value
/// are the client's; an error that a resolver let through without a code is ours: it is logged and its text hidden.
pub fn finish(errors: &mut [ServerError], request_id: &RequestId) {
    for error in errors {
        if let Some(cause) = error.source::<Error>().cloned() {
            apply_cause(error, &cause, request_id);
        }
        if code(error).is_none() {
            let code = infer_code(error);
            if code == ErrorCode::InternalServerError {
                tracing::error!(%request_id, path = ?error.path, cause = %error.message, "a resolver failed");
                INTERNAL_MESSAGE.clone_into(&mut error.message);
            }
            set_code(error, code);
        }
        extensions(error).set("requestId", request_id.as_str());
    }
}

/// Says in the graph's words what an error from below the graph was.
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
            (ErrorCode::RateLimited, "too many attempts: wait as long as `retryAfter` says, in seconds".to_owned())
        }
        Error::Retry(reason) => {
            tracing::warn!(%request_id, cause = %reason, "a transaction lost too often");
            (ErrorCode::Conflict, "another write got in between; try again".to_owned())
        }
        Error::Unavailable(reason) => {
            tracing::warn!(%request_id, cause = %reason, "the database cannot be reached");
            (ErrorCode::Unavailable, "the database cannot be reached; try again in a moment".to_owned())
        }
        Error::CommitUnknown(reason) => {
            tracing::warn!(%request_id, cause = %reason, "the answer to a COMMIT was lost");
            (ErrorCode::Unavailable, UNKNOWN_OUTCOME_MESSAGE.to_owned())
        }
        Error::Constraint { .. } | Error::Internal(_) => {
            tracing::error!(%request_id, path = ?error.path, %cause, "an operation failed");
            (ErrorCode::InternalServerError, INTERNAL_MESSAGE.to_owned())
        }
    };
    error.message = message;
    set_code(error, code);
}

/// An error from below the graph, before any resolver ran.
pub fn from_error(error: &Error, request_id: &RequestId) -> ServerError {
    let mut server_error = ServerError::new("", None);
    apply_cause(&mut server_error, error, request_id);
    server_error
}

/// In how many seconds all of it may be tried again, where an error says so.
pub fn retry_after(response: &Response) -> Option<u64> {
    let seconds = response.errors.iter().filter_map(|error| match error.extensions.as_ref()?.get(RETRY_AFTER)? {
        Value::Number(seconds) => seconds.as_u64(),
        _ => None,
    });
    seconds.max()
}

/// Whether the request was refused before anything ran: such an answer has no `data`.
pub fn is_request_error(response: &Response) -> bool {
    response.data == Value::Null
        && !response.errors.is_empty()
        && response.errors.iter().all(|error| error.path.is_empty())
}

fn infer_code(error: &ServerError) -> ErrorCode {
    let has_unknown_code = error.extensions.as_ref().is_some_and(|extensions| extensions.get("code").is_some());
    // async-graphql keeps the original error of a resolver's `?` as the source; its own errors have none.
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
