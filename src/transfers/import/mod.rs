//! Imports: rows are read, checked and compared with the database, and differences are written, batch by batch.
//! Layers: each `model` holds pure rules, each `store` the SQL statements, each `actions` the use cases.
//! Rule: an invalid row does not affect other rows; an interrupted run continues after its last batch, and importing
//! unchanged data changes nothing.

mod actions;
mod addresses;
mod categories;
mod check;
mod customers;
mod missing;
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
