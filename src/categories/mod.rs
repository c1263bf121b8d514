//! Categories: one tree for all websites. Owns `categories`.
//! Rule: `path` holds the ids from the root to the category itself. Database triggers maintain it and reject cycles.

pub mod actions;
pub mod model;
pub mod store;
