//! Reads a sales file.
//! Rule: it does not use `formats::csv_reader`, because the delimiter of a sales file is an option, its records are
//! rejected with the codes of [`RejectReason`], and only columns that are used must be UTF-8.

use std::io::Read;

use chrono::{DateTime, Utc};
use csv::{ByteRecord, Reader, ReaderBuilder};

use super::super::{
    super::{
        formats::Notes,
        ignored_columns::IgnoredColumns,
        read_ahead::{OpenFile, ReadAhead},
        record::{Columns, Context, Row},
        rejects::Layout,
    },
    model::{RejectReason, SalesLine, SalesOptions, header::Header},
};
use crate::{
    error::{Error, Result},
    money::Currency,
};

/// A file that is being read.
struct SalesFile<R> {
    reader: Reader<R>,
    options: SalesOptions,
    currency: Currency,
    header: Header,
    /// Number of lines by which the reader is ahead of the end of the record that it returns: 1, or 0 if lines end with
    /// CR LF.
    passed: u64,
    /// Line number of the last record.
    last_line: u64,
    now: DateTime<Utc>,
    ignored_columns: IgnoredColumns,
}

/// Reads the header of a file with prices in this currency and starts to read its lines; also returns the layout of its rejects file.
/// # Errors
/// User errors for an empty file and for missing or duplicate columns.
pub(super) async fn read(
    input: impl Read + Send + 'static,
    options: &SalesOptions,
    currency: Currency,
) -> Result<(Layout, ReadAhead<SalesLine, RejectReason>)> {
    let options = options.clone();
    ReadAhead::open(options.batch, move || {
        let file = SalesFile::open(input, options, currency)?;
        let header = file.header.names().to_vec();
        let layout = Layout::Csv { header, delimiter: file.options.delimiter, keeps_extra_fields: true };
        let ignored_columns = file.ignored_columns.clone();
        let (columns, notes) = (Columns::default(), Notes::default());
        Ok(OpenFile { layout, columns, rows: Box::new(file), notes, ignored_columns })
    })
    .await
}

impl<R: Read> SalesFile<R> {
    fn open(input: R, options: SalesOptions, currency: Currency) -> Result<Self> {
        let mut reader = ReaderBuilder::new().delimiter(options.delimiter).flexible(true).from_reader(input);
        let header = Header::new(reader.byte_headers().map_err(read_error)?, &options.columns)?;
        let passed = reader.position().line() - 1;
        let ignored_columns = IgnoredColumns::default();
        Ok(Self { reader, options, currency, header, passed, last_line: 0, now: Utc::now(), ignored_columns })
    }

    /// Returns the line on which a record begins. The position of the record itself is that of the end of the previous
    /// record, which is too low after blank lines and CR LF; counting back from the reader's current line is correct
    /// there.
    fn line(&self, fields: &ByteRecord) -> u64 {
        let within = fields.iter().flatten().filter(|byte| **byte == b'\n').count() as u64;
        let counted = self.reader.position().line().saturating_sub(self.passed + within);
        fields.position().map_or(counted, |position| counted.max(position.line()))
    }
}

impl<R: Read> Iterator for SalesFile<R> {
    type Item = Result<Row<SalesLine, RejectReason>>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut fields = ByteRecord::new();
        match self.reader.read_byte_record(&mut fields) {
            Ok(false) => None,
            Ok(true) => {
                let record = self.header.parse_line(&fields, &self.options, self.currency, self.now);
                if fields.len() == self.header.names().len() {
                    self.ignored_columns.count_row(self.header.ignored(&fields));
                }
                // Each record has a number of its own, also where lines end with CR alone.
                self.last_line = self.line(&fields).max(self.last_line + 1);
                Some(Ok(Row { line: self.last_line, fields, context: Context::default(), record }))
            }
            Err(error) => Some(Err(read_error(error))),
        }
    }
}

fn read_error(error: csv::Error) -> Error {
    Error::Internal(format!("the file cannot be read: {error}"))
}
