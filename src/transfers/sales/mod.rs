//! Past invoices of a shop as a file: products, customers and orders out of one list of lines.
//! The audit log has one entry for the whole of it.
//! Rule: a file may come in any number of times, in parts or again after a crash, and each of its lines counts once;
//! what is not taken over is counted and handed back, never dropped.
//!
//! What becomes of the lines of an invoice file:
//!
//! - An invoice is an order of status `delivered`, its number the invoice's, placed at the invoice's first date (UTC where
//!   the date has no zone). Imported orders are past: they take nothing from stock. The first customer and the first
//!   country that its lines name are the order's; without any customer it is a guest's.
//! - A number that starts with `C` and a digit is a cancellation: an order of status `cancelled`, its lines with positive
//!   quantities. Nothing is netted against the invoice that it cancels, which it does not name.
//! - A line is known by SKU, quantity, price and its rank among equal lines of its invoice. It keeps the invoice's text, a
//!   blank one becomes the SKU. Prices of 0 stay; more than two decimals are rounded half up; both are counted.
//! - A product is known by its SKU in capitals. Of all lines that were ever imported for it, the most frequent text names
//!   it (the first seen among equals) and the last price above 0 prices it, that of a sale before that of a cancellation.
//!   Its slug is decided when it is made, and kept. What is no product (postage, fees, vouchers) is an inactive one, so
//!   that totals stay right and no catalogue shows it.
//! - A customer is known by the file's number (`17850.0` is `17850`); made as `Customer 17850`, without an e-mail, and
//!   never changed after that.
//! - Rejected: quantities below 1 outside cancellations (write-offs) and above 0 within, negative prices, and whatever
//!   cannot be read or does not fit; each reason is a [`model::Reason`].

pub mod actions;
mod batch;
mod file;
pub mod model;
pub mod report;
mod rules;
mod store;
