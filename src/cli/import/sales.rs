//! `souk import sales`: imports past invoices.
//! Rule: every column has a default name; only description, customer and country may be missing in the file.

use std::path::PathBuf;

use clap::Args;

use super::{open_input, print_ignored_columns, print_rejects_path, rejects_path, write_report};
use crate::{
    db::Db,
    error::Result,
    transfers::sales::{
        actions::import_sales,
        model::{Columns, NON_PRODUCTS, SalesOptions, WebsiteOptions},
    },
};

/// The label of a sales file's rows in messages.
const ROW_LABEL: &str = "lines";

/// Import the invoices of a shop from a CSV file: products, customers and past orders. It can be run again, after a
/// crash or with a longer file: only what is missing is added.
#[derive(Debug, Clone, Args)]
pub struct ImportSalesArgs {
    /// Input file; `-` for standard input.
    pub file: PathBuf,

    /// Code of the website that the sales belong to. The website is created if it does not exist.
    #[arg(long, value_name = "CODE")]
    pub website: String,

    /// Name of the website (default for a new website: its code).
    #[arg(long)]
    pub name: Option<String>,

    /// URL of the shop (default for a new website: `https://CODE.example`).
    #[arg(long, value_name = "URL")]
    pub base_url: Option<String>,

    /// Currency of the file, ISO 4217 (default for a new website: GBP). The currency of an existing website cannot
    /// change.
    #[arg(long, value_name = "CODE")]
    pub currency: Option<String>,

    /// Column separator: one ASCII character, or `tab`.
    #[arg(long, default_value = ",", value_parser = parse_delimiter, value_name = "CHAR")]
    pub delimiter: u8,

    /// Numbers use a decimal comma (1,50 instead of 1.50).
    #[arg(long)]
    pub decimal_comma: bool,

    /// Date format, such as `%d/%m/%Y %H:%M` (default: ISO 8601). Dates without a time zone are UTC.
    #[arg(long, value_name = "FORMAT")]
    pub date_format: Option<String>,

    /// Column of the invoice number.
    #[arg(long, default_value = "InvoiceNo", value_name = "NAME")]
    pub invoice_column: String,

    /// Column of the product code (SKU).
    #[arg(long, default_value = "StockCode", value_name = "NAME")]
    pub sku_column: String,

    /// Column of the line's description; '' if there is none.
    #[arg(long, default_value = "Description", value_name = "NAME")]
    pub description_column: String,

    /// Column of the quantity.
    #[arg(long, default_value = "Quantity", value_name = "NAME")]
    pub quantity_column: String,

    /// Column of the invoice date.
    #[arg(long, default_value = "InvoiceDate", value_name = "NAME")]
    pub date_column: String,

    /// Column of the unit price.
    #[arg(long, default_value = "UnitPrice", value_name = "NAME")]
    pub price_column: String,

    /// Column of the customer number; '' if there is none.
    #[arg(long, default_value = "CustomerID", value_name = "NAME")]
    pub customer_column: String,

    /// Column of the country; '' if there is none.
    #[arg(long, default_value = "Country", value_name = "NAME")]
    pub country_column: String,

    /// Prefix of the invoice numbers of cancellations, followed by a digit; '' if there are none.
    #[arg(long, default_value = "C", value_name = "TEXT")]
    pub cancellation_prefix: String,

    /// Codes that are not products (postage, fees), separated by commas. A trailing `*` matches any ending.
    #[arg(long, default_value = NON_PRODUCTS, value_name = "CODES")]
    pub non_products: String,

    /// Initial stock of new products.
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub opening_stock: i32,

    /// Do not change names and prices of existing products.
    #[arg(long)]
    pub keep_products: bool,

    /// Lines per transaction.
    #[arg(long, default_value_t = 5_000, value_name = "N")]
    pub batch: usize,

    /// File for rejected lines (default: FILE.rejects.csv, or rejects.csv in the current directory for standard input).
    /// An existing file is replaced.
    #[arg(long, value_name = "FILE")]
    pub rejects: Option<PathBuf>,

    /// File for the report as JSON, in addition to the table on standard output.
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
}

/// Runs `souk import sales`.
/// # Errors
/// User errors (invalid options or header, unknown website, missing file); file and database errors.
pub(super) async fn import(args: ImportSalesArgs, db: &Db) -> Result<()> {
    let rejects = rejects_path(&args.file, args.rejects.clone(), "csv", ROW_LABEL)?;
    let report_file = args.report.clone();
    let (input, bar) = open_input(&args.file)?;
    let result = import_sales(db, &to_options(args), bar.wrap_read(input), &rejects).await;
    bar.finish_and_clear();
    let report = result?;
    print_line!("{}", report.to_string().trim_end());
    print_ignored_columns(&report.ignored_columns);
    print_rejects_path(report.lines.rejected, &rejects, ROW_LABEL);
    write_report(report_file.as_deref(), &report)
}

fn to_options(args: ImportSalesArgs) -> SalesOptions {
    let codes = args.non_products.split(',').map(|code| code.trim().to_ascii_uppercase());
    SalesOptions {
        website: WebsiteOptions {
            code: args.website,
            name: args.name,
            base_url: args.base_url,
            currency: args.currency,
        },
        columns: Columns {
            invoice: args.invoice_column,
            sku: args.sku_column,
            description: args.description_column,
            quantity: args.quantity_column,
            date: args.date_column,
            price: args.price_column,
            customer: args.customer_column,
            country: args.country_column,
        },
        delimiter: args.delimiter,
        decimal_comma: args.decimal_comma,
        date_format: args.date_format,
        cancellation_prefix: args.cancellation_prefix,
        non_products: codes.filter(|code| !code.is_empty()).collect(),
        opening_stock: args.opening_stock,
        keep_products: args.keep_products,
        batch: args.batch,
    }
}

fn parse_delimiter(text: &str) -> std::result::Result<u8, String> {
    match text.as_bytes() {
        b"tab" | b"\\t" => Ok(b'\t'),
        [byte] if byte.is_ascii() && !b"\"\r\n".contains(byte) => Ok(*byte),
        _ => Err("must be one ASCII character, or tab".into()),
    }
}
