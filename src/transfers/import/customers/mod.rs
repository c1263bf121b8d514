//! Customers of a batch: found by external ID, else by email address, compared, created and updated.
//! Rule: an import never sets a password and never removes an address.

pub mod actions;
pub mod model;
pub(super) mod store;
