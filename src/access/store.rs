//! Every statement on roles, sessions and what else opens doors, by topic.

pub mod roles;
pub mod sessions;
pub mod tokens;
