//! `souk import products|categories|customers|orders|stock`.
//! Rule: importing a regular file again resumes an interrupted run of the same file; standard input starts over.

use std::path::{Path, PathBuf};

use clap::Args;

use super::{
    super::export::parse_format, check_not_input, is_stdin, open_input, print_ignored_columns, print_rejects_path,
    rejects_path, write_report,
};
use crate::{
    db::Db,
    error::{Error, Result},
    storage::received::sha256,
    transfers::{
        formats::{self, amounts::DecimalSeparator, decode::Encoding},
        import::{self, Input},
        model::{Format, ImportOptions, MatchBy, Missing, ProductRules, Report, Resource},
        rejection_summary::{RejectionSummary, RowError},
    },
};

/// The label of a file's rows in messages.
const ROW_LABEL: &str = "rows";

/// Import a file. It can be run again, after a crash or with a longer file: only differences are written.
#[derive(Debug, Clone, Args)]
pub struct ImportFileArgs {
    /// Input file; `-` for standard input.
    pub file: PathBuf,

    /// Code of the website that the file belongs to; it must exist. Categories are shared by all websites; for them it
    /// selects the website of the external ids.
    #[arg(long, value_name = "CODE")]
    pub website: String,

    /// File format: souk-csv, souk-jsonl, shopify, woocommerce or magento.
    #[arg(long, default_value = "souk-csv", value_parser = parse_format)]
    pub format: Format,

    /// Report what the import would do, without writing anything.
    #[arg(long)]
    pub dry_run: bool,

    /// Encoding of another shop system's file: unicode (UTF-8, or UTF-16 with a byte order mark) or windows-1252.
    #[arg(long, default_value = "unicode", value_parser = parse_encoding)]
    pub encoding: Encoding,

    /// Decimal separator of another shop system's file if its prices are ambiguous: point (1,234.56) or comma
    /// (1.234,56).
    #[arg(long, value_parser = parse_decimals)]
    pub decimals: Option<DecimalSeparator>,

    /// Prefix for image URLs without a host, such as https://shop.example/media/catalog/product for Magento.
    #[arg(long, value_name = "URL")]
    pub image_base_url: Option<String>,

    /// How the product of a row is found: external-id (by SKU only if the row or the product has no external id) or sku (by
    /// SKU also if the product has another external id). Only for products.
    #[arg(long = "match", value_name = "BY", default_value = "external-id", value_parser = parse_match)]
    pub match_by: MatchBy,

    /// What happens to active products of earlier imports of the website that the file does not contain: keep or
    /// deactivate. Only for products, and for files that contain all of them.
    #[arg(long, value_name = "ACTION", default_value = "keep", value_parser = parse_missing)]
    pub missing: Missing,

    /// Rows per transaction.
    #[arg(long, default_value_t = 2_000, value_name = "N")]
    pub batch: usize,

    /// File for rejected rows (default: FILE.rejects.csv, or rejects.csv in the current directory for standard input;
    /// .jsonl for souk-jsonl). An existing file is replaced.
    #[arg(long, value_name = "FILE")]
    pub rejects: Option<PathBuf>,

    /// File for the report as JSON, in addition to the table on standard output.
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
}

fn parse_encoding(text: &str) -> std::result::Result<Encoding, String> {
    match text {
        "unicode" => Ok(Encoding::Unicode),
        "windows-1252" => Ok(Encoding::Windows1252),
        _ => Err("must be unicode or windows-1252".into()),
    }
}

fn parse_decimals(text: &str) -> std::result::Result<DecimalSeparator, String> {
    match text {
        "point" => Ok(DecimalSeparator::Point),
        "comma" => Ok(DecimalSeparator::Comma),
        _ => Err("must be point or comma".into()),
    }
}

fn parse_match(text: &str) -> std::result::Result<MatchBy, String> {
    let found = MatchBy::ALL.iter().copied().find(|by| by.as_str() == text);
    found.ok_or_else(|| "must be external-id or sku".into())
}

