//! Product files of other shop systems: Shopify, WooCommerce, Magento 2. Pure code, no database.
//! Rule: a file is read twice. The first pass collects what depends on the whole file: its decimal separator and the
//! common data of products with variants. Memory depends on these alone, not on the length of the file.
//!
//! `decode`, `csv_reader`, `amounts`, `html` and `cells` are independent of the shop system.

pub mod amounts;
pub mod cells;
mod column_names;
mod csv_faults;
pub mod csv_reader;
pub mod decode;
pub mod html;
mod inventory;
mod magento;
mod magento_groups;
mod pairs;
mod seo;
mod shopify;
mod unread_columns;
mod weights;
mod woocommerce;
mod woocommerce_parents;

use std::{
    collections::{BTreeMap, VecDeque},
    fs::File,
    io::{self, Read, Seek},
    sync::{Arc, Mutex, PoisonError},
};

use chrono::{NaiveDate, Utc};
use csv::ByteRecord;

use self::{
    amounts::DecimalSeparator,
    csv_reader::{CsvReader, Header, Line, read_error},
    decode::Encoding,
    unread_columns::UnreadColumns,
};
use super::{
    ignored_columns::IgnoredColumns,
    record::{Columns, Context, FileLine, ImageRecord, ProductRecord, Rejection, Row},
};
use crate::error::{Error, Result};

/// Maximum size in bytes of the data that the first pass retains.
const MAX_RETAINED_BYTES: usize = 64 * 1024 * 1024;
const MAX_IMAGES: usize = 50;
const MAX_URL: usize = 1_000;
/// Maximum size in bytes of a line that is written to the rejects file with the variants that depend on it.
const MAX_CONTEXT_BYTES: usize = 64 * 1024;

/// A shop system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shop {
    /// Shopify's product CSV, with the column names from before and since 2025.
    Shopify,
    /// WooCommerce's product CSV with English column names.
    WooCommerce,
    /// Product CSV of Magento 2 and Adobe Commerce.
    Magento,
}

/// Options of a file of another shop system.
#[derive(Debug, Clone)]
pub struct Options {
    /// Encoding of the file, if it is not Unicode.
    pub encoding: Encoding,
    /// Decimal separator, if the prices do not determine it.
    pub decimal_separator: Option<DecimalSeparator>,
    /// Decimal places of the website's currency.
    pub digits: u32,
    /// Base URL of relative image paths, such as `https://shop.example/media/catalog/product`.
    pub image_base_url: Option<String>,
    /// The day for which sale prices are evaluated.
    pub today: NaiveDate,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            encoding: Encoding::default(),
            decimal_separator: None,
            digits: 2,
            image_base_url: None,
            today: Utc::now().date_naive(),
        }
    }
}

/// The products of a file, in its order.
pub struct ProductRows {
    columns: Columns,
    unread: UnreadColumns,
    reader: CsvReader<File>,
    parser: Box<dyn ShopParser>,
    out: Output,
    at_end: bool,
}

/// Converts the lines of one shop system to products.
trait ShopParser: Send {
    /// First pass: collects data from a line.
    fn scan(&mut self, line: &Line);

    /// First pass: collects data from a line that cannot be parsed.
    fn scan_rejected(&mut self, _line: &Line) {}

    /// Returns the size of the retained data in bytes.
    fn retained_bytes(&self) -> usize {
        0
    }

    /// Ends the first pass.
    fn finish_scan(&mut self) {}

    /// Second pass: parses a line.
    fn parse(&mut self, line: Line, out: &mut Output);

    /// Second pass: rejects a line that cannot be parsed, with the lines that it seems to belong to.
    fn reject(&mut self, line: Line, rejection: Rejection, out: &mut Output);

    /// Ends the second pass.
    fn finish(&mut self, _out: &mut Output) {}
}

