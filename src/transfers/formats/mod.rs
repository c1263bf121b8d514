//! Product files of other shop systems, as those export them: Shopify, WooCommerce, Magento 2. Pure code, no database.
//! Rule: a file is read twice. The first time tells what only the whole file can: how it writes amounts, and what the
//! products that come in variants have in common, wherever they stand. Memory depends on those alone, not on its length.
//!
//! `decode`, `csv_reader`, `amounts`, `html` and `cells` know no shop: any CSV file may be read by them.

pub mod amounts;
pub mod cells;
pub mod csv_reader;
pub mod decode;
pub mod html;
mod magento;
mod shopify;
mod woocommerce;

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
};
use super::record::{ImageRecord, ProductRecord, Rejection, Row};
use crate::error::{Error, Result};

/// Bytes of what products that come in variants have in common.
const MAX_RETAINED_BYTES: usize = 64 * 1024 * 1024;
const MAX_IMAGES: usize = 50;
const MAX_URL: usize = 1_000;
/// Bytes of the line of a variable or configurable product that goes along with its rejected variants.
const MAX_PARENT_BYTES: usize = 64 * 1024;

/// A shop system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shop {
    /// Shopify's product CSV, the columns of before and since 2025.
    Shopify,
    /// WooCommerce's product CSV, with English columns.
    WooCommerce,
    /// Magento 2's (and Adobe Commerce's) product CSV.
    Magento,
}

/// What a file does not say of itself.
#[derive(Debug, Clone)]
pub struct Options {
    /// Its encoding, where it is no Unicode.
    pub encoding: Encoding,
    /// How it writes amounts, where its prices do not tell.
    pub decimal_separator: Option<DecimalSeparator>,
    /// What stands before addresses of images that have none of a server, such as `https://shop.example/media/catalog/product`.
    pub image_base_url: Option<String>,
    /// The day whose sale prices are in force.
    pub today: NaiveDate,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            encoding: Encoding::default(),
            decimal_separator: None,
            image_base_url: None,
            today: Utc::now().date_naive(),
        }
    }
}

/// The products of a file, in its order.
pub struct ProductRows {
    reader: CsvReader<File>,
    parser: Box<dyn ShopParser>,
    out: Output,
    at_end: bool,
}

/// How the lines of one system become products.
trait ShopParser: Send {
    /// Learns from a line, the first time.
    fn scan(&mut self, line: &Line);

    /// Bytes that the survey keeps.
    fn retained_bytes(&self) -> usize {
        0
    }

    /// Nothing more to learn.
    fn finish_scan(&mut self) {}

    /// Takes a line, the second time.
    fn parse(&mut self, line: Line, out: &mut Output);

    /// There are no more lines.
    fn finish(&mut self, _out: &mut Output) {}
}

/// What was seen in a file and not taken over, and how often; it grows while the file is read.
#[derive(Debug, Clone, Default)]
pub struct Notes(Arc<Mutex<BTreeMap<&'static str, u64>>>);

impl Notes {
    /// Those so far.
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

/// What comes of the lines.
#[derive(Default)]
struct Output {
    rows: VecDeque<Row<ProductRecord>>,
    notes: Notes,
}

impl Output {
    fn push(&mut self, line: u64, fields: Vec<ByteRecord>, record: Result<ProductRecord, Rejection>) {
        self.rows.push_back(Row { line, fields, record });
    }

    fn note(&mut self, what: &'static str, count: u64) {
        self.notes.add(what, count);
    }

    /// Images by address and alternative text, each once; what is no address of the web is left out and counted.
    fn select_images(&mut self, found: impl IntoIterator<Item = (String, String)>) -> Vec<ImageRecord> {
        let mut images: Vec<ImageRecord> = Vec::new();
        for (url, alt) in found {
            let start = url.get(..8).unwrap_or_default().to_ascii_lowercase();
            if !(start.starts_with("https://") || start.starts_with("http://")) || url.len() > MAX_URL {
                self.note("images that are no address of the web", 1);
            } else if images.iter().any(|image| image.url == url) {
                // The main image stands in the gallery again.
            } else if images.len() == MAX_IMAGES {
                self.note("images behind a product's 50th", 1);
            } else {
                images.push(ImageRecord { url, alt });
            }
        }
        images
    }
}

/// Opens a file. It is copied to a temporary file without a name, so that it may be a pipe.
/// # Errors
/// User errors for an empty file, a wrong header, and more products with variants than memory should hold.
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
        if line.rejection.is_none() {
            parser.scan(&line);
        }
        if parser.retained_bytes() > MAX_RETAINED_BYTES {
            let rule = format!(
                "the products with variants have more than {} MB of text: split the file",
                MAX_RETAINED_BYTES >> 20
            );
            return Err(Error::bad_input("file", rule));
        }
    }
    parser.finish_scan();
    Ok(ProductRows { reader: from_start()?, parser, out: Output::default(), at_end: false })
}

/// The fields of a line that its variants may bring along when they are rejected.
fn parent_fields(line: &Line) -> Option<ByteRecord> {
    (line.fields.as_slice().len() <= MAX_PARENT_BYTES).then(|| line.fields.clone())
}

fn parser(shop: Shop, header: &Header, options: &Options) -> Result<Box<dyn ShopParser>> {
    Ok(match shop {
        Shop::Shopify => Box::new(shopify::Shopify::new(header, options)?),
        Shop::WooCommerce => Box::new(woocommerce::WooCommerce::new(header, options)?),
        Shop::Magento => Box::new(magento::Magento::new(header, options)?),
    })
}

impl ProductRows {
    /// The names of the columns, as the file has them.
    pub fn header(&self) -> &[String] {
        self.reader.header().names()
    }

    /// What separates the columns.
    pub fn delimiter(&self) -> u8 {
        self.reader.delimiter()
    }

    /// What is not taken over.
    pub fn notes(&self) -> Notes {
        self.out.notes.clone()
    }

    fn next_row(&mut self) -> Result<Option<Row<ProductRecord>>> {
        while self.out.rows.is_empty() && !self.at_end {
            match self.reader.next_line()? {
                Some(Line { line, fields, rejection: Some(rejection) }) => {
                    self.out.push(line, vec![fields], Err(rejection))
                }
                Some(line) => self.parser.parse(line, &mut self.out),
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
    /// A row, refused or not; an error where the file cannot be read any further.
    type Item = Result<Row<ProductRecord>>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_row().transpose()
    }
}
