//! A file as rows of its noun, whatever its format.

use std::{collections::BTreeMap, io::Read};

use super::super::{
    formats::{self, Notes, Shop},
    model::{Format, ImportOptions, Noun},
    own::{
        fields::Fields,
        read::{CsvRows, JsonRows},
        rows,
    },
    read_ahead::{Batch, ReadAhead},
    record::{ProductRecord, Record, Refused, Row},
    rejects::Layout,
};
use crate::error::{Error, Result};

/// The rows of a file.
type Rows = Box<dyn Iterator<Item = Result<Row<Record>>> + Send>;

/// Rows that are written together.
pub struct RowBatch {
    /// None at the end of the file.
    pub rows: Vec<Row<Record>>,
    /// What was seen so far and is not imported, and how often.
    pub notes: BTreeMap<String, u64>,
}

impl Batch for RowBatch {
    fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

/// Reads the header of a file and begins to read its rows; also returns how its rejected rows are written.
/// # Errors
/// User errors for a wrong header and for a format that the noun does not have.
pub async fn read(input: Box<dyn Read + Send>, options: &ImportOptions) -> Result<(Layout, ReadAhead<RowBatch>)> {
    let options = options.clone();
    ReadAhead::open(move || {
        let (layout, mut rows, notes) = open(input, &options)?;
        let next = move || {
            let rows: Vec<_> = rows.by_ref().take(options.batch).collect::<Result<_>>()?;
            Ok(RowBatch { rows, notes: notes.so_far() })
        };
        Ok((layout, next))
    })
    .await
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
            let layout =
                Layout::Csv { header: rows.header().to_vec(), delimiter: rows.delimiter(), keeps_surplus: false };
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
    let layout =
        Layout::Csv { header: products.header().to_vec(), delimiter: products.delimiter(), keeps_surplus: false };
    let notes = products.notes();
    let read: fn(ProductRecord) -> ProductRecord = match options.noun {
        Noun::Stock => |product| ProductRecord { sku: product.sku, stock: product.stock, ..ProductRecord::default() },
        _ => |product| product,
    };
    let read = move |product| Ok(Record::Product(Box::new(read(product))));
    Ok((layout, Box::new(products.map(move |row| row.map(|row| row.and_then(read)))), notes))
}
