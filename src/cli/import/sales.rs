//! `souk import sales`: past invoices.
//! Rule: every column has a default name; only description, customer and country may be absent from the file.

use std::path::PathBuf;

use clap::Args;

use super::{open_input, print_rejects_path, rejects_path, write_report};
use crate::{
    db::Db,
    error::Result,
    transfers::sales::{
        actions::import_sales,
        model::{Columns, NON_PRODUCTS, SalesOptions, WebsiteOptions},
    },
};

/// What messages call the rows of a sales file.
const ROW_LABEL: &str = "lines";

/// Import the invoices of a shop from a CSV file: products, customers and past orders. Running it again, after a crash or
/// with a longer file, adds what is missing and nothing twice.
#[derive(Debug, Clone, Args)]
pub struct ImportSalesArgs {
    /// The file; `-` is standard input.
    pub file: PathBuf,

    /// The code of the website whose sales they are; it is made where it is missing.
    #[arg(long, value_name = "CODE")]
    pub website: String,

    /// The website's name (its code for a new one).
    #[arg(long)]
    pub name: Option<String>,

    /// Where the shop is (`https://CODE.example` for a new website).
    #[arg(long, value_name = "URL")]
    pub base_url: Option<String>,

    /// The currency of the file, ISO 4217 (GBP for a new website; that of an old one never changes).
    #[arg(long, value_name = "CODE")]
    pub currency: Option<String>,

    /// What separates the columns: one character, or `tab`.
    #[arg(long, default_value = ",", value_parser = parse_delimiter, value_name = "CHAR")]
    pub delimiter: u8,

    /// Numbers are written 1,50 rather than 1.50.
    #[arg(long)]
    pub decimal_comma: bool,

    /// How dates are written, such as `%d/%m/%Y %H:%M`; ISO 8601 without. Dates without a zone are UTC.
    #[arg(long, value_name = "FORMAT")]
    pub date_format: Option<String>,

    /// The column of the invoice's number.
    #[arg(long, default_value = "InvoiceNo", value_name = "NAME")]
    pub invoice_column: String,

    /// The column of the product's code.
    #[arg(long, default_value = "StockCode", value_name = "NAME")]
    pub sku_column: String,

    /// The column of the line's text; '' where there is none.
    #[arg(long, default_value = "Description", value_name = "NAME")]
    pub description_column: String,

    /// The column of the pieces.
    #[arg(long, default_value = "Quantity", value_name = "NAME")]
    pub quantity_column: String,

    /// The column of the date.
    #[arg(long, default_value = "InvoiceDate", value_name = "NAME")]
    pub date_column: String,

    /// The column of the price of one piece.
    #[arg(long, default_value = "UnitPrice", value_name = "NAME")]
    pub price_column: String,

    /// The column of the customer's number; '' where there is none.
    #[arg(long, default_value = "CustomerID", value_name = "NAME")]
    pub customer_column: String,

    /// The column of the country; '' where there is none.
    #[arg(long, default_value = "Country", value_name = "NAME")]
    pub country_column: String,

    /// What the numbers of cancellations begin with, before a digit; '' where there are none.
    #[arg(long, default_value = "C", value_name = "TEXT")]
    pub cancellation_prefix: String,

    /// Codes that stand for no product (postage, fees), with commas between; an ending `*` stands for anything.
    #[arg(long, default_value = NON_PRODUCTS, value_name = "CODES")]
    pub non_products: String,

    /// Pieces in stock that a new product begins with.
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub opening_stock: i32,

    /// Leave names and prices of products that were there before.
    #[arg(long)]
    pub keep_products: bool,

    /// Lines in one transaction.
    #[arg(long, default_value_t = 5_000, value_name = "N")]
    pub batch: usize,

    /// Where rejected lines go (FILE.rejects.csv, or rejects.csv in the current folder for standard input); an older file is
    /// replaced.
    #[arg(long, value_name = "FILE")]
    pub rejects: Option<PathBuf>,

    /// Where the report goes as JSON, beside the table on standard output.
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
}

/// Runs `souk import sales`.
/// # Errors
/// User errors (wrong options, header, website, or no such file); those of files and database.
pub(super) async fn import(args: ImportSalesArgs, db: &Db) -> Result<()> {
    let rejects = rejects_path(&args.file, args.rejects.clone(), "csv", ROW_LABEL)?;
    let report_file = args.report.clone();
    let (input, bar) = open_input(&args.file)?;
    let result = import_sales(db, &to_options(args), bar.wrap_read(input), &rejects).await;
    bar.finish_and_clear();
    let report = result?;
    print_line!("{}", report.to_string().trim_end());
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
        _ => Err("give one ASCII character, or tab".into()),
    }
}
