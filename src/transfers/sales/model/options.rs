//! Options of a sales import: the website, the columns of the file, and the notation of its values.
//! Rule: options are checked here, before the file is read.

use super::fields;
use crate::{
    error::{Error, Result},
    stock::model::MAX_QUANTITY,
};

/// Codes in sales files that are not products; a trailing `*` matches any suffix.
pub const NON_PRODUCTS: &str = "POST,DOT,M,D,S,B,C2,BANK CHARGES,AMAZONFEE,CRUK,PADS,GIFT_*";

/// Options of a sales import.
#[derive(Debug, Clone)]
pub struct SalesOptions {
    /// The website of the sales.
    pub website: WebsiteOptions,
    /// Column names.
    pub columns: Columns,
    /// Column delimiter.
    pub delimiter: u8,
    /// Whether numbers are written `1,50` rather than `1.50`.
    pub decimal_comma: bool,
    /// Date format in `strftime` notation; ISO 8601 if absent.
    pub date_format: Option<String>,
    /// Prefix of the numbers of cancellations, followed by a digit; none are cancellations if empty.
    pub cancellation_prefix: String,
    /// Codes that are not products, in upper case; a trailing `*` matches any suffix.
    pub non_products: Vec<String>,
    /// Opening stock of new active products, in units.
    pub opening_stock: i32,
    /// Whether existing products keep their names and prices.
    pub keep_products: bool,
    /// Number of lines per transaction.
    pub batch: usize,
}

/// The website of an import; created if it does not exist.
#[derive(Debug, Clone, Default)]
pub struct WebsiteOptions {
    /// Code of the website.
    pub code: String,
    /// Name of the website; the code for a new website if absent.
    pub name: Option<String>,
    /// URL of the shop; `https://CODE.example` for a new website if absent.
    pub base_url: Option<String>,
    /// Currency of the file, ISO 4217; GBP for a new website if absent.
    pub currency: Option<String>,
}

/// Column names in the file's header. An empty name means that the file does not have the column; allowed for
/// description, customer and country.
#[derive(Debug, Clone)]
pub struct Columns {
    /// Invoice number.
    pub invoice: String,
    /// Product code.
    pub sku: String,
    /// Description of the line.
    pub description: String,
    /// Number of units.
    pub quantity: String,
    /// Date of the invoice.
    pub date: String,
    /// Price of one unit.
    pub price: String,
    /// Customer number.
    pub customer: String,
    /// Country of the customer.
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
    /// Checks the options.
    /// # Errors
    /// User errors for the opening stock, the batch size and the date format.
    pub fn check(&self) -> Result<()> {
        if !(0..=MAX_QUANTITY).contains(&self.opening_stock) {
            return Err(Error::bad_input(
                "opening-stock",
                format!("opening-stock must be between 0 and {MAX_QUANTITY}"),
            ));
        }
        if !(1..=100_000).contains(&self.batch) {
            return Err(Error::bad_input("batch", "batch must be between 1 and 100000 lines"));
        }
        if self.date_format.as_deref().is_some_and(|format| !fields::is_date_format(format)) {
            return Err(Error::bad_input("date-format", "date-format must be a format such as %d/%m/%Y %H:%M"));
        }
        Ok(())
    }

    /// Returns whether this code, in upper case, is not a product.
    pub fn is_non_product(&self, sku: &str) -> bool {
        self.non_products.iter().any(|code| match code.strip_suffix('*') {
            Some(start) => sku.starts_with(start),
            None => sku == code,
        })
    }

    /// Returns whether an invoice number is that of a cancellation.
    pub fn is_cancellation(&self, invoice: &str) -> bool {
        !self.cancellation_prefix.is_empty()
            && invoice
                .strip_prefix(&self.cancellation_prefix)
                .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    }
}
