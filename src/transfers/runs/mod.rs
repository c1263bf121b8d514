//! Runs of imports and exports that the graph begins: their rows in `transfers`, the job that does them, and their files.
//! Rule: the row and its job are written in one transaction; a run that was cut off is taken up again by the same job, and
//! whoever may move the noun at the website sees the run and its files.

pub mod actions;
pub mod job;
pub mod model;
pub mod store;
pub mod sweep;
