//! Users and their addresses. Owns `users` and `addresses`.
//! Rule: a user is never deleted, only deactivated; a user has at most one default address, and the database says so.

pub mod actions;
pub mod model;
pub mod store;
