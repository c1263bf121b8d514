//! What a mutation answers: the noun, or the rules that the input broke.

use async_graphql::Object;

use crate::error::{self, Error, Result, UserErrorCode};
use crate::graphql::engine::container::Ordered;
use crate::graphql::engine::container::Plain;

/// A rule that the input broke.
pub type UserError = Ordered<UserErrorObject>;

/// See [`UserError`].
pub struct UserErrorObject(error::UserError);

impl Plain for UserErrorObject {
    const PLAIN: &'static [&'static str] = &["code", "message", "field"];
}

/// A rule that the input broke. Nothing was written.
#[Object(name = "UserError")]
impl UserErrorObject {
    /// The rule's code, for programs.
    async fn code(&self) -> UserErrorCode {
        self.0.code
    }

    /// The rule in words, for people.
    async fn message(&self) -> &str {
        &self.0.message
    }

    /// The input field that broke it, as a dotted path such as `lines.0.quantity`; null where no single field did.
    async fn field(&self) -> Option<&str> {
        self.0.field.as_deref().filter(|field| !field.is_empty())
    }
}

/// Divides what a use case gave into its value and the broken rules; other errors stay errors.
/// # Errors
/// Everything that the input did not cause.
pub fn divide<T>(result: Result<T>) -> Result<(Option<T>, Vec<UserError>)> {
    match result {
        Ok(value) => Ok((Some(value), Vec::new())),
        Err(Error::User(errors)) => Ok((None, errors.into_iter().map(|e| Ordered(UserErrorObject(e))).collect())),
        Err(error) => Err(error),
    }
}

/// Declares what a mutation answers, field by field.
macro_rules! answer {
    ($(#[doc = $doc:literal])* $payload:ident / $object:ident { $($(#[doc = $field_doc:literal])* $field:ident: $type:ty,)* }) => {
        $(#[doc = $doc])*
        pub type $payload = $crate::graphql::engine::container::Ordered<$object>;

        $(#[doc = $doc])*
        #[derive(async_graphql::SimpleObject)]
        #[graphql(name_type)]
        pub struct $object {$($(#[doc = $field_doc])* $field: $type,)*}

        impl async_graphql::TypeName for $object {
            fn type_name() -> std::borrow::Cow<'static, str> {
                stringify!($payload).into()
            }
        }

        impl $crate::graphql::engine::container::Plain for $object {}
    };
}
pub(crate) use answer;

/// Declares the payload of a mutation: one noun and the user errors, or these alone.
macro_rules! payload {
    ($(#[doc = $doc:literal])* $payload:ident / $object:ident { #[doc = $field_doc:literal] $field:ident: $type:ty }) => {
        $crate::graphql::engine::payload::answer! {
            $(#[doc = $doc])*
            $payload / $object {
                #[doc = $field_doc]
                $field: Option<$type>,
                /// The rules that the input broke; empty where it was done.
                user_errors: Vec<$crate::graphql::engine::payload::UserError>,
            }
        }

        impl $object {
            /// The payload of what the use case gave.
            fn of(result: $crate::error::Result<impl Into<Option<$type>>>) -> $crate::error::Result<$payload> {
                let ($field, user_errors) = $crate::graphql::engine::payload::divide(result)?;
                let $field = $field.and_then(Into::into);
                Ok($crate::graphql::engine::container::Ordered(Self { $field, user_errors }))
            }
        }
    };
    ($(#[doc = $doc:literal])* $payload:ident / $object:ident) => {
        $crate::graphql::engine::payload::answer! {
            $(#[doc = $doc])*
            $payload / $object {
                /// The rules that the input broke; empty where it was done.
                user_errors: Vec<$crate::graphql::engine::payload::UserError>,
            }
        }

        impl $object {
            /// The payload of what the use case came to.
            fn of(result: $crate::error::Result<()>) -> $crate::error::Result<$payload> {
                let (_, user_errors) = $crate::graphql::engine::payload::divide(result)?;
                Ok($crate::graphql::engine::container::Ordered(Self { user_errors }))
            }
        }
    };
}
pub(crate) use payload;
