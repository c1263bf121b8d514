//! Orders of a batch: found by number, compared, and created if they do not exist.
//! Rule: past orders take nothing from stock, and the status of an existing order never changes.

pub mod actions;
pub mod model;
mod store;