/// Data in a file that is not imported, with the number of occurrences; updated while the file is read.
#[derive(Debug, Clone, Default)]
pub struct Notes(Arc<Mutex<BTreeMap<&'static str, u64>>>);

impl Notes {
    /// Returns the current counts.
    pub fn snapshot(&self) -> BTreeMap<String, u64> {
        let notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        notes.iter().map(|(what, count)| ((*what).to_owned(), *count)).collect()
    }

    fn add(&self, what: &'static str, count: u64) {
        if count > 0 {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(what).or_default() += count;
        }
    }
}

/// The parsed rows, notes and columns that are not imported.
#[derive(Default)]
struct Output {
    rows: VecDeque<Row<ProductRecord>>,
    notes: Notes,
    ignored_columns: IgnoredColumns,
}

impl Output {
    fn push(&mut self, line: u64, fields: ByteRecord, context: Context, record: Result<ProductRecord, Rejection>) {
        self.rows.push_back(Row { line, fields, context, record });
    }

    fn note(&mut self, what: &'static str, count: u64) {
        self.notes.add(what, count);
    }

    /// Collects images by URL and alternative text without duplicates; invalid URLs are counted and dropped. Returns none,
    /// which leaves the images as they are, if all URLs are invalid.
    fn select_images(&mut self, found: impl IntoIterator<Item = (String, Option<String>)>) -> Option<Vec<ImageRecord>> {
        let (mut images, mut dropped) = (Vec::new(), 0_u64);
        for (url, alt) in found {
            let start = url.get(..8).unwrap_or_default().to_ascii_lowercase();
            if !(start.starts_with("https://") || start.starts_with("http://")) || url.len() > MAX_URL {
                dropped += 1;
            } else if images.iter().any(|image: &ImageRecord| image.url == url) {
                // The main image is listed again in the gallery.
            } else if images.len() == MAX_IMAGES {
                self.note("images beyond the first 50 of a product", 1);
            } else {
                images.push(ImageRecord { url, alt });
            }
        }
        self.note("images without a web address", dropped);
        (dropped == 0 || !images.is_empty()).then_some(images)
    }
}

/// Opens a file. It is copied to an anonymous temporary file, so that the input can be a pipe.
/// # Errors
/// User errors for an empty file, an invalid header, and too much data of products with variants.
pub fn open(shop: Shop, mut input: impl Read, options: &Options) -> Result<ProductRows> {
    let mut file = tempfile::tempfile().map_err(|error| read_error(&error))?;
    io::copy(&mut input, &mut file).map_err(|error| read_error(&error))?;
    let mut from_start = || -> Result<CsvReader<File>> {
        file.rewind().map_err(|error| read_error(&error))?;
        CsvReader::open(file.try_clone().map_err(|error| read_error(&error))?, options.encoding)
    };
    let mut reader = from_start()?;
    let mut parser = parser(shop, reader.header(), options)?;
    while let Some(line) = reader.next_line()? {
        match line.rejection {
            None => parser.scan(&line),
            Some(_) => parser.scan_rejected(&line),
        }
        if parser.retained_bytes() > MAX_RETAINED_BYTES {
            let rule = format!(
                "The products with variants have more than {} MB of text. Split the file.",
                MAX_RETAINED_BYTES >> 20
            );
            return Err(Error::bad_input("file", rule));
        }
    }
    parser.finish_scan();
    let unread = UnreadColumns::new(reader.header());
    let columns = column_names::own_names(shop, reader.header());
    Ok(ProductRows { columns, unread, reader: from_start()?, parser, out: Output::default(), at_end: false })
}

/// Returns a line that variants depend on, if it is small enough to be written with rejected variants.
fn context_line(line: &Line) -> Option<FileLine> {
    let is_small = line.fields.as_slice().len() <= MAX_CONTEXT_BYTES;
    is_small.then(|| FileLine { line: line.line, fields: line.fields.clone() })
}

fn parser(shop: Shop, header: &Header, options: &Options) -> Result<Box<dyn ShopParser>> {
    Ok(match shop {
        Shop::Shopify => Box::new(shopify::Shopify::new(header, options)?),
        Shop::WooCommerce => Box::new(woocommerce::WooCommerce::new(header, options)?),
        Shop::Magento => Box::new(magento::Magento::new(header, options)?),
    })
}

impl ProductRows {
    /// Returns the column names as written in the file.
    pub fn header(&self) -> &[String] {
        self.reader.header().names()
    }

    /// Returns the column delimiter.
    pub fn delimiter(&self) -> u8 {
        self.reader.delimiter()
    }

    /// Returns the file's own names of the columns, by the names in Souk's format.
    pub fn columns(&self) -> Columns {
        self.columns.clone()
    }

    /// Returns the notes on data that is not imported.
    pub fn notes(&self) -> Notes {
        self.out.notes.clone()
    }

    /// Returns the columns that are not imported.
    pub fn ignored_columns(&self) -> IgnoredColumns {
        self.out.ignored_columns.clone()
    }

    fn next_row(&mut self) -> Result<Option<Row<ProductRecord>>> {
        while self.out.rows.is_empty() && !self.at_end {
            match self.reader.next_line()? {
                Some(mut line) => match line.rejection.take() {
                    Some(rejection) => self.parser.reject(line, rejection, &mut self.out),
                    None => {
                        self.out.ignored_columns.count_row(self.unread.with_value(&line));
                        self.parser.parse(line, &mut self.out);
                    }
                },
                None => {
                    self.parser.finish(&mut self.out);
                    self.at_end = true;
                }
            }
        }
        Ok(self.out.rows.pop_front())
    }
}

impl Iterator for ProductRows {
    /// A row, valid or rejected; an error if the rest of the file cannot be read.
    type Item = Result<Row<ProductRecord>>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_row().transpose()
    }
}
