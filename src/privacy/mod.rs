//! A person's rights: everything that is held on them, and taking them out of it. Owns no table.
//! Rule: what names a person goes when they go; what the shop must count (orders, their lines, the ledger) stays.

pub mod actions;
pub mod model;
