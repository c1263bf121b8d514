//! Transfers: what comes in from a file and goes out to one, in bulk. Owns `transfers`. What a file holds is written through
//! the stores of its domains, a batch of rows at a time; totals, stock and search follow by the database's own triggers.
//! In each module `model` holds pure rules, `store` the SQL statements, `actions` the use cases that combine them.
//!
//! - [`sales`]: past invoices, the oldest format.
//! - [`record`]: what a row says, whatever its format. [`own`] and [`formats`] read it out of files.
//! - [`import`]: compares rows with the database and writes what differs.
//! - [`export`]: reads everything of a noun in pieces and writes it to a file that [`import`] takes back.
//! - [`runs`]: imports and exports that the graph begins and a job does.
//!
//! Rule: a file may come in any number of times, in parts or again after a crash: what is there already is left; what is
//! not taken over is counted and handed back, never dropped. The audit log has one entry for the whole of an import.

pub mod export;
mod fingerprint;
pub mod formats;
pub mod import;
pub mod model;
pub mod own;
mod read_ahead;
pub mod record;
mod rejects;
pub mod runs;
pub mod sales;

/// The tables that files fill, whose statistics are kept in step while they do.
const GROWING: &str = "products, sources, stock_movements, price_changes, product_groups, images, categories, users, addresses, orders, order_details";
