//! Categories of a batch: found by external ID or path, compared, created, moved and updated.
//! Rule: missing ancestors of a category are created.

pub mod actions;
pub mod model;
mod store;
