//! Reads CSV files of other programs: the header, then one line at a time.
//! Rule: memory is bounded for any input; a line that is too long, has the wrong number of columns or is not UTF-8 is
//! rejected alone, and reading continues after it.

use std::{cell::Cell, io::Read};

use csv::ByteRecord;
use csv_core::{ReadRecordResult, ReaderBuilder};

use super::{
    csv_faults::{text_problem, unclosed_quote},
    decode::{DecodingReader, Encoding, read_uninterrupted},
};
use crate::{
    error::{Error, Result},
    text::trim,
    transfers::{native::read::REJECTS_COLUMNS, record::Rejection},
};

/// Maximum length of a line in bytes, including quoted line breaks.
pub const MAX_LINE: usize = 4 * 1024 * 1024;
/// Maximum number of columns.
pub const MAX_COLUMNS: usize = 5_000;

const BUFFER: usize = 64 * 1024;
const SEPARATORS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// A CSV file that is being read.
pub struct CsvReader<R> {
    input: DecodingReader<R>,
    core: csv_core::Reader,
    delimiter: u8,
    header: Header,
    buffer: Vec<u8>,
    start: usize,
    output: Vec<u8>,
    ends: Vec<usize>,
    /// Number of line breaks in the bytes read so far.
    newlines: u64,
    /// Line number of the last record.
    last_line: u64,
}

/// A record of the file; with quotes it can span several lines.
#[derive(Debug)]
pub struct Line {
    /// Line number on which it begins; the header is line 1.
    pub line: u64,
    /// The fields; empty if the line is too long.
    pub fields: ByteRecord,
    /// Reason why it cannot be read.
    pub rejection: Option<Rejection>,
}

impl Line {
    /// Returns a trimmed field; empty if the file has no such column.
    pub fn cell(&self, column: &Column) -> &str {
        column.index.map_or("", |index| self.field(index))
    }

    /// Returns a trimmed field by its place.
    pub fn field(&self, index: usize) -> &str {
        trim(std::str::from_utf8(self.fields.get(index).unwrap_or_default()).unwrap_or_default())
    }
}

/// A column that a file may have.
#[derive(Debug, Clone, Default)]
pub struct Column {
    index: Option<usize>,
    name: Option<String>,
}

impl Column {
    /// Returns the column's name in the file; none if the file does not have the column.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Returns whether the file has the column.
    pub fn is_present(&self) -> bool {
        self.index.is_some()
    }

    /// Creates a rejection of the column's value.
    pub fn rejection(&self, message: impl Into<String>) -> Rejection {
        Rejection { column: self.name.clone(), message: message.into() }
    }
}

/// The column names of a file.
#[derive(Debug)]
pub struct Header {
    names: Vec<String>,
    keys: Vec<String>,
    /// Whether the column at a place was found by its name.
    is_read: Vec<Cell<bool>>,
}

impl Header {
    fn new(fields: &ByteRecord) -> Self {
        let names: Vec<String> = fields.iter().map(|name| trim(&String::from_utf8_lossy(name)).to_owned()).collect();
        let keys = names.iter().map(|name| normalize(name)).collect();
        let is_read = names.iter().map(|_| Cell::new(false)).collect();
        Self { names, keys, is_read }
    }

    /// Returns the column names as written in the file, trimmed.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Finds the column with one of these names; earlier names take precedence. Case and extra whitespace are ignored.
    pub fn find(&self, names: &[&str]) -> Column {
        let index = names.iter().find_map(|name| self.keys.iter().position(|key| key == name));
        index.iter().for_each(|index| self.is_read[*index].set(true));
        Column { index, name: index.map(|index| self.names[index].clone()) }
    }

    /// Returns the columns that were not found by their name, with their places; without those of a rejects file.
    pub fn unread(&self) -> impl Iterator<Item = (usize, &str)> {
        let is_of_rejects_file = self.names.ends_with(&REJECTS_COLUMNS.map(str::to_owned));
        let count = self.names.len() - if is_of_rejects_file { REJECTS_COLUMNS.len() } else { 0 };
        let columns = self.names.iter().enumerate().take(count).filter(|(index, _)| !self.is_read[*index].get());
        columns.map(|(index, name)| (index, name.as_str()))
    }

    /// Like [`Header::find`], for a required column.
    /// # Errors
    /// A user error that lists the columns of the header.
    pub fn require(&self, names: &[&str], hint: &str) -> Result<Column> {
        let column = self.find(names);
        if column.is_present() {
            return Ok(column);
        }
        let some: Vec<&str> = self.names.iter().take(20).map(String::as_str).collect();
        let more = if self.names.len() > some.len() { ", ..." } else { "" };
        let rule = format!("the file has no column {:?}; its header has: {}{more}. {hint}", names[0], some.join(", "));
        Err(Error::bad_input("file", rule))
    }
}

/// Normalizes a column name for comparison: lower case, single spaces.
fn normalize(name: &str) -> String {
    name.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ")
}

