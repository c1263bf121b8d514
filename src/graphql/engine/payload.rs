//! What a mutation answers: the noun, or the rules that the input broke.

use crate::error::{self, Error, Result, UserErrorCode};
use souk_macros::object;

/// A rule that the input broke.
pub struct UserError(error::UserError);

/// A rule that the input broke. Nothing was written.
#[object]
impl UserError {
    /// The rule's code, for programs.
    fn code(&self) -> UserErrorCode {
        self.0.code
    }

    /// The rule in words, for people.
    fn message(&self) -> &str {
        &self.0.message
    }

    /// The input field that broke it, as a dotted path such as `lines.0.quantity`; null where no single field did.
    fn field(&self) -> Option<&str> {
        self.0.field.as_deref().filter(|field| !field.is_empty())
    }
}

/// Divides what a use case gave into its value and the broken rules; other errors stay errors.
/// # Errors
/// Everything that the input did not cause.
pub fn split_user_errors<T>(result: Result<T>) -> Result<(Option<T>, Vec<UserError>)> {
    match result {
        Ok(value) => Ok((Some(value), Vec::new())),
        Err(Error::User(errors)) => Ok((None, errors.into_iter().map(UserError).collect())),
        Err(error) => Err(error),
    }
}

/// Declares the result of a mutation, field by field.
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

/// Declares the payload of a mutation: one value and the user errors, or these alone.
macro_rules! payload {
    ($(#[doc = $doc:literal])* $payload:ident { #[doc = $field_doc:literal] $field:ident: $type:ty }) => {
        $crate::graphql::engine::payload::payload_object! {
            $(#[doc = $doc])*
            $payload {
                #[doc = $field_doc]
                $field: Option<$type>,
                /// The rules that the input broke; empty where it was done.
                user_errors: Vec<$crate::graphql::engine::payload::UserError>,
            }
        }

        impl $payload {
            /// The payload of what the use case gave.
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
                /// The rules that the input broke; empty where it was done.
                user_errors: Vec<$crate::graphql::engine::payload::UserError>,
            }
        }

        impl $payload {
            /// The payload of what the use case came to.
            fn of(result: $crate::error::Result<()>) -> $crate::error::Result<Self> {
                let (_, user_errors) = $crate::graphql::engine::payload::split_user_errors(result)?;
                Ok(Self { user_errors })
            }
        }
    };
}
pub(crate) use payload;
