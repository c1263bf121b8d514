//! Categories of a batch: found by external id or path, compared, created, moved and changed.

pub mod actions;
pub mod model;
mod store;
