//! The rejects file: the rejected rows with two additional columns, `line` and `reason`.
//! Rule: it can be corrected and imported like the original file; without rejected rows no file is created.

use std::{
    fs::{self, File},
    io::{BufWriter, Write},
    path::{Path, PathBuf},
};

use csv::{ByteRecord, Writer, WriterBuilder};
use serde_json::{Map, Value};

use super::{native::read::REJECTS_COLUMNS, record::Rejection};
use crate::error::{Error, Result};

/// A rejects file; created with the first row.
pub struct RejectsFile {
    path: PathBuf,
    layout: Layout,
    out: Option<Output>,
}

/// Layout of a rejects file.
#[derive(Debug, Clone)]
pub enum Layout {
    /// CSV with these columns and this separator.
    Csv {
        /// Column names of the original file.
        header: Vec<String>,
        /// Column delimiter.
        delimiter: u8,
        /// Whether fields beyond the columns are kept.
        keeps_extra_fields: bool,
    },
    /// JSON Lines: one row per line.
    JsonLines,
}

enum Output {
    Csv(Box<Writer<BufWriter<File>>>),
    JsonLines(BufWriter<File>),
}

impl RejectsFile {
    /// Prepares the rejects file for this layout; the file is created with the first row. With `append` the file of an
    /// earlier run is continued, otherwise it is removed.
    /// # Errors
    /// If the file cannot be written.
    pub fn open(path: &Path, mut layout: Layout, append: bool) -> Result<Self> {
        if let Layout::Csv { header, keeps_extra_fields, .. } = &mut layout {
            // The original file may be a rejects file itself.
            if let Some(own) = header.strip_suffix(&REJECTS_COLUMNS.map(str::to_owned)) {
                *header = own.to_vec();
                *keeps_extra_fields = false;
            }
        }
        let mut rejects = Self { path: path.to_owned(), layout, out: None };
        let done = match (append, path.is_file()) {
            (true, true) => rejects.create(true),
            (false, true) => fs::remove_file(path).map_err(Into::into),
            (_, false) => Ok(()),
        };
        done.map_err(|error| rejects.write_error(&error))?;
        Ok(rejects)
    }

    /// Adds a rejected row: each of its lines with the reason.
    /// # Errors
    /// If the file cannot be written.
    pub fn add(&mut self, line: u64, lines: &[ByteRecord], rejection: &Rejection) -> Result<()> {
        let done = self.write(line, lines, rejection);
        done.map_err(|error| self.write_error(&error))
    }

    fn write(&mut self, line: u64, lines: &[ByteRecord], rejection: &Rejection) -> Result<(), csv::Error> {
        if self.out.is_none() {
            self.create(false)?;
        }
        let (width, keeps_extra_fields) = match &self.layout {
            Layout::Csv { header, keeps_extra_fields, .. } => (header.len(), *keeps_extra_fields),
            Layout::JsonLines => (1, false),
        };
        let reason = match &rejection.column {
            Some(column) => format!("{column}: {}", rejection.message),
            None => rejection.message.clone(),
        };
        for fields in lines {
            match &mut self.out {
                Some(Output::Csv(writer)) => {
                    let kept = if keeps_extra_fields { fields.len() } else { width };
                    // Short rows are padded, so that line and reason are in their columns.
                    let mut record: ByteRecord = fields.iter().take(kept).collect();
                    (record.len()..width).for_each(|_| record.push_field(b""));
                    record.push_field(line.to_string().as_bytes());
                    record.push_field(reason.as_bytes());
                    writer.write_byte_record(&record)?;
                }
                Some(Output::JsonLines(writer)) => {
                    let row = annotate(fields.get(0).unwrap_or_default(), line, &reason);
                    writeln!(writer, "{row}")?;
                }
                None => {}
            }
        }
        Ok(())
    }

    fn create(&mut self, append: bool) -> Result<(), csv::Error> {
        let file = File::options().create(true).write(true).append(append).truncate(!append).open(&self.path)?;
        let file = BufWriter::new(file);
        self.out = Some(match &self.layout {
            Layout::JsonLines => Output::JsonLines(file),
            Layout::Csv { header, delimiter, .. } => {
                let mut writer = WriterBuilder::new().delimiter(*delimiter).flexible(true).from_writer(file);
                if !append {
                    writer.write_record(header.iter().map(String::as_str).chain(REJECTS_COLUMNS))?;
                }
                Output::Csv(Box::new(writer))
            }
        });
        Ok(())
    }

    /// Flushes the file; called before the progress is stored in the database.
    /// # Errors
    /// If the file cannot be written.
    pub fn flush(&mut self) -> Result<()> {
        let done = match &mut self.out {
            Some(Output::Csv(writer)) => writer.flush(),
            Some(Output::JsonLines(writer)) => writer.flush(),
            None => Ok(()),
        };
        done.map_err(|error| self.write_error(&error))
    }

    fn write_error(&self, error: &dyn std::fmt::Display) -> Error {
        Error::Internal(format!("{}: {error}", self.path.display()))
    }
}

/// Returns a row as JSON with line and reason; a row that is not an object is put into `text`, truncated to 1,000
/// bytes.
fn annotate(row: &[u8], line: u64, reason: &str) -> Value {
    let mut row = match serde_json::from_slice(row) {
        Ok(Value::Object(row)) => row,
        _ => Map::from_iter([("text".to_owned(), String::from_utf8_lossy(&row[..row.len().min(1_000)]).into())]),
    };
    for (name, value) in REJECTS_COLUMNS.into_iter().zip([line.into(), reason.into()]) {
        row.insert(name.to_owned(), value);
    }
    Value::Object(row)
}
