//! Categories of a batch: found by external id or path, compared, created, moved and changed.
//! Rule: what is above a category is created if it is missing.

pub mod actions;
pub mod model;
mod store;
