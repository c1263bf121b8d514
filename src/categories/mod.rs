//! Categories: one tree for all websites. Owns `categories`.
//! Rule: `path` holds the ids from the root down to the category itself, kept by the database, which refuses a loop.

pub mod actions;
pub mod model;
pub mod store;
