//! Opens a file of any format and parses its rows to records.
//! Rule: the header is read first; an invalid header rejects the whole file, an invalid row only itself.

use std::io::Read;

use super::super::{
    formats::{self, Notes, Shop},
    ignored_columns::IgnoredColumns,
    model::{Format, ImportOptions, Resource},
    native::{
        fields::Fields,
        read::{CsvRows, JsonRows},
        rows,
    },
    read_ahead::{OpenFile, ReadAhead},
    record::{Columns, ProductRecord, Record, Rejection},
    rejects::Layout,
};
use crate::{
    error::{Error, Result},
    money::Currency,
};

/// Reads the header of a file with amounts in this currency and starts to read its rows; also returns the layout of its
/// rejects file.
/// # Errors
/// User errors for an invalid header and for a format that does not support the resource.
pub async fn read(
    input: Box<dyn Read + Send>,
    options: &ImportOptions,
    currency: Currency,
) -> Result<(Layout, ReadAhead<Record>)> {
    let mut options = options.clone();
    options.shop_options.digits = currency.digits();
    ReadAhead::open(options.batch, move || open(input, &options)).await
}

fn open(input: Box<dyn Read + Send>, options: &ImportOptions) -> Result<OpenFile<Record>> {
    let (resource, format) = (options.resource, options.format);
    let read: fn(Fields) -> Result<Record, Rejection> = match resource {
        Resource::Products => |fields| rows::product(fields).map(|product| Record::Product(Box::new(product))),
        Resource::Stock => |fields| rows::stock(fields).map(|product| Record::Product(Box::new(product))),
        Resource::Categories => |fields| rows::category(fields).map(Record::Category),
        Resource::Customers => |fields| rows::customer(fields).map(Record::Customer),
        Resource::Orders => |fields| rows::order(fields).map(|order| Record::Order(Box::new(order))),
        _ => return Err(Error::bad_input("resource", format!("{} cannot be imported", resource.as_str()))),
    };
    match format {
        Format::SoukCsv => {
            let rows = CsvRows::open(input, resource, options.shop_options.encoding)?;
            let (layout, columns) = (csv_layout(rows.header(), rows.delimiter()), rows.columns());
            let rows = Box::new(rows.map(move |row| row.map(|row| row.and_then(read))));
            Ok(OpenFile { layout, columns, rows, notes: Notes::default(), ignored_columns: IgnoredColumns::default() })
        }
        Format::SoukJsonl => {
            let rows = JsonRows::open(input, resource, options.shop_options.encoding);
            let rows = Box::new(rows.map(move |row| row.map(|row| row.and_then(read))));
            Ok(OpenFile {
                layout: Layout::JsonLines,
                columns: Columns::default(),
                rows,
                notes: Notes::default(),
                ignored_columns: IgnoredColumns::default(),
            })
        }
        Format::Shopify => open_shop_file(Shop::Shopify, input, options),
        Format::WooCommerce => open_shop_file(Shop::WooCommerce, input, options),
        Format::Magento => open_shop_file(Shop::Magento, input, options),
    }
}

/// Opens a product file of another shop system, to import the products or only their stock.
/// # Errors
/// User errors for other resources and for an invalid header.
fn open_shop_file(shop: Shop, input: Box<dyn Read + Send>, options: &ImportOptions) -> Result<OpenFile<Record>> {
    if !matches!(options.resource, Resource::Products | Resource::Stock) {
        return Err(Error::bad_input("format", "files of other shop systems support only products and stock"));
    }
    let products = formats::open(shop, input, &options.shop_options)?;
    let layout = csv_layout(products.header(), products.delimiter());
    let (notes, columns) = (products.notes(), products.columns());
    // An import of the stock is meant to read no other columns.
    let ignored_columns = match options.resource {
        Resource::Stock => IgnoredColumns::default(),
        _ => products.ignored_columns(),
    };
    let read: fn(ProductRecord) -> ProductRecord = match options.resource {
        Resource::Stock => |product| ProductRecord {
            sku: product.sku,
            stock: product.stock,
            inventory_policy: product.inventory_policy,
            backorders: product.backorders,
            ..ProductRecord::default()
        },
        _ => |product| product,
    };
    let read = move |product| Ok(Record::Product(Box::new(read(product))));
    let rows = Box::new(products.map(move |row| row.map(|row| row.and_then(read))));
    Ok(OpenFile { layout, columns, rows, notes, ignored_columns })
}

fn csv_layout(header: &[String], delimiter: u8) -> Layout {
    Layout::Csv { header: header.to_vec(), delimiter, keeps_extra_fields: false }
}
