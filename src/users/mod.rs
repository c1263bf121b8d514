//! Users and their addresses. Owns `users` and `addresses`.
//! Rule: users are deactivated, never deleted. A user has at most one default address, enforced by the database.

pub mod model;
pub mod store;
