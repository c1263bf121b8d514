//! The one error type below the graph.
//! Rule: what a user can put right is a [`UserError`] with a code, a field and a rule; everything else is one of the
//! fixed [`ErrorCode`]s, and the cause of an internal error is logged, never shown.

use std::borrow::Cow;

use diesel::result::{DatabaseErrorKind, Error as DieselError};
use tokio_postgres::error::SqlState;

/// Declares the codes with their texts, so that the manual shows what the code says.
macro_rules! error_codes {
    ($(#[doc = $description:literal] $name:ident => $code:literal,)*) => {
        /// Codes of top-level errors (`errors[].extensions.code`): what the user's input rules did not cause.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum ErrorCode {$(#[doc = $description] $name,)*}

        impl ErrorCode {
            /// All codes.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The code as it stands in `extensions.code`.
            pub fn as_str(self) -> &'static str {
                match self {$(Self::$name => $code,)*}
            }

            /// What the code means, for the manual.
            pub fn description(self) -> &'static str {
                match self {$(Self::$name => $description,)*}
            }
        }
    };
}

error_codes! {
    /// No valid credentials came with the request.
    Unauthenticated => "UNAUTHENTICATED",
    /// The viewer lacks the permission that the field names.
    Forbidden => "FORBIDDEN",
    /// The thing does not exist, or not for this viewer.
    NotFound => "NOT_FOUND",
    /// An argument, a variable or the document is wrong.
    BadUserInput => "BAD_USER_INPUT",
    /// Another write got in between; sending it again may help.
    Conflict => "CONFLICT",
    /// The operation is larger than the server allows.
    LimitExceeded => "LIMIT_EXCEEDED",
    /// Too many requests.
    RateLimited => "RATE_LIMITED",
    /// The operation took too long.
    Timeout => "TIMEOUT",
    /// The database cannot be reached.
    Unavailable => "UNAVAILABLE",
    /// A fault of the server; the log has its cause under the request id.
    InternalServerError => "INTERNAL_SERVER_ERROR",
}

/// What a user can do wrong. The enum is closed: a client may switch over it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, async_graphql::Enum)]
pub enum UserErrorCode {
    /// The value breaks the field's rule; the message says which.
    Invalid,
    /// The value is missing.
    Required,
    /// The text is longer than the field allows.
    TooLong,
    /// The number is outside the field's range.
    OutOfRange,
    /// What the id names does not exist, or not for you.
    NotFound,
    /// Another one has this value already, and it must be unique.
    Taken,
    /// Something still refers to it; the message says what.
    InUse,
    /// E-mail or password is wrong.
    InvalidCredentials,
    /// Fewer pieces are in stock than asked for.
    OutOfStock,
    /// The stock is not the one to compare with; the message says what it is.
    StockChanged,
    /// The product is not for sale any more.
    ProductInactive,
    /// The products belong to several websites; an order is placed at one.
    MultipleWebsites,
    /// The order's status does not allow this.
    IllegalTransition,
    /// A category cannot be its own ancestor.
    Cycle,
    /// The idempotency key was used before with another request.
    IdempotencyMismatch,
    /// Only who bought the product may do this.
    PurchaseRequired,
    /// Nobody grants more than they hold.
    InsufficientPermissions,
    /// The token is unknown, used before, or its time is over.
    InvalidToken,
    /// The password is easy to guess.
    WeakPassword,
    /// A built-in role and the last admin stay as they are.
    Protected,
    /// The e-mail address has not been confirmed yet.
    EmailNotVerified,
    /// The products are sold in several currencies; a cart has one.
    MultipleCurrencies,
    /// Prices have changed since the total that was expected; look at the cart again.
    PriceChanged,
    /// There is nothing in the cart.
    CartEmpty,
    /// A payment of the order is under way or done; the message says which.
    PaymentExists,
    /// The payment is not in a state that allows this.
    InvalidPaymentStatus,
}

/// One broken rule: its code, a message for people, and the input field as a dotted path (`lines.0.quantity`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserError {
    /// The rule's code.
    pub code: UserErrorCode,
    /// The rule in words.
    pub message: Cow<'static, str>,
    /// The field that broke it; none where no single field did.
    pub field: Option<Cow<'static, str>>,
}

impl UserError {
    /// A broken rule of one field.
    pub fn new(
        code: UserErrorCode,
        field: impl Into<Cow<'static, str>>,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { code, message: message.into(), field: Some(field.into()) }
    }
}

