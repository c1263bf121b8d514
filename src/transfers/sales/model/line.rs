//! An invoice line, and the reasons for rejecting one.
//! Rule: a reason is a code with one fixed text, counted in the report; other imports have free texts instead.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use super::super::super::record::Rejection;
use crate::postal::{Country, CountryCode};

/// A valid invoice line.
#[derive(Debug, Clone, PartialEq)]
pub struct SalesLine {
    /// Invoice number.
    pub invoice: String,
    /// Whether the invoice is a cancellation.
    pub is_cancellation: bool,
    /// Product code, in upper case.
    pub sku: String,
    /// Description, at most 255 characters; empty if blank.
    pub name: String,
    /// Whether the description was truncated.
    pub is_truncated: bool,
    /// Number of units, 1 or more.
    pub quantity: i32,
    /// Price of one unit, with the currency's decimal places.
    pub price: Decimal,
    /// Whether the price was rounded.
    pub is_rounded: bool,
    /// Date of the invoice.
    pub placed_at: DateTime<Utc>,
    /// Customer number; none for a guest.
    pub customer: Option<String>,
    /// Country, if given.
    pub country: Option<SalesCountry>,
}

/// The country of an invoice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SalesCountry {
    /// Its code, or [`CountryCode::UNKNOWN`].
    pub code: CountryCode,
    /// The text of the file, if it is not the name or code of a country, such as `European Community`.
    pub unknown: Option<String>,
}

impl From<String> for SalesCountry {
    fn from(text: String) -> Self {
        match Country::find(&text) {
            Some(country) => Self { code: country.into(), unknown: None },
            None => Self { code: CountryCode::UNKNOWN, unknown: Some(text) },
        }
    }
}

/// Reason why a line is rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RejectReason {
    /// The number of columns differs from the header.
    WrongColumns,
    /// A field is not UTF-8.
    NotUtf8,
    /// A field contains a NUL byte, which PostgreSQL cannot store.
    NulByte,
    /// The invoice number is blank or has more than 50 characters.
    BadInvoice,
    /// The product code is blank or has more than 255 characters.
    BadSku,
    /// The quantity is not a whole number or too large.
    BadQuantity,
    /// The quantity is below 1 in a sale.
    NegativeQuantity,
    /// The quantity is above -1 in a cancellation.
    PositiveCancellation,
    /// The price is not a number or too large.
    BadPrice,
    /// The price is negative.
    NegativePrice,
    /// The date is invalid, before 1900, or in the future.
    BadDate,
    /// The customer number has more than 100 characters.
    BadCustomer,
    /// The country has more than 100 characters.
    BadCountry,
    /// The order total would be too large.
    BadTotal,
    /// The website has an order with this number that was not imported.
    NumberTaken,
}

impl From<RejectReason> for Rejection {
    fn from(reason: RejectReason) -> Self {
        Self { column: None, message: reason.as_str().to_owned() }
    }
}

impl RejectReason {
    /// Returns the reason as a message.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::WrongColumns => "the number of columns differs from the header",
            Self::NotUtf8 => "the line is not UTF-8; convert the file to UTF-8",
            Self::NulByte => "the line contains a NUL byte",
            Self::BadInvoice => "the invoice number is blank or has more than 50 characters",
            Self::BadSku => "the product code is blank or has more than 100 characters",
            Self::BadQuantity => "the quantity is not a whole number or exceeds 1,000,000",
            Self::NegativeQuantity => "the quantity is below 1 but the invoice is not a cancellation",
            Self::PositiveCancellation => "the quantity in a cancellation is not below 0",
            Self::BadPrice => "the price is not a number or exceeds 999,999,999,999.999",
            Self::NegativePrice => "the price is below 0",
            Self::BadDate => "the date is invalid, before 1900 or in the future",
            Self::BadCustomer => "the customer number has more than 100 characters",
            Self::BadCountry => "the country has more than 100 characters",
            Self::BadTotal => "the total of the invoice would exceed 99,999,999,999,999.999",
            Self::NumberTaken => "the website has an order with this number that was not imported",
        }
    }
}
