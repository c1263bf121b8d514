//! The error type of all layers below the GraphQL API.
//! Rule: an error that the user can correct is a [`UserError`] with a code, a message and a field. Every other error
//! has one of the fixed [`ErrorCode`]s; the cause of an internal error is logged and never shown.

use std::borrow::Cow;

use diesel::result::{DatabaseErrorKind, Error as DieselError};
use tokio_postgres::error::SqlState;

/// Declares the codes with their descriptions, which the manual shows.
macro_rules! error_codes {
    ($(#[doc = $description:literal] $name:ident => $code:literal,)*) => {
        /// Codes of top-level errors (`errors[].extensions.code`), for failures that are not user errors.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum ErrorCode {$(#[doc = $description] $name,)*}

        impl ErrorCode {
            /// All codes.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Returns the code as it appears in `extensions.code`.
            pub fn as_str(self) -> &'static str {
                match self {$(Self::$name => $code,)*}
            }

            /// Returns what the code means, for the manual.
            pub fn description(self) -> &'static str {
                match self {$(Self::$name => $description,)*}
            }
        }
    };
}

error_codes! {
    /// The request has no valid credentials.
    Unauthenticated => "UNAUTHENTICATED",
    /// The viewer lacks a permission that the field requires.
    Forbidden => "FORBIDDEN",
    /// The resource does not exist, or the viewer may not see it.
    NotFound => "NOT_FOUND",
    /// An argument, a variable or the document is invalid.
    BadUserInput => "BAD_USER_INPUT",
    /// A concurrent write interfered. Retrying the request may succeed.
    Conflict => "CONFLICT",
    /// The operation exceeds a limit of the server.
    LimitExceeded => "LIMIT_EXCEEDED",
    /// The server does not know the document with this hash. Send its text with the hash.
    PersistedQueryNotFound => "PERSISTED_QUERY_NOT_FOUND",
    /// The server does not store documents. Send their text.
    PersistedQueryNotSupported => "PERSISTED_QUERY_NOT_SUPPORTED",
    /// Too many requests.
    RateLimited => "RATE_LIMITED",
    /// The operation exceeded its time limit.
    Timeout => "TIMEOUT",
    /// The database or another required service is unreachable.
    Unavailable => "UNAVAILABLE",
    /// An internal error. The server's log has the cause under the request id.
    InternalServerError => "INTERNAL_SERVER_ERROR",
}

/// Codes of validation and business-rule errors. The enum is closed, so clients can switch over it exhaustively.
#[derive(Debug, Clone, Copy, PartialEq, Eq, async_graphql::Enum)]
pub enum UserErrorCode {
    /// The value is invalid; `message` states the rule.
    Invalid,
    /// A required value is missing or blank.
    Required,
    /// The text is longer than the field allows.
    TooLong,
    /// The number is outside the field's range.
    OutOfRange,
    /// The referenced resource does not exist, or the viewer may not see it.
    NotFound,
    /// Another resource already has this value, which must be unique.
    Taken,
    /// The resource is still referenced by others; `message` says by which.
    InUse,
    /// The email address or password is wrong.
    InvalidCredentials,
    /// The stock is lower than the requested quantity.
    OutOfStock,
    /// The current stock differs from the expected stock; `message` states the current quantity.
    StockChanged,
    /// The product is no longer for sale.
    ProductInactive,
    /// The products belong to more than one website; an order is placed on a single website.
    MultipleWebsites,
    /// The current status does not allow this action.
    IllegalTransition,
    /// The change would make a category its own ancestor.
    Cycle,
    /// The idempotency key was already used with a different request.
    IdempotencyMismatch,
    /// Only customers who bought the product can do this.
    PurchaseRequired,
    /// The viewer does not hold a permission or a website that this action needs, grants or affects.
    PermissionNotHeld,
    /// The token is unknown, already used or expired.
    InvalidToken,
    /// The password is too easy to guess.
    WeakPassword,
    /// Built-in roles and the last admin are protected and cannot be changed or removed.
    Protected,
    /// The email address is not verified yet.
    EmailNotVerified,
    /// The products have different currencies; a cart or an order has a single currency.
    MultipleCurrencies,
    /// The total or a price differs from the one that the client expected. Review the cart and check out again.
    PriceChanged,
    /// The cart is empty.
    CartEmpty,
    /// The order already has a pending or completed payment; `message` says which.
    PaymentExists,
    /// The payment's current status does not allow this action.
    InvalidPaymentStatus,
}

/// A broken rule: its code, a message to display, and the input field as a dotted path (`lines.0.quantity`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserError {
    /// Code of the rule.
    pub code: UserErrorCode,
    /// Message to display.
    pub message: Cow<'static, str>,
    /// The field with the invalid value; none if the rule concerns the input as a whole.
    pub field: Option<Cow<'static, str>>,
}

