//! The audit log: who changed what, from where, when, before and after. Owns `audit_log`.
//! Rule: the database writes it, by triggers on what is told and by the actor of the transaction (see [`crate::db::actor`]);
//! nobody changes an entry, and only the erasure of a person takes something out of it.

pub mod model;
pub mod store;
