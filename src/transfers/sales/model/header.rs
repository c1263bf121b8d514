//! Where the columns of a sales file are, and the line that a record of it says.
//! Rule: the columns are found by the names that the options give, in any letter case, each once.

use chrono::{DateTime, Utc};
use csv::ByteRecord;

use super::{
    fields,
    line::{Reason, SalesLine},
    options::{Columns, SalesOptions},
};
use crate::error::{Error, Result};

/// The header of a file.
pub struct Header {
    names: Vec<String>,
    invoice: usize,
    sku: usize,
    description: Option<usize>,
    quantity: usize,
    date: usize,
    price: usize,
    customer: Option<usize>,
    country: Option<usize>,
}

impl Header {
    /// Finds the columns in the first record of a file.
    /// # Errors
    /// User errors for an empty file and for columns that are missing or there twice.
    pub fn new(record: &ByteRecord, columns: &Columns) -> Result<Self> {
        let names: Vec<String> = record.iter().map(|name| String::from_utf8_lossy(name).trim().to_owned()).collect();
        if names.is_empty() {
            return Err(Error::bad_input("file", "the file is empty: it begins with a line that names its columns"));
        }
        Ok(Self {
            invoice: required(&names, "invoice-column", &columns.invoice)?,
            sku: required(&names, "sku-column", &columns.sku)?,
            description: optional(&names, "description-column", &columns.description)?,
            quantity: required(&names, "quantity-column", &columns.quantity)?,
            date: required(&names, "date-column", &columns.date)?,
            price: required(&names, "price-column", &columns.price)?,
            customer: optional(&names, "customer-column", &columns.customer)?,
            country: optional(&names, "country-column", &columns.country)?,
            names,
        })
    }

    /// The names of the columns, without surrounding whitespace.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The line that a record says.
    /// # Errors
    /// Why the record is rejected.
    pub fn line(&self, record: &ByteRecord, options: &SalesOptions, now: DateTime<Utc>) -> Result<SalesLine, Reason> {
        if record.len() != self.names.len() {
            return Err(Reason::WrongColumns);
        }
        let text = |place: usize| fields::text(&record[place]);
        let text_of = |place: Option<usize>| place.map_or_else(|| Ok(String::new()), text);
        let comma = options.decimal_comma;
        let invoice = fields::required(text(self.invoice)?, 50, Reason::BadInvoice)?;
        let cancelled = options.is_cancellation(&invoice);
        let mut sku = fields::required(text(self.sku)?, 100, Reason::BadSku)?;
        sku.make_ascii_uppercase();
        let (name, cut) = fields::cut(text_of(self.description)?, 255);
        let quantity = fields::quantity(&text(self.quantity)?, comma, cancelled)?;
        let (price, rounded) = fields::price(&text(self.price)?, comma)?;
        let placed_at = fields::date(&text(self.date)?, options.date_format.as_deref(), now)?;
        let customer = fields::optional(fields::customer(text_of(self.customer)?), 100, Reason::BadCustomer)?;
        let country = fields::optional(text_of(self.country)?, 100, Reason::BadCountry)?;
        Ok(SalesLine { invoice, cancelled, sku, name, cut, quantity, price, rounded, placed_at, customer, country })
    }
}

fn required(header: &[String], flag: &'static str, name: &str) -> Result<usize> {
    let mut places = (0..header.len()).filter(|place| header[*place].eq_ignore_ascii_case(name.trim()));
    let Some(place) = places.next() else {
        let hint = if header.len() == 1 { " Is the delimiter right?" } else { "" };
        let rule = format!("the file has no column {name:?}; its header has: {}.{hint}", header.join(", "));
        return Err(Error::bad_input(flag, rule));
    };
    if places.next().is_some() {
        return Err(Error::bad_input(flag, format!("the file has the column {name:?} more than once")));
    }
    Ok(place)
}

fn optional(header: &[String], flag: &'static str, name: &str) -> Result<Option<usize>> {
    if name.is_empty() { Ok(None) } else { required(header, flag, name).map(Some) }
}