impl<R: Read> CsvReader<R> {
    /// Reads the header and detects the delimiter from it: comma, semicolon, tab or vertical bar.
    /// # Errors
    /// User errors for an empty file and for one that is not text; file errors.
    pub fn open(input: R, encoding: Encoding) -> Result<Self> {
        let mut reader = Self {
            input: DecodingReader::new(input, encoding),
            core: csv_core::Reader::new(),
            delimiter: b',',
            header: Header::new(&ByteRecord::new()),
            buffer: Vec::new(),
            start: 0,
            output: vec![0; BUFFER],
            ends: vec![0; 256],
            newlines: 0,
            last_line: 0,
        };
        while reader.buffer.len() < BUFFER && reader.fill()? {}
        let first = reader.buffer.split(|byte| *byte == b'\n').next().unwrap_or_default();
        if first.starts_with(b"PK\x03\x04") || first.contains(&0) {
            return Err(Error::bad_input("file", "The file is not a text file. Save the spreadsheet as CSV (UTF-8)."));
        }
        reader.delimiter = reader.separator();
        reader.core = ReaderBuilder::new().delimiter(reader.delimiter).build();
        let Some(header) = reader.record()? else {
            return Err(Error::bad_input("file", "The file is empty. Its first line must contain the column names."));
        };
        if let Some(rejection) = header.rejection {
            return Err(Error::bad_input("file", format!("the header line cannot be read: {rejection}")));
        }
        reader.header = Header::new(&header.fields);
        Ok(reader)
    }

    /// Returns the header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Returns the column delimiter.
    pub fn delimiter(&self) -> u8 {
        self.delimiter
    }

    /// Returns the next line that is not blank; none at the end of the file.
    /// # Errors
    /// If the rest of the file cannot be read.
    pub fn next_line(&mut self) -> Result<Option<Line>> {
        while let Some(mut line) = self.record()? {
            let columns = self.header.names.len();
            if line.rejection.is_none() && line.fields.len() != columns {
                let message = format!("the line has {} columns but the header has {columns}", line.fields.len());
                line.rejection = Some(Rejection { column: None, message });
            }
            if line.rejection.is_some() || line.fields.iter().any(|field| !field.trim_ascii().is_empty()) {
                return Ok(Some(line));
            }
        }
        Ok(None)
    }

    /// Detects the delimiter: Excel's declaration in the first line (`sep=;`, which is skipped), or the candidate that
    /// is most frequent in the header.
    fn separator(&mut self) -> u8 {
        let first = self.buffer.split(|byte| *byte == b'\n').next().unwrap_or_default();
        if let [b's', b'e', b'p', b'=', separator] = first.trim_ascii_end() {
            let separator = *separator;
            self.start = first.len() + 1;
            self.newlines = 1;
            return separator;
        }
        let mut counts = [0; SEPARATORS.len()];
        let mut quoted = false;
        for byte in &self.buffer {
            match byte {
                b'"' => quoted = !quoted,
                b'\n' | b'\r' if !quoted => break,
                _ if quoted => {}
                _ => SEPARATORS.iter().position(|separator| separator == byte).into_iter().for_each(|i| counts[i] += 1),
            }
        }
        // Reversed, because `max_by_key` returns the last of equal elements and the first is wanted.
        let best = (0..SEPARATORS.len()).rev().max_by_key(|i| counts[*i]).unwrap_or_default();
        SEPARATORS[best]
    }

    /// Reads more of the file; returns false at its end.
    fn fill(&mut self) -> Result<bool> {
        if self.start == self.buffer.len() {
            self.buffer.clear();
            self.start = 0;
        }
        let length = self.buffer.len();
        self.buffer.resize(length + BUFFER, 0);
        let read =
            read_uninterrupted(&mut self.input, &mut self.buffer[length..]).map_err(|error| read_error(&error))?;
        self.buffer.truncate(length + read);
        Ok(read > 0)
    }

    fn record(&mut self) -> Result<Option<Line>> {
        let (mut length, mut count, mut within, mut too_long) = (0, 0, 0, false);
        let (mut ended_by, mut quotes) = (0, 0);
        loop {
            if self.start >= self.buffer.len() {
                // An empty input signals the end of the file to the parser.
                self.fill()?;
            }
            let input = self.buffer.get(self.start..).unwrap_or_default();
            let (result, read, written, ends) =
                self.core.read_record(input, &mut self.output[length..], &mut self.ends[count..]);
            self.newlines += newlines(&input[..read]);
            quotes += input[..read].iter().filter(|byte| **byte == b'"').count();
            ended_by = if input.is_empty() { 0 } else { input[..read].last().copied().unwrap_or(ended_by) };
            self.start += read;
            within += newlines(&self.output[length..length + written]);
            length += written;
            count += ends;
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull if self.output.len() < MAX_LINE => {
                    self.output.resize(self.output.len() * 2, 0);
                }
                ReadRecordResult::OutputEndsFull if self.ends.len() < MAX_COLUMNS => {
                    self.ends.resize((self.ends.len() * 2).min(MAX_COLUMNS), 0);
                }
                ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => too_long = true,
                ReadRecordResult::Record => break,
                ReadRecordResult::End => return Ok(None),
            }
            if too_long {
                (length, count) = (0, 0);
            }
        }
        // Each record has a number of its own, also where lines end with CR alone.
        let line = (self.newlines + 1 - within - u64::from(ended_by == b'\n')).max(self.last_line + 1);
        self.last_line = line;
        if too_long {
            self.output.truncate(BUFFER);
            self.output.shrink_to_fit();
            let message = format!(
                "the line is longer than {} MB or has more than {MAX_COLUMNS} columns; check for an unclosed quote",
                MAX_LINE >> 20
            );
            let rejection = Some(Rejection { column: None, message });
            return Ok(Some(Line { line, fields: ByteRecord::new(), rejection }));
        }
        let mut fields = ByteRecord::with_capacity(length, count);
        let mut begin = 0;
        for end in &self.ends[..count] {
            fields.push_field(&self.output[begin..*end]);
            begin = *end;
        }
        let rejection = unclosed_quote(line, within, ended_by == 0, quotes).or_else(|| self.text_rejection(&fields));
        Ok(Some(Line { line, fields, rejection }))
    }

    fn text_rejection(&self, fields: &ByteRecord) -> Option<Rejection> {
        let mut problems = fields.iter().enumerate();
        let (column, problem) = problems.find_map(|(column, cell)| Some((column, text_problem(cell)?)))?;
        Some(Rejection { column: self.header.names.get(column).cloned(), message: problem.to_owned() })
    }
}