impl UserError {
    /// Creates an error for one field.
    pub fn new(
        code: UserErrorCode,
        field: impl Into<Cow<'static, str>>,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { code, message: message.into(), field: Some(field.into()) }
    }
}

/// The error type of all layers below the GraphQL API.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// Rules that the input broke; a mutation returns them as `userErrors`.
    #[error("{}", join_messages(.0))]
    User(Vec<UserError>),
    /// A top-level error whose message may be shown to the client.
    #[error("{}: {}", .0.as_str(), .1)]
    Coded(ErrorCode, Cow<'static, str>),
    /// Too many attempts; the client may retry after `retry_after` seconds.
    #[error("too many attempts; try again after {}", format_seconds(*.retry_after))]
    TooManyAttempts {
        /// Seconds until the next attempt is allowed.
        retry_after: u64,
    },
    /// The write violated a database constraint; see [`Error::on_constraint`].
    #[error("constraint {name}: {detail}")]
    Constraint {
        /// Name of the constraint.
        name: String,
        /// PostgreSQL's message, for the log.
        detail: String,
    },
    /// The transaction failed with a serialization failure or deadlock (40001, 40P01); the whole transaction can be
    /// retried.
    #[error("serialization failure or deadlock: {0}")]
    Retry(String),
    /// The database is unreachable, or the connection was lost before the COMMIT.
    #[error("the database cannot be reached: {0}")]
    Unavailable(String),
    /// The connection was lost during the COMMIT, so the outcome is unknown: the client has to check, or repeat the
    /// request with the same idempotency key.
    #[error("connection lost during COMMIT, outcome unknown: {0}")]
    CommitUnknown(String),
    /// The database accepts no writes at the moment: it is a standby, read-only, or has no disk space left.
    #[error("the database rejected a write: {0}")]
    WriteRejected(String),
    /// An internal error.
    #[error("{0}")]
    Internal(String),
}

/// The result type of all layers below the GraphQL API.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// Creates a user error for one field.
    pub fn user(
        code: UserErrorCode,
        field: impl Into<Cow<'static, str>>,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::User(vec![UserError::new(code, field, message)])
    }

    /// Creates the error for an id in `field` that does not exist or that the viewer may not see; the two cases look
    /// the same, so ids reveal nothing.
    pub fn not_found(field: impl Into<Cow<'static, str>>, resource: &str) -> Self {
        Self::user(UserErrorCode::NotFound, field, format!("there is no such {resource}"))
    }

    /// Creates an INVALID error for an argument.
    pub fn bad_input(field: impl Into<Cow<'static, str>>, message: impl Into<Cow<'static, str>>) -> Self {
        Self::user(UserErrorCode::Invalid, field, message)
    }

    /// Turns a violation of the named constraint into a user error.
    pub fn on_constraint(self, constraint: &str, error: impl FnOnce() -> UserError) -> Self {
        match self {
            Self::Constraint { name, .. } if name == constraint => Self::User(vec![error()]),
            other => other,
        }
    }

    /// Turns the error for a generated slug that a concurrent transaction took into [`Error::Retry`], after which
    /// another slug is generated.
    pub fn retry_if_slug_taken(self) -> Self {
        match self {
            Self::User(rules) if rules.iter().any(|rule| rule.field.as_deref() == Some("slug")) => {
                Self::Retry("slug was taken by a concurrent transaction".into())
            }
            other => other,
        }
    }
}

/// Returns a number of seconds as text: `1 second`, `30 seconds`.
pub fn format_seconds(seconds: u64) -> String {
    match seconds {
        1 => "1 second".to_owned(),
        _ => format!("{seconds} seconds"),
    }
}

/// Joins the messages into one line. The path of the field replaces its name at the start of a message:
/// "lines.0.quantity must be …".
fn join_messages(errors: &[UserError]) -> String {
    let messages = errors.iter().map(|error| match error.field.as_deref() {
        None | Some("") => error.message.to_string(),
        Some(field) => {
            let name = field.rsplit('.').next().unwrap_or(field);
            match error.message.strip_prefix(name).filter(|rest| rest.starts_with(' ')) {
                Some(rest) => format!("{field}{rest}"),
                None => format!("{field}: {}", error.message),
            }
        }
    });
    messages.collect::<Vec<_>>().join("; ")
}

impl From<UserError> for Error {
    fn from(error: UserError) -> Self {
        Self::User(vec![error])
    }
}

