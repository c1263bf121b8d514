//! Orders of a batch: found by number, compared, and created if they are missing.

pub mod actions;
pub mod model;
mod store;