fn parse_missing(text: &str) -> std::result::Result<Missing, String> {
    let found = Missing::ALL.iter().copied().find(|missing| missing.as_str() == text);
    found.ok_or_else(|| "must be keep or deactivate".into())
}

/// Runs an import.
/// # Errors
/// User errors (invalid options or header, unknown website, missing file); file and database errors.
pub(super) async fn import(resource: Resource, args: ImportFileArgs, db: &Db) -> Result<()> {
    let rejects = rejects_path(&args.file, args.rejects, args.format.extension(), ROW_LABEL)?;
    check_not_input(&args.file, args.report.as_deref(), "report")?;
    let (input, bar) = open_input(&args.file)?;
    let hash = if is_stdin(&args.file) { None } else { Some(hash_file(&args.file)?) };
    let rules = ProductRules { match_by: args.match_by, missing: args.missing };
    let options = ImportOptions {
        rules,
        resource,
        format: args.format,
        website: args.website,
        is_dry_run: args.dry_run,
        batch: args.batch,
        user: None,
        customer_websites: None,
        keeps_catalog: false,
        shop_options: formats::Options {
            encoding: args.encoding,
            decimal_separator: args.decimals,
            image_base_url: args.image_base_url,
            ..formats::Options::default()
        },
    };
    let input = Input { bytes: Box::new(bar.wrap_read(input)), hash };
    let result = import::import(db, &options, input, &rejects, |_| ()).await;
    bar.finish_and_clear();
    let report = result?;
    print_report(&report, rules.missing, args.dry_run);
    print_rejects_path(report.counts.rejected, &rejects, ROW_LABEL);
    write_report(args.report.as_deref(), &report)
}

/// Maximum number of printed reasons of rejections. All rejected rows are in their file.
const MAX_SHOWN_REASONS: usize = 10;

fn print_report(report: &Report, missing: Missing, is_dry_run: bool) {
    let counts = report.counts;
    for (name, count) in [
        ("read", counts.read),
        ("created", counts.created),
        ("updated", counts.updated),
        ("unchanged", counts.unchanged),
        ("rejected", counts.rejected),
    ] {
        print_line!("{name:<10} {count:>10}");
    }
    for (note, count) in &report.notes {
        print_line!("{count:>21}  {note}");
    }
    print_ignored_columns(&report.ignored_columns);
    if let Some(count @ 1..) = report.missing {
        let action = match (missing, is_dry_run) {
            (Missing::Keep, _) => "kept active",
            (Missing::Deactivate, false) => "deactivated",
            (Missing::Deactivate, true) => "to be deactivated",
        };
        print_line!("{count:>21}  active products of earlier imports that are not in the file: {action}");
    }
    for RejectionSummary { column, message, count, examples } in report.rejections.iter().take(MAX_SHOWN_REASONS) {
        let column = column.as_ref().map_or_else(String::new, |column| format!("{column}: "));
        match (count, examples.as_slice()) {
            (1, [RowError { line, .. }]) => print_line!("line {line}: {column}{message}"),
            _ => {
                let lines: Vec<String> = examples.iter().map(|example| example.line.to_string()).collect();
                print_line!(
                    "{count} rows: {column}{message} (lines {}{})",
                    lines.join(", "),
                    more(*count, examples.len())
                );
            }
        }
    }
    if report.rejections.len() > MAX_SHOWN_REASONS {
        print_line!(
            "{} more reasons are in the file of the rejected rows",
            report.rejections.len() - MAX_SHOWN_REASONS
        );
    }
}

/// Returns the end of a list of examples that is shorter than what it is about.
fn more(count: u64, shown: usize) -> &'static str {
    if count > shown as u64 { ", …" } else { "" }
}

fn hash_file(file: &Path) -> Result<Vec<u8>> {
    let hash = sha256(file).map_err(|error| Error::bad_input("file", format!("{}: {error}", file.display())))?;
    Ok(hash.to_vec())
}
