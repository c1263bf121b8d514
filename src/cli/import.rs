//! `souk import sales`: past invoices.
//! Rule: progress goes to standard error, the report to standard output, and what is rejected to a file.

use std::{
    fs::{self, File},
    io::{self, IsTerminal, Read},
    path::{Path, PathBuf},
    time::Duration,
};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::{Outcome, database::Database};
use crate::{
    config::Settings,
    db::{Db, migrations},
    error::{Error, Result},
    transfers::sales::{
        actions::import_sales,
        model::{Columns, NON_PRODUCTS, SalesOptions, WebsiteOptions},
    },
};

/// Import the invoices of a shop from a CSV file: products, customers and past orders. Running it again, after a crash or
/// with a longer file, adds what is missing and nothing twice.
#[derive(Debug, Clone, Args)]
pub struct ImportSales {
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
    #[arg(long, default_value = ",", value_parser = delimiter, value_name = "CHAR")]
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

/// Opens the database and runs `souk import sales`.
pub(super) async fn run(settings: &Settings, args: ImportSales) -> Outcome {
    let database = Database::open(settings).await?;
    let done = async {
        migrations::migrate(&database.url).await?;
        sales(args, &Db::connect(&database.url, &settings.db()).await?).await
    }
    .await;
    database.close().await;
    Ok(done?)
}

/// Runs `souk import sales`.
/// # Errors
/// User errors (wrong options, header, website, or no such file); those of files and database.
pub async fn sales(args: ImportSales, db: &Db) -> Result<()> {
    let from_stdin = args.file == Path::new("-");
    let rejects = args.rejects.clone().unwrap_or_else(|| match from_stdin {
        true => PathBuf::from("rejects.csv"),
        false => suffixed(&args.file, ".rejects.csv"),
    });
    if !from_stdin && same_file(&args.file, &rejects) {
        return Err(Error::bad_input("rejects", "rejected lines cannot go to the file that is read"));
    }
    let report_file = args.report.clone();
    let (input, bar) = open(&args.file, from_stdin)?;
    bar.enable_steady_tick(Duration::from_millis(200));
    let done = import_sales(db, &options(args), bar.wrap_read(input), rejects.clone()).await;
    bar.finish_and_clear();
    let report = done?;
    say!("{}", report.to_string().trim_end());
    if report.lines.rejected > 0 {
        say!("The rejected lines are in {}: put them right and import that file.", rejects.display());
    }
    if let Some(path) = report_file {
        let json =
            serde_json::to_string_pretty(&report).map_err(|error| Error::Internal(format!("report: {error}")))?;
        fs::write(&path, json + "\n").map_err(|error| Error::Internal(format!("{}: {error}", path.display())))?;
    }
    Ok(())
}

fn options(args: ImportSales) -> SalesOptions {
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

fn delimiter(text: &str) -> std::result::Result<u8, String> {
    match text.as_bytes() {
        b"tab" | b"\\t" => Ok(b'\t'),
        [byte] if byte.is_ascii() && !b"\"\r\n".contains(byte) => Ok(*byte),
        _ => Err("give one ASCII character, or tab".into()),
    }
}

pub(super) fn open(file: &Path, from_stdin: bool) -> Result<(Box<dyn Read + Send>, ProgressBar)> {
    let style = |template| ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    if from_stdin {
        let bar = hidden_unless_watched(ProgressBar::new_spinner());
        return Ok((Box::new(io::stdin()), bar.with_style(style("{spinner} {bytes} {bytes_per_sec} {elapsed}"))));
    }
    let wrong = |error: io::Error| Error::bad_input("file", format!("{}: {error}", file.display()));
    let input = File::open(file).map_err(wrong)?;
    let bar = hidden_unless_watched(ProgressBar::new(input.metadata().map_err(wrong)?.len()));
    Ok((Box::new(input), bar.with_style(style("{wide_bar} {percent}% {bytes}/{total_bytes} {elapsed}, {eta} left"))))
}

pub(super) fn hidden_unless_watched(bar: ProgressBar) -> ProgressBar {
    if io::stderr().is_terminal() { bar } else { ProgressBar::hidden() }
}

pub(super) fn suffixed(file: &Path, suffix: &str) -> PathBuf {
    let mut path = file.as_os_str().to_owned();
    path.push(suffix);
    path.into()
}

pub(super) fn same_file(a: &Path, b: &Path) -> bool {
    matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}