impl From<DieselError> for Error {
    fn from(error: DieselError) -> Self {
        use DatabaseErrorKind as Kind;
        let DieselError::DatabaseError(kind, info) = &error else {
            return Self::Internal(format!("database: {error}"));
        };
        let message = info.message();
        match (kind, sql_state(message)) {
            (Kind::UnableToSendCommand | Kind::ClosedConnection, _) => Self::Unavailable(message.to_owned()),
            (Kind::SerializationFailure, _) | (_, Some(SqlState::T_R_DEADLOCK_DETECTED)) => {
                Self::Retry(message.to_owned())
            }
            (_, Some(SqlState::LOCK_NOT_AVAILABLE)) => {
                Self::Coded(ErrorCode::Conflict, "another request is changing the same data; try again".into())
            }
            (_, Some(SqlState::QUERY_CANCELED)) => {
                Self::Coded(ErrorCode::Timeout, "the database query timed out; request less data".into())
            }
            (_, Some(SqlState::ADMIN_SHUTDOWN | SqlState::CANNOT_CONNECT_NOW)) => Self::Unavailable(message.to_owned()),
            (_, Some(SqlState::READ_ONLY_SQL_TRANSACTION | SqlState::DISK_FULL)) => {
                Self::WriteRejected(message.to_owned())
            }
            (_, Some(SqlState::NUMERIC_VALUE_OUT_OF_RANGE)) => {
                Self::user(UserErrorCode::OutOfRange, "", "a number is too large")
            }
            (_, Some(SqlState::DATETIME_FIELD_OVERFLOW)) => {
                Self::user(UserErrorCode::OutOfRange, "", "time must be between the years -4712 and 294275")
            }
            _ => match info.constraint_name() {
                // The CHECKs with the limits of amounts; see `money`.
                Some(name) if name.ends_with("_maximum") => {
                    Self::user(UserErrorCode::OutOfRange, "", "amount must be at most 99,999,999,999,999.999")
                }
                Some(name) => Self::Constraint {
                    name: name.to_owned(),
                    detail: format!("{message} {}", info.details().unwrap_or_default()),
                },
                None => Self::Internal(format!("database: {message}")),
            },
        }
    }
}

/// Returns the SQLSTATE of an error for which diesel has no kind, derived from PostgreSQL's English message.
///
/// The code itself is not accessible. diesel-async 0.9 keeps the driver's `DbError` in a private struct and returns it
/// as `Box<dyn DatabaseErrorInformation>`. That trait has no method for the code and is neither `Any` nor
/// `std::error::Error`, so it cannot be downcast; the connection's instrumentation receives the same box.
/// `AsyncPgConnection` does not expose its client, and a custom connection type would have to duplicate its statement
/// cache and its types. PostgreSQL's messages must therefore be in English (`lc_messages`), which only a superuser can
/// set for a session.
fn sql_state(message: &str) -> Option<SqlState> {
    match message {
        "deadlock detected" => Some(SqlState::T_R_DEADLOCK_DETECTED),
        "numeric field overflow" => Some(SqlState::NUMERIC_VALUE_OUT_OF_RANGE),
        "timestamp out of range" => Some(SqlState::DATETIME_FIELD_OVERFLOW),
        "canceling statement due to lock timeout" => Some(SqlState::LOCK_NOT_AVAILABLE),
        _ if message.starts_with("canceling statement due to") => Some(SqlState::QUERY_CANCELED),
        _ if message.starts_with("terminating connection") => Some(SqlState::ADMIN_SHUTDOWN),
        _ if message.starts_with("the database system is") => Some(SqlState::CANNOT_CONNECT_NOW),
        _ if message.starts_with("cannot execute ") && message.ends_with(" in a read-only transaction") => {
            Some(SqlState::READ_ONLY_SQL_TRANSACTION)
        }
        _ if message.ends_with("No space left on device") => Some(SqlState::DISK_FULL),
        _ => None,
    }
}

impl From<diesel_async::pooled_connection::deadpool::PoolError> for Error {
    fn from(error: diesel_async::pooled_connection::deadpool::PoolError) -> Self {
        Self::Unavailable(format!("no connection available in the pool: {error}"))
    }
}

impl From<diesel::ConnectionError> for Error {
    fn from(error: diesel::ConnectionError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_names_the_field_once() {
        let text = |field: &'static str, message: &'static str| {
            Error::user(UserErrorCode::OutOfRange, field, message).to_string()
        };
        assert_eq!(text("first", "first must be between 1 and 100"), "first must be between 1 and 100");
        assert_eq!(text("lines.0.quantity", "quantity must be at least 1"), "lines.0.quantity must be at least 1");
        assert_eq!(text("id", "not a valid ID"), "id: not a valid ID");
        assert_eq!(text("id", "identical ids"), "id: identical ids");
        assert_eq!(text("", "amount must be at most 1"), "amount must be at most 1");
    }

    #[test]
    fn seconds_are_singular_or_plural() {
        let texts = [0, 1, 2, 900].map(|retry_after| Error::TooManyAttempts { retry_after }.to_string());
        let expected = ["0 seconds", "1 second", "2 seconds", "900 seconds"];
        assert_eq!(texts, expected.map(|wait| format!("too many attempts; try again after {wait}")));
    }
}
