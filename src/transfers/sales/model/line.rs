//! A line of an invoice, and the reasons for which a line is rejected.
//! Rule: a reason is a code that the report counts by, with one fixed text; generic imports have free texts instead.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use super::super::super::record::Rejection;

/// A line of an invoice that can be taken over.
#[derive(Debug, Clone, PartialEq)]
pub struct SalesLine {
    /// The invoice's number.
    pub invoice: String,
    /// Whether the invoice is a cancellation.
    pub is_cancellation: bool,
    /// The product's code, in capitals.
    pub sku: String,
    /// The text, at most 255 characters; empty where blank.
    pub name: String,
    /// Whether the text was longer.
    pub is_truncated: bool,
    /// Pieces, 1 or more.
    pub quantity: i32,
    /// The price of one, two decimals.
    pub price: Decimal,
    /// Whether the price had more decimals.
    pub is_rounded: bool,
    /// When the invoice was written.
    pub placed_at: DateTime<Utc>,
    /// The customer's number; none for a guest.
    pub customer: Option<String>,
    /// The country, where it is named.
    pub country: Option<String>,
}

/// Why a line is not taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RejectReason {
    /// More or fewer columns than the header.
    WrongColumns,
    /// A text in another encoding.
    NotUtf8,
    /// A NUL byte, which PostgreSQL does not store.
    NulByte,
    /// No invoice number, or one of more than 50 characters.
    BadInvoice,
    /// No code, or one of more than 100 characters.
    BadSku,
    /// Not a whole number, or more pieces than a line may have.
    BadQuantity,
    /// Pieces below 1 outside a cancellation.
    NegativeQuantity,
    /// Pieces above -1 within a cancellation.
    PositiveCancellation,
    /// Not a number, or more than a price may be.
    BadPrice,
    /// A price below 0.
    NegativePrice,
    /// Not a date, before 1900, or in the future.
    BadDate,
    /// A customer's number of more than 100 characters.
    BadCustomer,
    /// A country of more than 100 characters.
    BadCountry,
    /// More money than an order may hold.
    BadTotal,
    /// The website has an order of this number that did not come from an import.
    NumberTaken,
}

impl From<RejectReason> for Rejection {
    fn from(reason: RejectReason) -> Self {
        Self { column: None, message: reason.as_str().to_owned() }
    }
}

impl RejectReason {
    /// The reason in words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::WrongColumns => "not as many columns as the header",
            Self::NotUtf8 => "not UTF-8: convert the file",
            Self::NulByte => "holds a NUL byte",
            Self::BadInvoice => "the invoice number is blank or longer than 50 characters",
            Self::BadSku => "the product code is blank or longer than 100 characters",
            Self::BadQuantity => "the quantity is not a whole number, or beyond 1,000,000",
            Self::NegativeQuantity => "the quantity is below 1, and the invoice no cancellation",
            Self::PositiveCancellation => "the quantity of a cancelled line is not below 0",
            Self::BadPrice => "the price is not a number, or beyond 99,999,999.99",
            Self::NegativePrice => "the price is below 0",
            Self::BadDate => "the date cannot be read, is before 1900, or lies in the future",
            Self::BadCustomer => "the customer's number is longer than 100 characters",
            Self::BadCountry => "the country is longer than 100 characters",
            Self::BadTotal => "the invoice would come to more than 9,999,999,999.99",
            Self::NumberTaken => "the website has an order of this number that was not imported",
        }
    }
}
