//! `souk import`: imports files of products, categories, customers, orders, stock and sales.
//! Rule: progress goes to standard error, the report to standard output, and rejected rows to a file.

mod rows;
mod sales;

use std::{
    fs::{self, File},
    io::{self, IsTerminal, Read},
    path::{Path, PathBuf},
    time::Duration,
};

use clap::Subcommand;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use self::{rows::ImportFileArgs, sales::ImportSalesArgs};
use super::{CommandResult, database::with_database, with_suffix};
use crate::{
    config::Settings,
    error::{Error, Result},
    transfers::{ignored_columns::IgnoredColumn, model::Resource},
};

#[derive(Subcommand)]
pub(super) enum ImportCommand {
    /// Import past invoices: products, customers and orders. Running it again creates no duplicates.
    Sales(Box<ImportSalesArgs>),
    /// Import products, and the categories, brands, suppliers and groups that they refer to.
    Products(ImportFileArgs),
    /// Import the category tree.
    Categories(ImportFileArgs),
    /// Import customers and their addresses, without passwords.
    Customers(ImportFileArgs),
    /// Import past orders. Stock is not changed.
    Orders(ImportFileArgs),
    /// Set the stock of existing products.
    Stock(ImportFileArgs),
}

impl ImportCommand {
    /// Returns the command's name for the audit log.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Sales(_) => "import sales",
            Self::Products(_) => "import products",
            Self::Categories(_) => "import categories",
            Self::Customers(_) => "import customers",
            Self::Orders(_) => "import orders",
            Self::Stock(_) => "import stock",
        }
    }

    /// Opens the database and runs the import.
    pub(super) async fn run(self, settings: &Settings) -> CommandResult {
        let (resource, file) = match self {
            Self::Sales(args) => return with_database(settings, async |db| sales::import(*args, &db).await).await,
            Self::Products(file) => (Resource::Products, file),
            Self::Categories(file) => (Resource::Categories, file),
            Self::Customers(file) => (Resource::Customers, file),
            Self::Orders(file) => (Resource::Orders, file),
            Self::Stock(file) => (Resource::Stock, file),
        };
        with_database(settings, async |db| rows::import(resource, file, &db).await).await
    }
}

fn is_stdin(file: &Path) -> bool {
    file == Path::new("-")
}

/// Returns the file for rejected rows: the given one, or one next to the input file. `row_label` is what messages call
/// the rows.
/// # Errors
/// A user error if it is the input file.
fn rejects_path(file: &Path, given: Option<PathBuf>, extension: &str, row_label: &str) -> Result<PathBuf> {
    let rejects = given.unwrap_or_else(|| match is_stdin(file) {
        true => format!("rejects.{extension}").into(),
        false => with_suffix(file, &format!(".rejects.{extension}")),
    });
    if is_input(file, &rejects) {
        return Err(Error::bad_input("rejects", format!("rejected {row_label} cannot be written to the input file")));
    }
    Ok(rejects)
}

/// Checks that a file is not the input file, which it would replace.
/// # Errors
/// A user error of this option.
fn check_not_input(file: &Path, output: Option<&Path>, option: &'static str) -> Result<()> {
    match output.is_some_and(|output| is_input(file, output)) {
        true => Err(Error::bad_input(option, "must not be the input file, which it would replace")),
        false => Ok(()),
    }
}

fn is_input(file: &Path, output: &Path) -> bool {
    !is_stdin(file) && matches!((file.canonicalize(), output.canonicalize()), (Ok(a), Ok(b)) if a == b)
}

/// Opens the input file, with a progress bar over its bytes.
/// # Errors
/// A user error if the file cannot be opened.
fn open_input(file: &Path) -> Result<(Box<dyn Read + Send>, ProgressBar)> {
    let style = |template| ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    let file_error = |error: io::Error| Error::bad_input("file", format!("{}: {error}", file.display()));
    let (input, bar): (Box<dyn Read + Send>, _) = if is_stdin(file) {
        let bar = hide_unless_terminal(ProgressBar::new_spinner());
        (Box::new(io::stdin()), bar.with_style(style("{spinner} {bytes} {bytes_per_sec} {elapsed}")))
    } else {
        let input = File::open(file).map_err(file_error)?;
        let bar = hide_unless_terminal(ProgressBar::new(input.metadata().map_err(file_error)?.len()));
        (Box::new(input), bar.with_style(style("{wide_bar} {percent}% {bytes}/{total_bytes} {elapsed}, {eta} left")))
    };
    bar.enable_steady_tick(Duration::from_millis(200));
    Ok((input, bar))
}

fn hide_unless_terminal(bar: ProgressBar) -> ProgressBar {
    if io::stderr().is_terminal() { bar } else { ProgressBar::hidden() }
}

/// Prints where the rejected rows are, if there are any.
fn print_rejects_path(count: u64, rejects: &Path, row_label: &str) {
    if count > 0 {
        print_line!(
            "The rejected {row_label} were written to {}. Correct them and import that file.",
            rejects.display()
        );
    }
}

/// Prints the columns of the file that are not imported, each with its number of rows.
fn print_ignored_columns(columns: &[IgnoredColumn]) {
    if !columns.is_empty() {
        print_line!("These columns of the file have no place in Souk and were not imported:");
    }
    for IgnoredColumn { column, rows } in columns {
        print_line!("{rows:>21}  {column}");
    }
}

/// Writes the report as JSON, if a file was given.
/// # Errors
/// If the file cannot be written.
fn write_report(path: Option<&Path>, report: &impl Serialize) -> Result<()> {
    let Some(path) = path else { return Ok(()) };
    let json = serde_json::to_string_pretty(report).map_err(|error| Error::Internal(format!("report: {error}")))?;
    fs::write(path, json + "\n").map_err(|error| Error::Internal(format!("{}: {error}", path.display())))
}
