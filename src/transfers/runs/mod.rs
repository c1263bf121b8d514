//! Runs of imports and exports that start through the API: their rows in `transfers`, the job that runs them, and their files.
//! Rule: the row and its job are written in one transaction; an interrupted run is continued by the same job. A viewer who may
//! import and export such rows at the website sees the run and its files.

pub mod actions;
pub mod model;
pub mod store;
