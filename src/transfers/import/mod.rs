//! Imports: rows are read, checked, compared with the database, and what differs is written, batch by batch.
//! Layers: each `model` holds pure rules, each `store` the SQL statements, each `actions` the use cases that combine them.
//! Rule: a wrong row does not affect other rows; an interrupted run continues after its last batch, and a file that says
//! nothing new changes nothing.

mod actions;
mod categories;
mod check;
mod customers;
mod model;
mod orders;
mod products;
mod references;
mod source;
mod store;

pub use self::{
    actions::{count, import, import_for_transfer},
    model::{Input, RowOutcome},
};
