//! Privacy: export and erasure of personal data. Owns no table.
//! Rule: erasure removes what identifies a person and keeps what accounting needs (orders, order lines, stock ledger).

pub mod actions;
pub mod model;
