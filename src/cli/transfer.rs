//! `souk import products|categories|...`: files of any noun.
//! Rule: progress goes to standard error, the report to standard output.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use clap::Args;

use super::{
    Outcome,
    database::Database,
    import::{open, same_file, suffixed},
};
use crate::{
    config::Settings,
    db::{Db, migrations},
    error::{Error, Result},
    storage::received::sha256,
    transfers::{
        formats::{self, amounts::Decimals, decode::Encoding},
        import::{Input, import},
        model::{Format, ImportOptions, Noun, Report},
    },
};

/// Import a file. Running it again, after a crash or with a longer file, changes what differs and nothing else.
#[derive(Debug, Clone, Args)]
pub struct ImportFile {
    /// The file; `-` is standard input.
    pub file: PathBuf,

    /// The code of the website whose it is; it must be there. Of categories, which belong to all websites, it says whose external
    /// ids they are.
    #[arg(long, value_name = "CODE")]
    pub website: String,

    /// How it is written: souk-csv, souk-jsonl, shopify, woocommerce or magento.
    #[arg(long, default_value = "souk-csv", value_parser = format)]
    pub format: Format,

    /// Tell what would become of it, and write nothing.
    #[arg(long)]
    pub dry_run: bool,

    /// The encoding of another shop's file: unicode (UTF-8, or UTF-16 with a byte order mark) or windows-1252.
    #[arg(long, default_value = "unicode", value_parser = encoding)]
    pub encoding: Encoding,

    /// How another shop's file writes amounts where its prices do not tell: point (1,234.56) or comma (1.234,56).
    #[arg(long, value_parser = decimals)]
    pub decimals: Option<Decimals>,

    /// What stands before addresses of images that name no server: https://shop.example/media/catalog/product for Magento.
    #[arg(long, value_name = "URL")]
    pub image_base: Option<String>,

    /// Rows in one transaction.
    #[arg(long, default_value_t = 2_000, value_name = "N")]
    pub batch: usize,

    /// Where rejected rows go (FILE.rejects.csv, or rejects.csv in the current folder for standard input; .jsonl for
    /// souk-jsonl); an older file is replaced.
    #[arg(long, value_name = "FILE")]
    pub rejects: Option<PathBuf>,

    /// Where the report goes as JSON, beside the table on standard output.
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
}

pub(super) fn format(text: &str) -> std::result::Result<Format, String> {
    let known = || Format::ALL.iter().map(|format| format.as_str()).collect::<Vec<_>>().join(", ");
    Format::ALL
        .iter()
        .copied()
        .find(|format| format.as_str() == text)
        .ok_or_else(|| format!("give one of: {}", known()))
}

fn encoding(text: &str) -> std::result::Result<Encoding, String> {
    match text {
        "unicode" => Ok(Encoding::Unicode),
        "windows-1252" => Ok(Encoding::Windows1252),
        _ => Err("give unicode or windows-1252".into()),
    }
}

fn decimals(text: &str) -> std::result::Result<Decimals, String> {
    match text {
        "point" => Ok(Decimals::Point),
        "comma" => Ok(Decimals::Comma),
        _ => Err("give point or comma".into()),
    }
}

/// Opens the database and runs an import.
pub(super) async fn run_import(settings: &Settings, noun: Noun, args: ImportFile) -> Outcome {
    let database = Database::open(settings).await?;
    let done = async {
        migrations::migrate(&database.url).await?;
        import_file(noun, args, &Db::connect(&database.url, &settings.db()).await?).await
    }
    .await;
    database.close().await;
    Ok(done?)
}

async fn import_file(noun: Noun, args: ImportFile, db: &Db) -> Result<()> {
    let from_stdin = args.file == Path::new("-");
    let suffix = format!(".rejects.{}", args.format.extension());
    let rejects = args.rejects.clone().unwrap_or_else(|| match from_stdin {
        true => PathBuf::from(&suffix[1..]),
        false => suffixed(&args.file, &suffix),
    });
    if !from_stdin && same_file(&args.file, &rejects) {
        return Err(Error::bad_input("rejects", "rejected rows cannot go to the file that is read"));
    }
    let (input, bar) = open(&args.file, from_stdin)?;
    let hash = if from_stdin { None } else { Some(hash(&args.file)?) };
    bar.enable_steady_tick(Duration::from_millis(200));
    let options = ImportOptions {
        noun,
        format: args.format,
        website: args.website,
        is_dry_run: args.dry_run,
        batch: args.batch,
        user: None,
        shop: formats::Options {
            encoding: args.encoding,
            decimals: args.decimals,
            image_base: args.image_base,
            ..formats::Options::default()
        },
    };
    let input = Input { bytes: Box::new(bar.wrap_read(input)), hash };
    let done = import(db, &options, input, &rejects, |_| ()).await;
    bar.finish_and_clear();
    let report = done?;
    print(&report, &rejects);
    if let Some(path) = args.report {
        let json =
            serde_json::to_string_pretty(&report).map_err(|error| Error::Internal(format!("report: {error}")))?;
        fs::write(&path, json + "\n").map_err(|error| Error::Internal(format!("{}: {error}", path.display())))?;
    }
    Ok(())
}

/// Errors that are shown; the others are in the file of rejects.
const SHOWN: usize = 10;

fn print(report: &Report, rejects: &Path) {
    let counts = report.counts;
    for (name, count) in [
        ("read", counts.read),
        ("created", counts.created),
        ("updated", counts.updated),
        ("unchanged", counts.unchanged),
        ("rejected", counts.rejected),
    ] {
        say!("{name:<10} {count:>10}");
    }
    for (what, count) in &report.notes {
        say!("{count:>21}  {what}");
    }
    for error in report.errors.iter().take(SHOWN) {
        let column = error.column.as_ref().map_or_else(String::new, |column| format!("{column}: "));
        say!("line {}: {column}{}", error.line, error.message);
    }
    if counts.rejected > 0 {
        say!("The rejected rows are in {}: put them right and import that file.", rejects.display());
    }
}

fn hash(file: &Path) -> Result<Vec<u8>> {
    let hash = sha256(file).map_err(|error| Error::bad_input("file", format!("{}: {error}", file.display())))?;
    Ok(hash.to_vec())
}
