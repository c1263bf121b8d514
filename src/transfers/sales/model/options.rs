//! The options of a sales import: the website, the columns of the file, and how its values are written.
//! Rule: an option that can be wrong is checked here, before the file is read.

use super::fields;
use crate::{
    error::{Error, Result},
    stock::model::MAX_QUANTITY,
};

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
    /// Checks the options that can be wrong.
    /// # Errors
    /// User errors for the opening stock, the batch and the format of dates.
    pub fn check(&self) -> Result<()> {
        if !(0..=MAX_QUANTITY).contains(&self.opening_stock) {
            return Err(Error::bad_input(
                "opening-stock",
                format!("an opening stock is from 0 to {MAX_QUANTITY} pieces"),
            ));
        }
        if !(1..=100_000).contains(&self.batch) {
            return Err(Error::bad_input("batch", "a batch is from 1 to 100000 lines"));
        }
        if self.date_format.as_deref().is_some_and(|format| !fields::is_date_format(format)) {
            return Err(Error::bad_input("date-format", "give a format such as %d/%m/%Y %H:%M"));
        }
        Ok(())
    }

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
