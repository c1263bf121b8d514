//! Every statement on roles, sessions and what else opens doors, by topic.

pub mod keys;
pub mod roles;
pub mod sessions;
pub mod throttle;
pub mod tokens;
