//! A file as rows of its noun, read on a thread of its own so that the database never waits for it.

use std::io::Read;

use tokio::sync::{mpsc, oneshot};

use super::{
    super::{
        formats::{self, Shop},
        model::{Format, ImportOptions, Noun},
        own::{
            fields::Fields,
            read::{CsvRows, JsonRows},
            rows,
        },
        record::{Record, Refused, Row},
    },
    rejects::Layout,
};
use crate::error::{Error, Result};

/// The rows of a file.
type Rows = Box<dyn Iterator<Item = Result<Row<Record>>> + Send>;

/// Batches that are read ahead.
const AHEAD: usize = 2;

/// A file that is being read.
pub struct Source {
    /// How its rejects are written.
    pub layout: Layout,
    batches: mpsc::Receiver<Result<Vec<Row<Record>>>>,
}

impl Source {
    /// Reads the header and begins to read rows.
    /// # Errors
    /// User errors for a wrong header and for a format that the noun does not have.
    pub async fn open(input: Box<dyn Read + Send>, options: &ImportOptions) -> Result<Self> {
        let (noun, format, batch) = (options.noun, options.format, options.batch);
        let (tell, told) = oneshot::channel();
        let (send, batches) = mpsc::channel(AHEAD);
        tokio::task::spawn_blocking(move || match open(input, noun, format) {
            Err(error) => drop(tell.send(Err(error))),
            Ok((layout, mut rows)) => {
                let _ = tell.send(Ok(layout));
                loop {
                    let next: Result<Vec<_>> = rows.by_ref().take(batch).collect();
                    let is_last = !next.as_ref().is_ok_and(|rows| !rows.is_empty());
                    if send.blocking_send(next).is_err() || is_last {
                        break;
                    }
                }
            }
        });
        let layout = told.await.map_err(|_| Error::Internal("the reader of the file panicked".into()))??;
        Ok(Self { layout, batches })
    }

    /// The next rows; none at the end of the file.
    /// # Errors
    /// Where the file cannot be read any further.
    pub async fn next_batch(&mut self) -> Result<Vec<Row<Record>>> {
        self.batches.recv().await.unwrap_or_else(|| Err(Error::Internal("the reader of the file panicked".into())))
    }
}

fn open(input: Box<dyn Read + Send>, noun: Noun, format: Format) -> Result<(Layout, Rows)> {
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
            let rows = CsvRows::open(input, noun)?;
            let layout = Layout::Csv { header: rows.header().to_vec(), delimiter: rows.delimiter() };
            Ok((layout, Box::new(rows.map(move |row| row.map(|row| row.and_then(read))))))
        }
        Format::SoukJsonl => {
            let rows = JsonRows::open(input, noun);
            Ok((Layout::Lines, Box::new(rows.map(move |row| row.map(|row| row.and_then(read))))))
        }
        Format::Shopify => shop(Shop::Shopify, input, noun),
        Format::WooCommerce => shop(Shop::WooCommerce, input, noun),
        Format::Magento => shop(Shop::Magento, input, noun),
    }
}

fn shop(shop: Shop, input: Box<dyn Read + Send>, noun: Noun) -> Result<(Layout, Rows)> {
    if noun != Noun::Products {
        return Err(Error::bad_input("format", "files of other shops hold products"));
    }
    let rows = formats::open(shop, input, &formats::Options::default())?;
    let layout = Layout::Csv { header: rows.header().to_vec(), delimiter: rows.delimiter() };
    Ok((
        layout,
        Box::new(rows.map(|row| row.map(|row| row.and_then(|product| Ok(Record::Product(Box::new(product))))))),
    ))
}
