//! The fields of a change: an absent one stays, an explicit null clears.
//! Rule: a null where nothing can be cleared is refused, never taken for absent.

use async_graphql::MaybeUndefined;

use crate::error::{Error, Result, UserErrorCode};

/// A field that always has a value: absent or new.
/// # Errors
/// REQUIRED for null.
pub fn required<T>(field: &'static str, value: MaybeUndefined<T>) -> Result<Option<T>> {
    match value {
        MaybeUndefined::Undefined => Ok(None),
        MaybeUndefined::Null => Err(Error::user(UserErrorCode::Required, field, "this cannot be cleared")),
        MaybeUndefined::Value(value) => Ok(Some(value)),
    }
}

/// A text that is empty where there is none: absent, cleared or new.
pub fn text(value: MaybeUndefined<String>) -> Option<String> {
    match value {
        MaybeUndefined::Undefined => None,
        MaybeUndefined::Null => Some(String::new()),
        MaybeUndefined::Value(value) => Some(value),
    }
}
