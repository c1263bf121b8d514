//! The rejects file: the rejected rows with two additional columns, `line` and `reason`, and the lines that they depend
//! on, such as the other variants of the product, whose reason is empty.
//! Rule: it can be corrected and imported like the original file, and each line is in it once; without rejected rows no
//! file is created.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fs::{self, File},
    io::{BufRead, BufReader, BufWriter, Write},
    path::{Path, PathBuf},
};

use csv::{ByteRecord, ReaderBuilder, Writer, WriterBuilder};
use serde_json::{Map, Value};

use super::{
    native::read::REJECTS_COLUMNS,
    record::{RejectedRow, Rejection},
};
use crate::error::{Error, Result};

/// A rejects file; created with the first row.
pub struct RejectsFile {
    path: PathBuf,
    layout: Layout,
    out: Option<Output>,
    /// Lines of the original file that are in the rejects file.
    written: HashSet<u64>,
    /// Those of them that an earlier run rejected.
    rejected_before: HashSet<u64>,
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

impl Layout {
    /// Returns whether the original file is a rejects file itself; of JSON Lines only its rows can say so.
    pub fn is_of_rejects_file(&self) -> bool {
        matches!(self, Self::Csv { header, .. } if header.ends_with(&REJECTS_COLUMNS.map(str::to_owned)))
    }
}

enum Output {
    Csv(Box<Writer<BufWriter<File>>>),
    JsonLines(BufWriter<File>),
}

impl RejectsFile {
    /// Prepares the rejects file for this layout; the file is created with the first row. With `append` the file of an
    /// earlier run is continued, otherwise it is removed.
    /// # Errors
    /// If the file cannot be read or written.
    pub fn open(path: &Path, mut layout: Layout, append: bool) -> Result<Self> {
        let is_again = layout.is_of_rejects_file();
        if let Layout::Csv { header, keeps_extra_fields, .. } = &mut layout
            && is_again
        {
            header.truncate(header.len() - REJECTS_COLUMNS.len());
            *keeps_extra_fields = false;
        }
        let (written, rejected_before) = (HashSet::new(), HashSet::new());
        let mut rejects = Self { path: path.to_owned(), layout, out: None, written, rejected_before };
        let done = match (append, path.is_file()) {
            (true, true) => rejects.read_written().and_then(|()| rejects.create(true)),
            (false, true) => fs::remove_file(path).map_err(Into::into),
            (_, false) => Ok(()),
        };
        done.map_err(|error| rejects.write_error(&error))?;
        Ok(rejects)
    }

    /// Takes the lines of the original file that an earlier, interrupted run rejected.
    pub fn take_rejected_before(&mut self) -> HashSet<u64> {
        std::mem::take(&mut self.rejected_before)
    }

    /// Reads which lines of the original file an earlier run has written.
    fn read_written(&mut self) -> Result<(), csv::Error> {
        let mut add = |line: u64, has_reason: bool| {
            self.written.insert(line);
            if has_reason {
                self.rejected_before.insert(line);
            }
        };
        match &self.layout {
            Layout::Csv { delimiter, .. } => {
                let mut rows = ReaderBuilder::new().delimiter(*delimiter).flexible(true).from_path(&self.path)?;
                for row in rows.byte_records() {
                    let row = row?;
                    let at = |from_end: usize| {
                        row.len().checked_sub(from_end).and_then(|index| row.get(index)).unwrap_or_default()
                    };
                    let line = std::str::from_utf8(at(2)).ok().and_then(|line| line.parse().ok());
                    line.into_iter().for_each(|line| add(line, !at(1).is_empty()));
                }
            }
            Layout::JsonLines => {
                for row in BufReader::new(File::open(&self.path)?).lines() {
                    let row: Value = serde_json::from_str(&row?).unwrap_or_default();
                    row["line"].as_u64().into_iter().for_each(|line| add(line, true));
                }
            }
        }
        Ok(())
    }

    /// Adds rejected rows with their reasons, and the lines that they depend on.
    /// # Errors
    /// If the file cannot be written.
    pub fn add(&mut self, rows: &[RejectedRow]) -> Result<()> {
        let reasons: HashMap<u64, &Rejection> = rows.iter().map(|row| (row.line, &row.reason)).collect();
        let context = rows.iter().flat_map(|row| row.context.iter()).map(|line| (line.line, &line.fields));
        let lines: BTreeMap<u64, &ByteRecord> = context.chain(rows.iter().map(|row| (row.line, &row.fields))).collect();
        for (line, fields) in lines {
            if self.written.insert(line) {
                let done = self.write(line, fields, reasons.get(&line).copied());
                done.map_err(|error| self.write_error(&error))?;
            }
        }
        Ok(())
    }

    fn write(&mut self, line: u64, fields: &ByteRecord, rejection: Option<&Rejection>) -> Result<(), csv::Error> {
        if self.out.is_none() {
            self.create(false)?;
        }
        let (width, keeps_extra_fields) = match &self.layout {
            Layout::Csv { header, keeps_extra_fields, .. } => (header.len(), *keeps_extra_fields),
            Layout::JsonLines => (1, false),
        };
        let reason = rejection.map(ToString::to_string).unwrap_or_default();
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
