//! Search analytics: recorded searches and clicks, and reports on them. Owns `searches` and `search_clicks`.
//! Rule: recording never delays a request, and reports never reveal who searched. Popular searches are passed to the
//! search domain, which suggests them.

pub mod actions;
pub mod model;
pub mod recorder;
pub mod store;
