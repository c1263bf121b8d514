//! The audit log: who changed what, when and from where, with the values before and after. Owns `audit_log`.
//! Rule: the database writes it, by triggers on the audited tables and from the actor of the transaction (see
//! [`crate::db::actor`]). Entries are never changed, except that the erasure of a user removes personal data.

pub mod model;
pub mod store;
