//! Transfers: files that are imported and exported in bulk. Owns `transfers`. Rows are written through the stores of their
//! domains, a batch at a time. [`native`] and [`formats`] read files as [`record`]s, [`import`] writes what differs, [`sales`]
//! imports past invoices, [`export`] writes files that [`import`] reads, [`runs`] start through the API.
//! Rule: a file may be imported any number of times, in parts or again after a crash: what exists is left; rows that are not
//! imported are counted and returned, never dropped. The audit log has one entry for a whole import.

mod actions;
pub mod export;
mod fingerprint;
pub mod formats;
pub mod import;
pub mod model;
pub mod native;
mod read_ahead;
pub mod record;
mod rejects;
pub mod runs;
pub mod sales;

/// The tables that files fill, whose statistics are kept in step while they do.
const IMPORTED_TABLES: &str = "products, sources, stock_movements, price_changes, product_groups, images, categories, users, addresses, orders, order_details";
