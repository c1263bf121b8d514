//! What people search, and what they take of what they find. Owns `searches` and `search_clicks`.
//! Rule: no request waits for what is recorded, and nobody is shown who searched. What many have searched is handed to the
//! search, which suggests it.

pub mod actions;
pub mod model;
pub mod recorder;
pub mod store;
