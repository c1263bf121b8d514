//! A sales file: its header and its lines, one at a time.

use std::io::Read;

use chrono::{DateTime, Utc};
use csv::{ByteRecord, Reader, ReaderBuilder};

use super::{
    super::{
        read_ahead::{Batch, ReadAhead},
        rejects::Layout,
    },
    model::{Reason, SalesLine, SalesOptions},
    rules,
};
use crate::error::{Error, Result};

/// A file that is being read.
pub struct SalesFile<R> {
    reader: Reader<R>,
    options: SalesOptions,
    header: Vec<String>,
    places: Places,
    /// Lines that the reader has passed beyond a record when it hands it out: 1, but 0 where lines end in CR LF.
    beyond: u64,
    now: DateTime<Utc>,
}

/// Where the columns are.
struct Places {
    invoice: usize,
    sku: usize,
    description: Option<usize>,
    quantity: usize,
    date: usize,
    price: usize,
    customer: Option<usize>,
    country: Option<usize>,
}

/// A record of the file.
pub struct Record {
    /// The line of the file on which it begins.
    pub line: u64,
    /// Its fields as they are.
    pub fields: ByteRecord,
    /// What it says, or why it is refused.
    pub parsed: Result<SalesLine, Reason>,
}

impl Batch for Vec<Record> {
    fn is_empty(&self) -> bool {
        self.as_slice().is_empty()
    }
}

/// Reads the header of a file and begins to read its records; also returns how its rejected lines are written.
/// # Errors
/// As [`SalesFile::open`].
pub async fn read(
    input: impl Read + Send + 'static,
    options: &SalesOptions,
) -> Result<(Layout, ReadAhead<Vec<Record>>)> {
    let options = options.clone();
    ReadAhead::open(move || {
        let mut file = SalesFile::open(input, options)?;
        let header = file.header().to_vec();
        let layout = Layout::Csv { header, delimiter: file.options.delimiter, keeps_surplus: true };
        Ok((layout, move || file.next_batch()))
    })
    .await
}

impl<R: Read> SalesFile<R> {
    /// Reads the header.
    /// # Errors
    /// User errors for an empty file and for columns that are missing or there twice.
    pub fn open(input: R, options: SalesOptions) -> Result<Self> {
        let mut reader = ReaderBuilder::new().delimiter(options.delimiter).flexible(true).from_reader(input);
        let header: Vec<String> = reader
            .byte_headers()
            .map_err(broken)?
            .iter()
            .map(|name| String::from_utf8_lossy(name).trim().to_owned())
            .collect();
        if header.is_empty() {
            return Err(Error::bad_input("file", "the file is empty: it begins with a line that names its columns"));
        }
        let names = &options.columns;
        let places = Places {
            invoice: required(&header, "invoice-column", &names.invoice)?,
            sku: required(&header, "sku-column", &names.sku)?,
            description: optional(&header, "description-column", &names.description)?,
            quantity: required(&header, "quantity-column", &names.quantity)?,
            date: required(&header, "date-column", &names.date)?,
            price: required(&header, "price-column", &names.price)?,
            customer: optional(&header, "customer-column", &names.customer)?,
            country: optional(&header, "country-column", &names.country)?,
        };
        let beyond = reader.position().line() - 1;
        Ok(Self { reader, options, header, places, beyond, now: Utc::now() })
    }

    /// The names of the columns.
    pub fn header(&self) -> &[String] {
        &self.header
    }

    /// The next records, at most as many as a batch has; none at the end of the file.
    /// # Errors
    /// Where the file cannot be read any further.
    pub fn next_batch(&mut self) -> Result<Vec<Record>> {
        let mut batch = Vec::new();
        while batch.len() < self.options.batch {
            let mut fields = ByteRecord::new();
            if !self.reader.read_byte_record(&mut fields).map_err(broken)? {
                break;
            }
            let parsed = self.parse(&fields);
            batch.push(Record { line: self.line(&fields), fields, parsed });
        }
        Ok(batch)
    }

    /// The line on which a record begins. The reader's own number is where the one before ended: too low after blank
    /// lines and CR LF, where counting back from its present line is right.
    fn line(&self, fields: &ByteRecord) -> u64 {
        let within = fields.iter().flatten().filter(|byte| **byte == b'\n').count() as u64;
        let counted = self.reader.position().line().saturating_sub(self.beyond + within);
        fields.position().map_or(counted, |position| counted.max(position.line()))
    }

    fn parse(&self, fields: &ByteRecord) -> Result<SalesLine, Reason> {
        if fields.len() != self.header.len() {
            return Err(Reason::WrongColumns);
        }
        let text = |place: usize| rules::text(&fields[place]);
        let text_of = |place: Option<usize>| place.map_or_else(|| Ok(String::new()), text);
        let comma = self.options.decimal_comma;
        let invoice = rules::required(text(self.places.invoice)?, 50, Reason::BadInvoice)?;
        let cancelled = self.options.is_cancellation(&invoice);
        let mut sku = rules::required(text(self.places.sku)?, 100, Reason::BadSku)?;
        sku.make_ascii_uppercase();
        let (name, cut) = rules::cut(text_of(self.places.description)?, 255);
        let quantity = rules::quantity(&text(self.places.quantity)?, comma, cancelled)?;
        let (price, rounded) = rules::price(&text(self.places.price)?, comma)?;
        let placed_at = rules::date(&text(self.places.date)?, self.options.date_format.as_deref(), self.now)?;
        let customer = rules::optional(rules::customer(text_of(self.places.customer)?), 100, Reason::BadCustomer)?;
        let country = rules::optional(text_of(self.places.country)?, 100, Reason::BadCountry)?;
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

fn broken(error: csv::Error) -> Error {
    Error::Internal(format!("the file cannot be read: {error}"))
}
