//! The header of a sales file, and the parsing of its records.
//! Rule: columns are found by the names given in the options, case-insensitively; each must occur once.

use chrono::{DateTime, Utc};
use csv::ByteRecord;

use super::{
    fields,
    line::{RejectReason, SalesCountry, SalesLine},
    options::{Columns, SalesOptions},
};
use crate::{
    error::{Error, Result},
    money::Currency,
    products::model::MAX_SKU,
    text::trim,
    transfers::native::read::REJECTS_COLUMNS,
};

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
    /// User errors for an empty file and for missing or duplicate columns.
    pub fn new(record: &ByteRecord, columns: &Columns) -> Result<Self> {
        let names: Vec<String> = record.iter().map(|name| trim(&String::from_utf8_lossy(name)).to_owned()).collect();
        if names.is_empty() {
            return Err(Error::bad_input("file", "The file is empty. Its first line must contain the column names."));
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

    /// Returns the column names, trimmed.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Returns the columns that are not used and in which a record has a value, without those of a rejects file.
    pub fn ignored<'h>(&'h self, record: &'h ByteRecord) -> impl Iterator<Item = &'h str> {
        let used = [self.invoice, self.sku, self.quantity, self.date, self.price];
        let optional = [self.description, self.customer, self.country];
        let is_of_rejects_file = self.names.ends_with(&REJECTS_COLUMNS.map(str::to_owned));
        let count = self.names.len() - if is_of_rejects_file { REJECTS_COLUMNS.len() } else { 0 };
        let has_value = move |index: usize| record.get(index).is_some_and(|cell: &[u8]| !cell.trim_ascii().is_empty());
        let is_ignored = move |index: usize| !used.contains(&index) && !optional.contains(&Some(index));
        let columns = self.names.iter().enumerate().take(count);
        columns.filter(move |(index, _)| is_ignored(*index) && has_value(*index)).map(|(_, name)| name.as_str())
    }

    /// Parses a record with prices in this currency.
    /// # Errors
    /// The reason why the record is rejected.
    pub fn parse_line(
        &self,
        record: &ByteRecord,
        options: &SalesOptions,
        currency: Currency,
        now: DateTime<Utc>,
    ) -> Result<SalesLine, RejectReason> {
        if record.len() != self.names.len() {
            return Err(RejectReason::WrongColumns);
        }
        let text = |index: usize| fields::text(&record[index]);
        let text_of = |index: Option<usize>| index.map_or_else(|| Ok(String::new()), text);
        let comma = options.decimal_comma;
        let invoice = fields::required(text(self.invoice)?, 50, RejectReason::BadInvoice)?;
        let is_cancellation = options.is_cancellation(&invoice);
        let mut sku = fields::required(text(self.sku)?, MAX_SKU, RejectReason::BadSku)?;
        sku.make_ascii_uppercase();
        let (name, is_truncated) = fields::truncate(text_of(self.description)?, 255);
        let quantity = fields::quantity(&text(self.quantity)?, comma, is_cancellation)?;
        let (price, is_rounded) = fields::price(&text(self.price)?, comma, currency)?;
        let placed_at = fields::date(&text(self.date)?, options.date_format.as_deref(), now)?;
        let customer = fields::optional(fields::customer(text_of(self.customer)?), 100, RejectReason::BadCustomer)?;
        let country = fields::optional(text_of(self.country)?, 100, RejectReason::BadCountry)?.map(SalesCountry::from);
        Ok(SalesLine {
            invoice,
            is_cancellation,
            sku,
            name,
            is_truncated,
            quantity,
            price,
            is_rounded,
            placed_at,
            customer,
            country,
        })
    }
}

fn required(header: &[String], flag: &'static str, name: &str) -> Result<usize> {
    let mut indexes = (0..header.len()).filter(|index| header[*index].eq_ignore_ascii_case(trim(name)));
    let Some(index) = indexes.next() else {
        let hint = if header.len() == 1 { " Is the delimiter right?" } else { "" };
        let rule = format!("the file has no column {name:?}; its header has: {}.{hint}", header.join(", "));
        return Err(Error::bad_input(flag, rule));
    };
    if indexes.next().is_some() {
        return Err(Error::bad_input(flag, format!("the file has the column {name:?} more than once")));
    }
    Ok(index)
}

fn optional(header: &[String], flag: &'static str, name: &str) -> Result<Option<usize>> {
    if name.is_empty() { Ok(None) } else { required(header, flag, name).map(Some) }
}
