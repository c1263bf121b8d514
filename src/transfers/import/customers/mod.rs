//! Customers of a batch: found by the shop's own id, else by email address, compared, created and changed.
//! Rule: an import sets no password and removes no address.

pub mod actions;
pub mod model;
mod store;
