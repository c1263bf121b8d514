//! Sales imports: products, customers and past orders from a CSV file of invoice lines.
//! `model` holds pure rules, `store` SQL statements, `actions` the use cases; the batch loop is that of all imports.
//! Rule: a file can be imported any number of times, in parts or again after a crash, and each of its lines counts
//! once; rejected lines are counted and returned, never dropped. The audit log has one entry per import.

pub mod actions;
pub mod model;
mod store;
