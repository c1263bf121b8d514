//! A file as rows of its noun, read on a thread of its own so that the database never waits for it.

use std::{collections::BTreeMap, io::Read};

use tokio::sync::{mpsc, oneshot};

use super::{
    super::{
        formats::{self, Notes, Shop},
        model::{Format, ImportOptions, Noun},
        own::{
            fields::Fields,
            read::{CsvRows, JsonRows},
            rows,
        },
        record::{ProductRecord, Record, Refused, Row},
    },
    rejects::Layout,
};
use crate::error::{Error, Result};

/// The rows of a file.
type Rows = Box<dyn Iterator<Item = Result<Row<Record>>> + Send>;

/// Rows that are written together.
pub struct Batch {
    /// None at the end of the file.
    pub rows: Vec<Row<Record>>,
    /// What was seen up to here and is not taken over, and how often.
    pub notes: BTreeMap<String, u64>,
}

/// Batches that are read ahead.
const AHEAD: usize = 2;

/// A file that is being read.
pub struct Source {
    /// How its rejects are written.
    pub layout: Layout,
    batches: mpsc::Receiver<Result<Batch>>,
}

impl Source {
    /// Reads the header and begins to read rows.
    /// # Errors
    /// User errors for a wrong header and for a format that the noun does not have.
    pub async fn open(input: Box<dyn Read + Send>, options: &ImportOptions) -> Result<Self> {
        let options = options.clone();
        let (tell, told) = oneshot::channel();
        let (send, batches) = mpsc::channel(AHEAD);
        tokio::task::spawn_blocking(move || match open(input, &options) {
            Err(error) => drop(tell.send(Err(error))),
            Ok((layout, mut rows, notes)) => {
                let _ = tell.send(Ok(layout));
                loop {
                    let next: Result<Vec<_>> = rows.by_ref().take(options.batch).collect();
                    let is_last = !next.as_ref().is_ok_and(|rows| !rows.is_empty());
                    let next = next.map(|rows| Batch { rows, notes: notes.so_far() });
                    if send.blocking_send(next).is_err() || is_last {
                        break;
                    }
                }
            }
        });
        let layout = told.await.map_err(|_| Error::Internal("the reader of the file panicked".into()))??;
        Ok(Self { layout, batches })
    }

    /// The next rows.
    /// # Errors
    /// Where the file cannot be read any further.
    pub async fn next_batch(&mut self) -> Result<Batch> {
        self.batches.recv().await.unwrap_or_else(|| Err(Error::Internal("the reader of the file panicked".into())))
    }
}

fn open(input: Box<dyn Read + Send>, options: &ImportOptions) -> Result<(Layout, Rows, Notes)> {
    let (noun, format) = (options.noun, options.format);
    let read: fn(Fields) -> Result<Record, Refused> = match noun {
        Noun::Products => |fields| rows::product(fields).map(|product| Record::Product(Box::new(product))),
        Noun::Stock => |fields| rows::stock(fields).map(|product| Record::Product(Box::new(product))),
        Noun::Categories => |fields| rows::category(fields).map(Record::Category),
        Noun::Customers => |fields| rows::customer(fields).map(Record::Customer),
        Noun::Orders => |fields| rows::order(fields).map(Record::Order),
        _ => return Err(Error::bad_input("noun", format!("{} are not imported", noun.as_str()))),
    };
    match format {
        Format::SoukCsv => {
            let rows = CsvRows::open(input, noun, options.shop.encoding)?;
            let layout = Layout::Csv { header: rows.header().to_vec(), delimiter: rows.delimiter() };
            Ok((layout, Box::new(rows.map(move |row| row.map(|row| row.and_then(read)))), Notes::default()))
        }
        Format::SoukJsonl => {
            let rows = JsonRows::open(input, noun, options.shop.encoding);
            Ok((Layout::Lines, Box::new(rows.map(move |row| row.map(|row| row.and_then(read)))), Notes::default()))
        }
        Format::Shopify => shop(Shop::Shopify, input, options),
        Format::WooCommerce => shop(Shop::WooCommerce, input, options),
        Format::Magento => shop(Shop::Magento, input, options),
    }
}

/// The products of another shop's file, or of each only its pieces.
/// # Errors
/// User errors for other nouns and a wrong header.
fn shop(shop: Shop, input: Box<dyn Read + Send>, options: &ImportOptions) -> Result<(Layout, Rows, Notes)> {
    if !matches!(options.noun, Noun::Products | Noun::Stock) {
        return Err(Error::bad_input("format", "files of other shops hold products and their stock"));
    }
    let products = formats::open(shop, input, &options.shop)?;
    let layout = Layout::Csv { header: products.header().to_vec(), delimiter: products.delimiter() };
    let notes = products.notes();
    let read: fn(ProductRecord) -> ProductRecord = match options.noun {
        Noun::Stock => |product| ProductRecord { sku: product.sku, stock: product.stock, ..ProductRecord::default() },
        _ => |product| product,
    };
    let read = move |product| Ok(Record::Product(Box::new(read(product))));
    Ok((layout, Box::new(products.map(move |row| row.map(|row| row.and_then(read)))), notes))
}
