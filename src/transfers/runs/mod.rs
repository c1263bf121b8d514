//! Imports and exports started through the API: their rows in `transfers`, the job that runs them, and their files.
//! Rule: the row and its job are inserted in one transaction; an interrupted run is continued by the same job. A
//! transfer and its files are visible to viewers who may import and export the resource at the website.

pub mod actions;
pub mod model;
pub mod store;
