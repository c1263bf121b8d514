//! The file of the lines that were not taken over: the original columns, `line` and `reason`.
//! Rule: it can be put right and imported like the file it came from; without rejects there is no file.

use std::{
    fs::{self, File},
    io::BufWriter,
    path::PathBuf,
};

use csv::{ByteRecord, Writer, WriterBuilder};

use super::model::Reason;
use crate::error::{Error, Result};

const OWN: [&str; 2] = ["line", "reason"];

/// The file; it is made with the first line.
pub struct Rejects {
    path: PathBuf,
    delimiter: u8,
    header: Vec<String>,
    /// Whether the file read has our columns already: rejects, imported again.
    again: bool,
    writer: Option<Writer<BufWriter<File>>>,
}

impl Rejects {
    /// For a file of this header.
    pub fn new(path: PathBuf, delimiter: u8, header: &[String]) -> Self {
        let original = header.strip_suffix(&OWN.map(str::to_owned));
        let again = original.is_some();
        Self { path, delimiter, header: original.unwrap_or(header).to_vec(), again, writer: None }
    }

    /// Adds a line. A short one is filled up, so that number and reason stand in their columns.
    /// # Errors
    /// Where the file cannot be written.
    pub fn add(&mut self, line: u64, fields: &ByteRecord, reason: Reason) -> Result<()> {
        if self.writer.is_none() {
            self.writer = Some(self.create().map_err(|error| self.broken(error))?);
        }
        let Some(writer) = &mut self.writer else { return Ok(()) };
        let width = self.header.len();
        let kept = if self.again { width } else { fields.len() };
        let mut record: ByteRecord = fields.iter().take(kept).collect();
        (record.len()..width).for_each(|_| record.push_field(b""));
        record.push_field(line.to_string().as_bytes());
        record.push_field(reason.as_str().as_bytes());
        writer.write_byte_record(&record).map_err(|error| self.broken(error))
    }

    fn create(&self) -> Result<Writer<BufWriter<File>>, csv::Error> {
        let file = BufWriter::new(File::create(&self.path)?);
        let mut writer = WriterBuilder::new().delimiter(self.delimiter).flexible(true).from_writer(file);
        writer.write_record(self.header.iter().map(String::as_str).chain(OWN))?;
        Ok(writer)
    }

    /// Ends the file; the one of an earlier run goes where this run had none.
    /// # Errors
    /// Where the file cannot be written.
    pub fn finish(mut self) -> Result<()> {
        let done = match &mut self.writer {
            Some(writer) => writer.flush(),
            None if self.path.is_file() => fs::remove_file(&self.path),
            None => Ok(()),
        };
        done.map_err(|error| self.broken(error))
    }

    fn broken(&self, error: impl std::fmt::Display) -> Error {
        Error::Internal(format!("{}: {error}", self.path.display()))
    }
}
