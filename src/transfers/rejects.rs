//! The file of the rows that were not taken over, as they stood there, with `line` and `reason` behind.
//! Rule: it can be put right and imported like the file it came from; without rejects there is no file.

use std::{
    fs::{self, File},
    io::{BufWriter, Write},
    path::{Path, PathBuf},
};

use csv::{ByteRecord, Writer, WriterBuilder};
use serde_json::{Map, Value};

use super::{native::read::REJECTS_COLUMNS, record::Rejection};
use crate::error::{Error, Result};

/// The file; it is made with the first row.
pub struct RejectsFile {
    path: PathBuf,
    layout: Layout,
    out: Option<Output>,
}

/// How rows are written.
#[derive(Debug, Clone)]
pub enum Layout {
    /// CSV with these columns and this separator.
    Csv {
        /// The names of the columns of the file that is read.
        header: Vec<String>,
        /// What separates them.
        delimiter: u8,
        /// Whether a row keeps the fields that it has beyond the columns.
        keeps_extra_fields: bool,
    },
    /// A row is a line of its own.
    JsonLines,
}

enum Output {
    Csv(Box<Writer<BufWriter<File>>>),
    JsonLines(BufWriter<File>),
}

impl RejectsFile {
    /// For a file of this layout, which is created with the first row. If the run continues an earlier one, `append`, the
    /// file of the earlier run is kept, else it is removed.
    /// # Errors
    /// If the file cannot be written.
    pub fn open(path: &Path, mut layout: Layout, append: bool) -> Result<Self> {
        if let Layout::Csv { header, keeps_extra_fields, .. } = &mut layout {
            // The file that is read may be one of rejects itself.
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

    /// Adds a row: each of its lines, and why it is refused.
    /// # Errors
    /// Where the file cannot be written.
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
                    // A short row is filled up, so that number and reason are in their columns.
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

    /// Hands everything to the system: before the database hears that the rows are behind us.
    /// # Errors
    /// Where the file cannot be written.
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

/// A line of JSON with its number and why it is refused; what is no object stands in `text`, as far as it can be shown.
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
