//! Orders of a batch: found by number, compared, and created if they are missing.
//! Rule: past orders take nothing from stock, and the status of an existing order is never changed.

pub mod actions;
pub mod model;
mod store;
