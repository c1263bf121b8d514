//! `souk export`: writes a resource to a file or to standard output.
//! Rule: an output file appears only when it is complete; progress goes to standard error.

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
    config::{ExportedImageUrls, Settings},
    db::Db,
    error::{Error, Result},
    transfers::{
        export::{ExportOptions, export},
        model::{Format, Resource},
    },
    websites,
};

/// Export all items of a resource to standard output or a file. Files of products, categories, customers, orders and
/// stock can be imported again.
#[derive(Debug, Clone, Args)]
pub struct ExportArgs {
    /// Resource to export.
    #[arg(value_parser = resource, value_name = "RESOURCE", help = format!("Resource to export: {}", resources()))]
    pub resource: Resource,

    /// Code of the website to export. Optional for brands, suppliers, websites and categories; for categories it
    /// selects the website whose external ids are included.
    #[arg(long, value_name = "CODE")]
    pub website: Option<String>,

    /// File format: souk-csv or souk-jsonl.
    #[arg(long, default_value = "souk-csv", value_parser = parse_format, value_name = "FORMAT")]
    pub format: Format,

    /// URLs of images in the file.
    #[command(flatten)]
    pub images: ExportedImageUrls,

    /// Output file instead of standard output. An existing file is replaced when the export is complete.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// Opens the database and runs `souk export`.
pub(super) async fn run(settings: &Settings, args: ExportArgs) -> CommandResult {
    with_database(settings, async |db| write(args, &db).await).await
}

/// Runs `souk export`.
/// # Errors
/// User errors (unknown website, unsupported format); file and database errors.
pub async fn write(args: ExportArgs, db: &Db) -> Result<()> {
    let website = match &args.website {
        Some(code) => {
            let found = db.read(async |conn| websites::store::find_by_code(conn, code).await).await?;
            Some(found.ok_or_else(|| Error::not_found("website", "website"))?.id)
        }
        None => None,
    };
    let media_url = args.images.absolute_base();
    let options = ExportOptions { resource: args.resource, format: args.format, website, media_url };
    options.check()?;
    let Some(path) = args.out else {
        let is_closed = Arc::new(AtomicBool::new(false));
        let pipe = PipeWriter { out: io::stdout(), is_closed: Arc::clone(&is_closed) };
        return match write_rows(db, &options, pipe).await {
            // A reader that closes the pipe early, as in `souk export products | head`, is not an error.
            Err(_) if is_closed.load(Ordering::Relaxed) => Ok(()),
            result => result,
        };
    };
    let partial_path = with_suffix(&path, ".part");
    let file_error = |error: io::Error| Error::bad_input("out", format!("{}: {error}", path.display()));
    // One that a killed export left may be readable by others.
    let _ = fs::remove_file(&partial_path);
    let file = File::create(&partial_path).map_err(file_error)?;
    let result = match write_rows(db, &options, file).await {
        Ok(()) => fs::rename(&partial_path, &path).map_err(file_error),
        failed => failed,
    };
    if result.is_err() {
        // Ignored: the error of the export matters more.
        let _ = fs::remove_file(&partial_path);
    }
    result
}

async fn write_rows(db: &Db, options: &ExportOptions, out: impl Write + Send) -> Result<()> {
    // No progress bar if standard output is a terminal: it would mix with the rows.
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

/// A writer that records whether its reader closed the pipe.
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

/// Parses the name of a format.
pub(super) fn parse_format(text: &str) -> std::result::Result<Format, String> {
    parse_one_of(Format::ALL, |format| format.as_str(), text)
}

fn join_names<T>(all: &[T], name: fn(&T) -> &'static str) -> String {
    all.iter().map(name).collect::<Vec<_>>().join(", ")
}

fn parse_one_of<T: Copy>(all: &[T], name: fn(&T) -> &'static str, text: &str) -> std::result::Result<T, String> {
    let found = all.iter().find(|value| name(value) == text);
    found.copied().ok_or_else(|| format!("must be one of: {}", join_names(all, name)))
}
