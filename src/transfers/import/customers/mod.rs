//! Customers of a batch: found by the shop's own id, else by e-mail address, compared, created and changed.

pub mod actions;
pub mod model;
mod store;
