//! Transfers: bulk imports and exports of files. Owns `transfers`. Rows are written through the stores of their
//! domains, one batch at a time. [`native`] and [`formats`] read files as [`record`]s, [`import`] writes what differs,
//! [`sales`] imports past invoices, [`export`] writes files that [`import`] reads, [`runs`] manages transfers started
//! through the API.
//! Rule: a file can be imported any number of times, in parts or again after a crash: existing data stays, and rejected
//! rows are counted and returned, never dropped. The audit log has one entry per import.

mod actions;
pub mod export;
mod fingerprint;
pub mod formats;
pub mod ignored_columns;
pub mod import;
pub mod model;
pub mod native;
mod read_ahead;
pub mod record;
pub mod rejection_summary;
mod rejects;
pub mod runs;
pub mod sales;

/// The tables that imports write to and whose planner statistics are refreshed meanwhile.
const IMPORTED_TABLES: &str = "products, sources, stock_movements, price_changes, product_groups, images, categories, users, addresses, orders, order_details";