/// The error of every floor below the graph.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// Rules that the input broke; a mutation answers them as `userErrors`.
    #[error("{}", join_messages(.0))]
    User(Vec<UserError>),
    /// A top-level error whose text may be shown.
    #[error("{}: {}", .0.as_str(), .1)]
    Coded(ErrorCode, Cow<'static, str>),
    /// It was tried too often; in so many seconds it may be tried again.
    #[error("too many attempts: try again in {retry_after} s")]
    TooManyAttempts {
        /// Seconds.
        retry_after: u64,
    },
    /// A constraint of the database refused the write; see [`Error::on_constraint`].
    #[error("constraint {name}: {detail}")]
    Constraint {
        /// The constraint's name.
        name: String,
        /// What PostgreSQL said, for the log.
        detail: String,
    },
    /// The transaction lost against another one (40001, 40P01) and may be run again as a whole.
    #[error("the transaction lost against another: {0}")]
    Retry(String),
    /// The database cannot be reached, or the connection went away before the COMMIT.
    #[error("the database cannot be reached: {0}")]
    Unavailable(String),
    /// The connection went away at the COMMIT: it is done or not, and only who looks, or sends it again with the same
    /// idempotency key, learns which.
    #[error("the database went away at a COMMIT: {0}")]
    CommitUnknown(String),
    /// A fault of the server.
    #[error("{0}")]
    Internal(String),
}

/// The result of every floor below the graph.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// One broken rule of one field.
    pub fn user(
        code: UserErrorCode,
        field: impl Into<Cow<'static, str>>,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::User(vec![UserError::new(code, field, message)])
    }

    /// What `field` names does not exist, or not for this viewer: nobody learns which.
    pub fn not_found(field: impl Into<Cow<'static, str>>, resource: &str) -> Self {
        Self::user(UserErrorCode::NotFound, field, format!("there is no such {resource}"))
    }

    /// A wrong argument, by its name and rule.
    pub fn bad_input(field: impl Into<Cow<'static, str>>, message: impl Into<Cow<'static, str>>) -> Self {
        Self::user(UserErrorCode::Invalid, field, message)
    }

    /// Turns the violation of the named constraint into a broken rule of a field.
    pub fn on_constraint(self, constraint: &str, error: impl FnOnce() -> UserError) -> Self {
        match self {
            Self::Constraint { name, .. } if name == constraint => Self::User(vec![error()]),
            other => other,
        }
    }
}

/// The broken rules in one line, for the log.
fn join_messages(errors: &[UserError]) -> String {
    let messages = errors.iter().map(|error| match &error.field {
        Some(field) => format!("{field}: {}", error.message),
        None => error.message.to_string(),
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
            (_, Some(SqlState::QUERY_CANCELED)) => {
                Self::Coded(ErrorCode::Timeout, "the database took too long to answer; ask for less".into())
            }
            (_, Some(SqlState::ADMIN_SHUTDOWN | SqlState::CANNOT_CONNECT_NOW)) => Self::Unavailable(message.to_owned()),
            (_, Some(SqlState::NUMERIC_VALUE_OUT_OF_RANGE)) => {
                Self::user(UserErrorCode::OutOfRange, "", "an amount of money is larger than 9,999,999,999.99")
            }
            (_, Some(SqlState::DATETIME_FIELD_OVERFLOW)) => {
                Self::user(UserErrorCode::OutOfRange, "", "a moment lies before the year -4712 or after 294275")
            }
            _ => match info.constraint_name() {
                Some(name) => Self::Constraint {
                    name: name.to_owned(),
                    detail: format!("{message} {}", info.details().unwrap_or_default()),
                },
                None => Self::Internal(format!("database: {message}")),
            },
        }
    }
}

/// The SQLSTATE of an error that diesel has no kind for, read from PostgreSQL's English text.
///
/// The code itself cannot be had. diesel-async 0.9 keeps the driver's `DbError` in a private struct and hands it on as
/// `Box<dyn DatabaseErrorInformation>`: that trait has no method for the code, is neither `Any` nor `std::error::Error`, so
/// that nothing can be downcast, and the connection's instrumentation sees the same box. `AsyncPgConnection` does not lend its
/// client either, and a connection type of our own would have to repeat its statement cache and its types. It follows that
/// PostgreSQL must speak English (`lc_messages`), which only a superuser can set for a session.
fn sql_state(message: &str) -> Option<SqlState> {
    match message {
        "deadlock detected" => Some(SqlState::T_R_DEADLOCK_DETECTED),
        "numeric field overflow" => Some(SqlState::NUMERIC_VALUE_OUT_OF_RANGE),
        "timestamp out of range" => Some(SqlState::DATETIME_FIELD_OVERFLOW),
        _ if message.starts_with("canceling statement due to") => Some(SqlState::QUERY_CANCELED),
        _ if message.starts_with("terminating connection") => Some(SqlState::ADMIN_SHUTDOWN),
        _ if message.starts_with("the database system is") => Some(SqlState::CANNOT_CONNECT_NOW),
        _ => None,
    }
}

impl From<diesel_async::pooled_connection::deadpool::PoolError> for Error {
    fn from(error: diesel_async::pooled_connection::deadpool::PoolError) -> Self {
        Self::Unavailable(format!("no pooled connection: {error}"))
    }
}

impl From<diesel::ConnectionError> for Error {
    fn from(error: diesel::ConnectionError) -> Self {
        Self::Unavailable(error.to_string())
    }
}
