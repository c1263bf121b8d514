//! Files of souk's own formats, row by row.
//! Rule: memory is bounded whatever the file holds; a row that cannot be read is one refused row.

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
        record::{Rejection, Row},
    },
    cells,
    fields::Fields,
};
use crate::{
    db::export::{Column, Kind},
    error::{Error, Result},
};

/// Columns that a file of rejects has behind its own: they are read past.
pub const REJECTS_COLUMNS: [&str; 2] = ["line", "reason"];

/// A CSV file.
pub struct CsvRows<R> {
    reader: CsvReader<R>,
    /// The column of each field; none for what is read past.
    columns: Vec<Option<Column>>,
}

impl<R: Read> CsvRows<R> {
    /// Reads the header.
    /// # Errors
    /// User errors for a column that the resource does not have, or that is there twice.
    pub fn open(input: R, resource: Resource, encoding: Encoding) -> Result<Self> {
        let reader = CsvReader::open(input, encoding)?;
        let mut columns: Vec<Option<Column>> = Vec::new();
        for name in reader.header().names() {
            let known = resource.export().columns.iter().find(|column| column.name.eq_ignore_ascii_case(name));
            if known.is_none() && !REJECTS_COLUMNS.contains(&name.as_str()) {
                let names: Vec<_> = resource.export().columns.iter().map(|column| column.name).collect();
                let rule = format!("{} have no column {name:?}; they have: {}", resource.as_str(), names.join(", "));
                return Err(Error::bad_input("file", rule));
            }
            if columns.iter().flatten().any(|column| column.name.eq_ignore_ascii_case(name)) {
                return Err(Error::bad_input("file", format!("the file has the column {name:?} more than once")));
            }
            columns.push(known.copied());
        }
        Ok(Self { reader, columns })
    }

    /// The names of the columns, as the file has them.
    pub fn header(&self) -> &[String] {
        self.reader.header().names()
    }

    /// What separates the columns.
    pub fn delimiter(&self) -> u8 {
        self.reader.delimiter()
    }

    fn fields(&self, record: &ByteRecord) -> Result<Fields, Rejection> {
        let mut fields = Fields::with_capacity(self.columns.len());
        for (cell, column) in record.iter().zip(&self.columns) {
            let Some(column) = column else { continue };
            let rejection = |message| Rejection { column: Some(column.name.to_owned()), message };
            let text = std::str::from_utf8(cell).map_err(|_| rejection("this is no UTF-8".to_owned()))?;
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
            Row { line: line.line, fields: vec![line.fields], record }
        }))
    }
}

/// A file with a JSON object on each line.
pub struct JsonRows<R: Read> {
    input: BufReader<DecodingReader<R>>,
    columns: &'static [Column],
    line: u64,
}

impl<R: Read> JsonRows<R> {
    /// Over a file from its beginning.
    pub fn open(input: R, resource: Resource, encoding: Encoding) -> Self {
        Self {
            input: BufReader::new(DecodingReader::new(input, encoding)),
            columns: resource.export().columns,
            line: 0,
        }
    }

    /// The next line without its end, and whether it is longer than allowed; none at the end of the file.
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
        let value: Value =
            serde_json::from_slice(line).map_err(|error| rejection(format!("this is no JSON: {error}")))?;
        let Value::Object(object) = value else { return Err(rejection("a line is a JSON object".to_owned())) };
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
            return Some(Ok(Row { line: self.line, fields: vec![ByteRecord::from(vec![line])], record }));
        }
    }
}
