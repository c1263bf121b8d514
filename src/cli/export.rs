//! `souk export`: what goes out to files.
//! Rule: the rows go to standard output or to a file that is only there when it is complete; progress goes to standard error.

use std::{
    fs::{self, File},
    io::{self, BufWriter, ErrorKind, IsTerminal, Write},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::{CommandResult, database::with_database, with_suffix};
use crate::{
    auth::Viewer,
    config::Settings,
    db::Db,
    error::{Error, Result},
    transfers::{
        export::{ExportOptions, export},
        model::{Format, Resource},
    },
    websites,
};

/// Write everything of a kind to standard output or a file. Products, categories, customers, orders and stock can be imported
/// again.
#[derive(Debug, Clone, Args)]
pub struct ExportArgs {
    /// What to export.
    #[arg(value_parser = resource, value_name = "RESOURCE", help = format!("What to export: {}", resources()))]
    pub resource: Resource,

    /// The code of the website whose rows they are. Brands, suppliers, categories and websites go out without; of categories it
    /// says whose external ids go along.
    #[arg(long, value_name = "CODE")]
    pub website: Option<String>,

    /// How the file is written: souk-csv or souk-jsonl.
    #[arg(long, default_value = "souk-csv", value_parser = parse_format, value_name = "FORMAT")]
    pub format: Format,

    /// The file, instead of standard output; an older one is replaced when the new one is complete.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// Opens the database and runs `souk export`.
pub(super) async fn run(settings: &Settings, args: ExportArgs) -> CommandResult {
    with_database(settings, async |db| write(args, &db).await).await
}

/// Runs `souk export`.
/// # Errors
/// User errors (no such website, a format that souk does not write); those of files and database.
pub async fn write(args: ExportArgs, db: &Db) -> Result<()> {
    let website = match &args.website {
        Some(code) => {
            let found = db.read(async |conn| websites::store::find_by_code(conn, code).await).await?;
            Some(found.ok_or_else(|| Error::not_found("website", "website"))?.id)
        }
        None => None,
    };
    let options = ExportOptions { resource: args.resource, format: args.format, website };
    options.check()?;
    let Some(path) = args.out else {
        let is_closed = Arc::new(AtomicBool::new(false));
        let pipe = PipeWriter { out: io::stdout(), is_closed: Arc::clone(&is_closed) };
        return match write_rows(db, &options, pipe).await {
            // A reader that has seen enough, as in `souk export products | head`, is no mistake.
            Err(_) if is_closed.load(Ordering::Relaxed) => Ok(()),
            result => result,
        };
    };
    let partial_path = with_suffix(&path, ".part");
    let file_error = |error: io::Error| Error::bad_input("out", format!("{}: {error}", path.display()));
    let file = File::create(&partial_path).map_err(file_error)?;
    let result = match write_rows(db, &options, file).await {
        Ok(()) => fs::rename(&partial_path, &path).map_err(file_error),
        failed => failed,
    };
    if result.is_err() {
        // The first error tells more.
        let _ = fs::remove_file(&partial_path);
    }
    result
}

async fn write_rows(db: &Db, options: &ExportOptions, out: impl Write + Send) -> Result<()> {
    // A bar between the rows on a terminal would be in the way.
    let is_watched = io::stderr().is_terminal() && !(io::stdout().is_terminal());
    let bar = if is_watched { ProgressBar::no_length() } else { ProgressBar::hidden() };
    let style = ProgressStyle::with_template("{wide_bar} {percent}% {human_pos}/{human_len} {elapsed}, {eta} left");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    let progress = |written, total| {
        bar.set_length(total);
        bar.set_position(written);
    };
    let result = export(db, &Viewer::system(), options, BufWriter::with_capacity(1 << 16, out), progress).await;
    bar.finish_and_clear();
    result.map(|_| ())
}

/// Standard output, which remembers that its reader has left.
struct PipeWriter<W> {
    out: W,
    is_closed: Arc<AtomicBool>,
}

impl<W: Write> PipeWriter<W> {
    fn track_closed<T>(&self, result: io::Result<T>) -> io::Result<T> {
        if matches!(&result, Err(error) if error.kind() == ErrorKind::BrokenPipe) {
            self.is_closed.store(true, Ordering::Relaxed);
        }
        result
    }
}

impl<W: Write> Write for PipeWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let result = self.out.write(bytes);
        self.track_closed(result)
    }

    fn flush(&mut self) -> io::Result<()> {
        let result = self.out.flush();
        self.track_closed(result)
    }
}

fn resources() -> String {
    join_names(Resource::ALL, |resource| resource.as_str())
}

fn resource(text: &str) -> std::result::Result<Resource, String> {
    parse_one_of(Resource::ALL, |resource| resource.as_str(), text)
}

/// The format of this name.
pub(super) fn parse_format(text: &str) -> std::result::Result<Format, String> {
    parse_one_of(Format::ALL, |format| format.as_str(), text)
}

fn join_names<T>(all: &[T], name: fn(&T) -> &'static str) -> String {
    all.iter().map(name).collect::<Vec<_>>().join(", ")
}

fn parse_one_of<T: Copy>(all: &[T], name: fn(&T) -> &'static str, text: &str) -> std::result::Result<T, String> {
    let found = all.iter().find(|value| name(value) == text);
    found.copied().ok_or_else(|| format!("give one of: {}", join_names(all, name)))
}
