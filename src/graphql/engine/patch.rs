//! Fields of update inputs: an omitted field keeps its value, an explicit null clears it.
//! Rule: null for a field that cannot be cleared is rejected, not ignored.

use async_graphql::MaybeUndefined;

use crate::error::{Error, Result, UserErrorCode};

/// Returns the new value of a required field, or `None` if it is omitted.
/// # Errors
/// REQUIRED for null.
pub fn required<T>(field: &'static str, value: MaybeUndefined<T>) -> Result<Option<T>> {
    match value {
        MaybeUndefined::Undefined => Ok(None),
        MaybeUndefined::Null => {
            Err(Error::user(UserErrorCode::Required, field, "must not be null; omit the field to keep its value"))
        }
        MaybeUndefined::Value(value) => Ok(Some(value)),
    }
}

/// Returns the new value of a text that is empty if it has no value; null clears it.
pub fn text(value: MaybeUndefined<String>) -> Option<String> {
    match value {
        MaybeUndefined::Undefined => None,
        MaybeUndefined::Null => Some(String::new()),
        MaybeUndefined::Value(value) => Some(value),
    }
}
