//! What people do with their access, and staff with that of others, by topic.

pub mod accounts;
pub mod live;
pub mod login;
pub mod roles;
