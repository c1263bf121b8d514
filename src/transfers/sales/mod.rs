//! Sales imports: products, customers and past orders from one CSV file of invoice lines.
//! In it `model` holds pure rules, `store` SQL statements, `actions` the use cases; the loop over batches is that of all
//! imports.
//! Rule: a file may be imported any number of times, in parts or again after a crash, and each of its lines counts once;
//! lines that are not imported are counted and returned, never dropped. The audit log has one entry for the whole import.

pub mod actions;
pub mod model;
mod store;
