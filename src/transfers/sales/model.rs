//! What an import is told, and what it makes of a line.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use super::super::record::Refused;

/// Codes that sales files use for what is no product; an ending `*` stands for anything.
pub const NON_PRODUCTS: &str = "POST,DOT,M,D,S,B,C2,BANK CHARGES,AMAZONFEE,CRUK,PADS,GIFT_*";

/// How a sales file is read and where it goes.
#[derive(Debug, Clone)]
pub struct SalesOptions {
    /// Whose sales they are.
    pub website: WebsiteOptions,
    /// Which columns hold what.
    pub columns: Columns,
    /// What separates the columns.
    pub delimiter: u8,
    /// Whether numbers are written `1,50` rather than `1.50`.
    pub decimal_comma: bool,
    /// How dates are written, in the signs of `strftime`; ISO 8601 where absent.
    pub date_format: Option<String>,
    /// What the numbers of cancellations begin with, before a digit; where empty there are none.
    pub cancellation_prefix: String,
    /// Codes that are no products, in capitals; an ending `*` stands for anything.
    pub non_products: Vec<String>,
    /// Pieces that a new active product begins with.
    pub opening_stock: i32,
    /// Whether products that were there before keep their names and prices.
    pub keep_products: bool,
    /// Lines in one transaction.
    pub batch: usize,
}

/// The website of an import; it is made where it is missing.
#[derive(Debug, Clone, Default)]
pub struct WebsiteOptions {
    /// Its code.
    pub code: String,
    /// Its name; the code for a new one without.
    pub name: Option<String>,
    /// Where the shop is; `https://CODE.example` for a new one without.
    pub base_url: Option<String>,
    /// The currency of the file, ISO 4217; GBP for a new one without.
    pub currency: Option<String>,
}

/// The names of the columns in the file's header. An empty name stands for a column that the file does not have, which
/// only description, customer and country may be.
#[derive(Debug, Clone)]
pub struct Columns {
    /// The invoice's number.
    pub invoice: String,
    /// The product's code.
    pub sku: String,
    /// The text of the line.
    pub description: String,
    /// Pieces.
    pub quantity: String,
    /// When the invoice was written.
    pub date: String,
    /// The price of one piece.
    pub price: String,
    /// The customer's number.
    pub customer: String,
    /// The customer's country.
    pub country: String,
}

impl Default for SalesOptions {
    fn default() -> Self {
        Self {
            website: WebsiteOptions::default(),
            columns: Columns::default(),
            delimiter: b',',
            decimal_comma: false,
            date_format: None,
            cancellation_prefix: "C".into(),
            non_products: NON_PRODUCTS.split(',').map(str::to_owned).collect(),
            opening_stock: 0,
            keep_products: false,
            batch: 5_000,
        }
    }
}

impl Default for Columns {
    fn default() -> Self {
        Self {
            invoice: "InvoiceNo".into(),
            sku: "StockCode".into(),
            description: "Description".into(),
            quantity: "Quantity".into(),
            date: "InvoiceDate".into(),
            price: "UnitPrice".into(),
            customer: "CustomerID".into(),
            country: "Country".into(),
        }
    }
}

impl SalesOptions {
    /// Whether this code, in capitals, stands for no product.
    pub fn is_non_product(&self, sku: &str) -> bool {
        self.non_products.iter().any(|code| match code.strip_suffix('*') {
            Some(start) => sku.starts_with(start),
            None => sku == code,
        })
    }

    /// Whether an invoice of this number is a cancellation.
    pub fn is_cancellation(&self, invoice: &str) -> bool {
        !self.cancellation_prefix.is_empty()
            && invoice
                .strip_prefix(&self.cancellation_prefix)
                .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    }
}

/// A line of an invoice that can be taken over.
#[derive(Debug, Clone, PartialEq)]
pub struct SalesLine {
    /// The invoice's number.
    pub invoice: String,
    /// Whether the invoice is a cancellation.
    pub cancelled: bool,
    /// The product's code, in capitals.
    pub sku: String,
    /// The text, at most 255 characters; empty where blank.
    pub name: String,
    /// Whether the text was longer.
    pub cut: bool,
    /// Pieces, 1 or more.
    pub quantity: i32,
    /// The price of one, two decimals.
    pub price: Decimal,
    /// Whether the price had more decimals.
    pub rounded: bool,
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
pub enum Reason {
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

impl From<Reason> for Refused {
    fn from(reason: Reason) -> Self {
        Self { column: None, message: reason.as_str().to_owned() }
    }
}

impl Reason {
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
