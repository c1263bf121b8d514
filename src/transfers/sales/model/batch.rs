//! What one batch of lines adds: products, customers, orders and lines that are not in the database yet.
//! Rule: rows are plain values; `actions` turns them into statements.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

/// What one transaction writes.
///
/// - An invoice is an order of status `delivered`, its number the invoice's, placed at the invoice's first date (UTC if the
///   date has no zone). Imported orders are past: they take nothing from stock. The first customer and the first country
///   that its lines name are the order's; without any customer it is a guest's.
/// - A number that starts with `C` and a digit is a cancellation: an order of status `cancelled`, its lines with positive
///   quantities. Nothing is netted against the invoice that it cancels, which it does not name.
/// - A line is identified by SKU, quantity, price and its rank among equal lines of its invoice. It keeps the invoice's
///   text; a blank text becomes the SKU. Prices of 0 stay; more than two decimals are rounded half up; both are counted.
/// - A product is identified by its SKU in capitals. Of all lines that were ever imported for it, the most frequent text is
///   its name (the first among equals) and the last price above 0 its price, that of a sale before that of a cancellation.
///   Its slug is decided when it is created, and kept. What is no product (postage, fees, vouchers) is an inactive product,
///   so that totals stay right and no catalogue shows it.
/// - A customer is identified by the file's number (`17850.0` is `17850`), created as `Customer 17850`, without an email,
///   and never changed after that.
/// - Rejected: quantities below 1 outside cancellations (write-offs) and above 0 within, negative prices, and whatever
///   cannot be read or does not fit; each reason is a [`RejectReason`](super::line::RejectReason).
#[derive(Debug, Default)]
pub struct Batch {
    /// Products that no earlier batch of the run has named.
    pub products: Vec<BatchProduct>,
    /// Customers that no earlier batch of the run has named.
    pub customers: Vec<String>,
    /// Orders that are new to the run, or of which its lines say more than before.
    pub orders: Vec<BatchOrder>,
    /// Lines of these and earlier orders.
    pub lines: Vec<BatchLine>,
}

/// A product, with the name and price of the first line that names it.
#[derive(Debug)]
pub struct BatchProduct {
    pub sku: String,
    pub name: String,
    pub price: Decimal,
    pub is_active: bool,
}

/// An order.
#[derive(Debug)]
pub struct BatchOrder {
    pub number: String,
    pub status: &'static str,
    pub customer: Option<String>,
    pub country: Option<String>,
    pub placed_at: DateTime<Utc>,
}

/// A line of an order.
#[derive(Debug)]
pub struct BatchLine {
    pub number: String,
    pub sku: String,
    pub name: String,
    pub quantity: i32,
    pub price: Decimal,
    pub key: String,
}
