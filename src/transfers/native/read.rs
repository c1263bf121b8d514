//! Reads files of Souk's own formats row by row.
//! Rule: memory is bounded for any input; a row that cannot be read is rejected alone.

use std::io::{BufRead, BufReader, Read};

use csv::ByteRecord;
use serde_json::Value;

use super::{
    super::{
        formats::{
            csv_reader::{CsvReader, MAX_LINE},
            decode::{DecodingReader, Encoding},
        },
        model::Resource,
        record::{Columns, Context, Rejection, Row},
    },
    cells,
    fields::Fields,
};
use crate::{
    db::export::{Column, Kind},
    error::{Error, Result},
};

/// Additional columns of a rejects file; ignored when it is imported.
pub const REJECTS_COLUMNS: [&str; 2] = ["line", "reason"];

/// Rows of a CSV file.
pub struct CsvRows<R> {
    reader: CsvReader<R>,
    /// The column of each field; none for ignored fields.
    columns: Vec<Option<Column>>,
}

impl<R: Read> CsvRows<R> {
    /// Reads the header.
    /// # Errors
    /// User errors for unknown and duplicate columns.
    pub fn open(input: R, resource: Resource, encoding: Encoding) -> Result<Self> {
        let reader = CsvReader::open(input, encoding)?;
        let mut columns: Vec<Option<Column>> = Vec::new();
        for name in reader.header().names() {
            let known = resource.export().columns.iter().find(|column| column.name.eq_ignore_ascii_case(name));
            if known.is_none() && !REJECTS_COLUMNS.contains(&name.as_str()) {
                let names: Vec<_> = resource.export().columns.iter().map(|column| column.name).collect();
                let rule =
                    format!("{} have no column {name:?}; the columns are: {}", resource.as_str(), names.join(", "));
                return Err(Error::bad_input("file", rule));
            }
            if columns.iter().flatten().any(|column| column.name.eq_ignore_ascii_case(name)) {
                return Err(Error::bad_input("file", format!("the file has the column {name:?} more than once")));
            }
            columns.push(known.copied());
        }
        Ok(Self { reader, columns })
    }

    /// Returns the column names as written in the file.
    pub fn header(&self) -> &[String] {
        self.reader.header().names()
    }

    /// Returns the names of the columns as written in the file.
    pub fn columns(&self) -> Columns {
        let columns = self.columns.iter().zip(self.header());
        columns.filter_map(|(column, own)| Some((column.as_ref()?.name, own.clone()))).collect()
    }

    /// Returns the column delimiter.
    pub fn delimiter(&self) -> u8 {
        self.reader.delimiter()
    }

    fn fields(&self, record: &ByteRecord) -> Result<Fields, Rejection> {
        let mut fields = Fields::with_capacity(self.columns.len());
        for (cell, column) in record.iter().zip(&self.columns) {
            let Some(column) = column else { continue };
            let rejection = |message| Rejection { column: Some(column.name.to_owned()), message };
            let text = std::str::from_utf8(cell).map_err(|_| rejection("the text is not UTF-8".to_owned()))?;
            let value =
                if text.is_empty() { Value::Null } else { cells::decode(column.kind, text).map_err(rejection)? };
            fields.push(column.name, value);
        }
        Ok(fields)
    }
}

impl<R: Read> Iterator for CsvRows<R> {
    type Item = Result<Row<Fields>>;

    fn next(&mut self) -> Option<Self::Item> {
        let line = self.reader.next_line().transpose()?;
        Some(line.map(|line| {
            let record = match line.rejection {
                Some(rejection) => Err(rejection),
                None => self.fields(&line.fields),
            };
            Row { line: line.line, fields: line.fields, context: Context::default(), record }
        }))
    }
}

/// Rows of a JSON Lines file.
pub struct JsonRows<R: Read> {
    input: BufReader<DecodingReader<R>>,
    columns: &'static [Column],
    line: u64,
}

impl<R: Read> JsonRows<R> {
    /// Creates a reader for a file at its start.
    pub fn open(input: R, resource: Resource, encoding: Encoding) -> Self {
        Self {
            input: BufReader::new(DecodingReader::new(input, encoding)),
            columns: resource.export().columns,
            line: 0,
        }
    }

    /// Returns the next line without its line break, and whether it is too long; none at the end of the file.
    fn next_line(&mut self) -> std::io::Result<Option<(Vec<u8>, bool)>> {
        let mut line = Vec::new();
        let limit = MAX_LINE as u64 + 1;
        if self.input.by_ref().take(limit).read_until(b'\n', &mut line)? == 0 {
            return Ok(None);
        }
        let is_too_long = line.len() > MAX_LINE && line.last() != Some(&b'\n');
        if is_too_long {
            line = Vec::new();
            self.input.skip_until(b'\n')?;
        }
        Ok(Some((line.trim_ascii().to_vec(), is_too_long)))
    }

    fn fields(&self, line: &[u8]) -> Result<Fields, Rejection> {
        let rejection = |message: String| Rejection { column: None, message };
        let value: Value = serde_json::from_slice(line).map_err(|error| rejection(format!("invalid JSON: {error}")))?;
        let Value::Object(object) = value else { return Err(rejection("a line must be a JSON object".to_owned())) };
        let mut fields = Fields::with_capacity(object.len());
        for (name, value) in object {
            if REJECTS_COLUMNS.contains(&name.as_str()) {
                continue;
            }
            let Some(column) = self.columns.iter().find(|column| column.name == name) else {
                return Err(Rejection { column: Some(name), message: "there is no such column".to_owned() });
            };
            let value = if column.kind == Kind::Text && value == "" { Value::Null } else { value };
            fields.push(column.name, value);
        }
        Ok(fields)
    }
}

impl<R: Read> Iterator for JsonRows<R> {
    type Item = Result<Row<Fields>>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            self.line += 1;
            let (line, is_too_long) = match self.next_line() {
                Ok(Some(line)) => line,
                Ok(None) => return None,
                Err(error) => return Some(Err(Error::Internal(format!("the file cannot be read: {error}")))),
            };
            if line.is_empty() && !is_too_long {
                continue;
            }
            let record = match is_too_long {
                true => {
                    Err(Rejection { column: None, message: format!("the line is longer than {} MB", MAX_LINE >> 20) })
                }
                false => self.fields(&line),
            };
            let fields = ByteRecord::from(vec![line]);
            return Some(Ok(Row { line: self.line, fields, context: Context::default(), record }));
        }
    }
}
