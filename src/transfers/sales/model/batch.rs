//! The rows that one batch of lines adds: products, customers, orders and lines that are not in the database yet.
//! Rule: rows are plain values; `actions` turns them into statements.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use super::line::SalesCountry;

/// The rows that one transaction writes.
///
/// - An invoice is an order with status `delivered` and the invoice's number, placed at the invoice's earliest date
///   (UTC if the date has no time zone). Imported orders are past orders and take nothing from stock. The first
///   customer and the first country on its lines are the order's; an order without a customer is a guest's. A country
///   that is not known is stored as ZZ, with the file's text as the district.
/// - A number that starts with `C` and a digit is a cancellation: an order with status `cancelled` whose lines have
///   positive quantities. It is not netted against the canceled invoice, which the file does not identify.
/// - A line is identified by SKU, quantity, price and its rank among equal lines of its invoice. It keeps the invoice's
///   description; a blank description becomes the SKU. Prices of 0 are kept; more decimals than the currency has are rounded half
///   up; both are counted.
/// - A product is identified by its SKU in upper case. Of all lines ever imported for it, the most frequent description
///   is its name (the first one among equals) and the latest price above 0 its price, sales before cancellations. Its
///   slug never changes. Codes that are not products (postage, fees, vouchers) become inactive products, so that totals
///   are right and no catalog shows them.
/// - A customer is identified by the number in the file (`17850.0` is `17850`), created as `Customer 17850` without an
///   email address, and never changed afterwards.
/// - Rejected: quantities below 1 in sales (write-offs) and above -1 in cancellations, negative prices, and everything
///   that cannot be parsed or stored; each reason is a [`RejectReason`](super::line::RejectReason).
#[derive(Debug, Default)]
pub struct Batch {
    /// Products that no earlier batch of the run contains.
    pub products: Vec<BatchProduct>,
    /// Customers that no earlier batch of the run contains.
    pub customers: Vec<String>,
    /// Orders that are new in the run or changed by its lines.
    pub orders: Vec<BatchOrder>,
    /// Lines of these and of earlier orders.
    pub lines: Vec<BatchLine>,
}

/// A product, with the name and price of its first line.
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
    pub country: Option<SalesCountry>,
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
