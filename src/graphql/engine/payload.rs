//! Results of mutations: the resource, or the user errors.

use crate::error::{self, Error, Result, UserErrorCode};
use souk_macros::object;

/// A rule that the input violates.
pub struct UserError(error::UserError);

/// A validation or business-rule error of a mutation. Nothing was saved.
#[object]
impl UserError {
    /// Machine-readable error code.
    fn code(&self) -> UserErrorCode {
        self.0.code
    }

    /// Human-readable description of the error.
    fn message(&self) -> &str {
        &self.0.message
    }

    /// Path of the input field that caused the error, such as `lines.0.quantity`; null if it is not about a single
    /// field.
    fn field(&self) -> Option<&str> {
        self.0.field.as_deref().filter(|field| !field.is_empty())
    }
}

/// Splits a result into its value and the user errors; other errors are returned as errors.
/// # Errors
/// Every error that is not a user error.
pub fn split_user_errors<T>(result: Result<T>) -> Result<(Option<T>, Vec<UserError>)> {
    match result {
        Ok(value) => Ok((Some(value), Vec::new())),
        Err(Error::User(errors)) => Ok((None, errors.into_iter().map(UserError).collect())),
        Err(error) => Err(error),
    }
}

/// Declares the result type of a mutation with the given fields.
macro_rules! payload_object {
    ($(#[doc = $doc:literal])* $payload:ident { $($(#[doc = $field_doc:literal])* $field:ident: $type:ty,)* }) => {
        $(#[doc = $doc])*
        pub struct $payload {
            $($field: $type,)*
        }

        $(#[doc = $doc])*
        #[souk_macros::object]
        impl $payload {
            $($(#[doc = $field_doc])*
            async fn $field(&self) -> &$type {
                &self.$field
            })*
        }
    };
}
pub(crate) use payload_object;

/// Declares the result type of a mutation with `userErrors` and, optionally, one value.
macro_rules! payload {
    ($(#[doc = $doc:literal])* $payload:ident { $(#[doc = $field_doc:literal])+ $field:ident: $type:ty }) => {
        $crate::graphql::engine::payload::payload_object! {
            $(#[doc = $doc])*
            $payload {
                $(#[doc = $field_doc])+
                $field: Option<$type>,
                /// Validation and business-rule errors; empty on success.
                user_errors: Vec<$crate::graphql::engine::payload::UserError>,
            }
        }

        impl $payload {
            /// Creates the payload from the result of an action.
            fn of(result: $crate::error::Result<impl Into<Option<$type>>>) -> $crate::error::Result<Self> {
                let ($field, user_errors) = $crate::graphql::engine::payload::split_user_errors(result)?;
                let $field = $field.and_then(Into::into);
                Ok(Self { $field, user_errors })
            }
        }
    };
    ($(#[doc = $doc:literal])* $payload:ident) => {
        $crate::graphql::engine::payload::payload_object! {
            $(#[doc = $doc])*
            $payload {
                /// Validation and business-rule errors; empty on success.
                user_errors: Vec<$crate::graphql::engine::payload::UserError>,
            }
        }

        impl $payload {
            /// Creates the payload from the result of an action.
            fn of(result: $crate::error::Result<()>) -> $crate::error::Result<Self> {
                let (_, user_errors) = $crate::graphql::engine::payload::split_user_errors(result)?;
                Ok(Self { user_errors })
            }
        }
    };
}
pub(crate) use payload;