fn newlines(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|byte| **byte == b'\n').count() as u64
}

/// Returns the error for a file that cannot be read.
pub(super) fn read_error(error: &std::io::Error) -> Error {
    Error::Internal(format!("the file cannot be read: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(file: &[u8]) -> (CsvReader<&[u8]>, Vec<Line>) {
        let mut reader = CsvReader::open(file, Encoding::Unicode).unwrap();
        let mut lines = Vec::new();
        while let Some(line) = reader.next_line().unwrap() {
            lines.push(line);
        }
        (reader, lines)
    }

    #[test]
    fn separators_are_detected_from_the_header() {
        for (file, separator) in [
            ("sku,name\nA,b;c\n", b','),
            ("sku;name;\"a,b,c,d\"\nA;b;c\n", b';'),
            ("sku\tname\nA\tb\n", b'\t'),
            ("sku|name\nA|b\n", b'|'),
            ("sep=;\r\nsku;name\r\nA;b\r\n", b';'),
            ("\u{feff}sku;name\nA;b\n", b';'),
            ("sku\nA\n", b','),
        ] {
            let (reader, lines) = read(file.as_bytes());
            assert_eq!(reader.delimiter(), separator, "{file}");
            assert_eq!(lines[0].cell(&reader.header().find(&["sku"])), "A", "{file}");
        }
    }

    #[test]
    fn column_names_ignore_case_and_whitespace() {
        let (reader, lines) = read(b" SKU , Regular  Price ,Name\nA,1,b\n");
        assert_eq!(lines[0].cell(&reader.header().find(&["sku"])), "A");
        assert_eq!(lines[0].cell(&reader.header().find(&["price", "regular price"])), "1");
        assert!(!reader.header().find(&["barcode"]).is_present());
        let error = reader.header().require(&["handle"], "Is it a Shopify file?").unwrap_err();
        assert!(error.to_string().contains("Regular  Price"), "{error}");
    }

    #[test]
    fn lines_have_their_line_number() {
        for end in ["\n", "\r\n"] {
            let file = ["sku,name", "A,one", "", "B,\"two", "lines\"", ",", "C,three"].join(end);
            for file in [file.clone(), file + end] {
                let (_, lines) = read(file.as_bytes());
                assert_eq!(lines.iter().map(|line| line.line).collect::<Vec<_>>(), [2, 4, 7], "{file:?}");
            }
        }
    }

    #[test]
    fn an_invalid_line_is_rejected_alone() {
        let mut file = b"sku,name\nA\nB,b,c\nC,caf\xe9\nD,a\0b\nE,e\nF,\"".to_vec();
        file.extend(std::iter::repeat_n(b'x', 2 * MAX_LINE));
        file.extend(b"\"\nG,g\n");
        file.extend(std::iter::repeat_n(b',', 2 * MAX_COLUMNS));
        file.extend(b"\nH,h\n");
        let (reader, lines) = read(&file);
        let rejected: Vec<(u64, bool)> = lines.iter().map(|line| (line.line, line.rejection.is_some())).collect();
        let expected =
            [(2, true), (3, true), (4, true), (5, true), (6, false), (7, true), (8, false), (9, true), (10, false)];
        assert_eq!(rejected, expected);
        assert_eq!(lines[2].rejection.as_ref().unwrap().column.as_deref(), Some("name"));
        assert!(reader.output.capacity() <= 2 * MAX_LINE && reader.buffer.capacity() <= 2 * MAX_LINE);
    }

    #[test]
    fn files_that_are_not_csv_are_rejected() {
        for file in [&b""[..], b"\n\n", b"PK\x03\x04zip", b"s\0k\0u\0"] {
            assert!(CsvReader::open(file, Encoding::Unicode).is_err(), "{file:?}");
        }
    }
}
