//! Writes files of Souk's own formats row by row from database texts.
//! Rule: memory does not depend on the number of rows.

use std::io::Write;

use serde_json::Value;

use super::{
    super::model::{Format, Resource},
    cells,
};
use crate::{
    db::export::{Column, Kind},
    error::{Error, Result},
};

/// A file that is being written.
pub struct RowWriter<W: Write> {
    columns: &'static [Column],
    out: Output<W>,
}

enum Output<W: Write> {
    Csv(Box<csv::Writer<W>>),
    Json(W),
}

impl<W: Write> RowWriter<W> {
    /// Writes the header, if the format has one.
    /// # Errors
    /// If the file cannot be written.
    pub fn new(out: W, resource: Resource, format: Format) -> Result<Self> {
        let columns = resource.export().columns;
        if format == Format::SoukJsonl {
            return Ok(Self { columns, out: Output::Json(out) });
        }
        let mut writer = csv::Writer::from_writer(out);
        writer.write_record(columns.iter().map(|column| column.name)).map_err(write_error)?;
        Ok(Self { columns, out: Output::Csv(Box::new(writer)) })
    }

    /// Writes a row: one value per column, nested values as JSON.
    /// # Errors
    /// If the file cannot be written.
    pub fn write(&mut self, values: &[Option<String>]) -> Result<()> {
        let cells = self.columns.iter().zip(values);
        match &mut self.out {
            Output::Csv(writer) => {
                for (column, value) in cells {
                    let cell = value.as_deref().map(|value| cells::encode(column.kind, value)).unwrap_or_default();
                    writer.write_field(cell.as_bytes()).map_err(write_error)?;
                }
                writer.write_record(None::<&[u8]>).map_err(write_error)
            }
            Output::Json(out) => {
                for (at, (column, value)) in cells.enumerate() {
                    let before = if at == 0 { "{" } else { "," };
                    let done = write!(out, "{before}\"{}\":", column.name)
                        .and_then(|()| json(out, column.kind, value.as_deref()));
                    done.map_err(write_error)?;
                }
                out.write_all(b"}\n").map_err(write_error)
            }
        }
    }

    /// Flushes and returns the output.
    /// # Errors
    /// If the file cannot be written.
    pub fn finish(self) -> Result<W> {
        match self.out {
            Output::Csv(writer) => writer.into_inner().map_err(|error| write_error(error.error())),
            Output::Json(mut out) => out.flush().map(|()| out).map_err(write_error),
        }
    }
}

fn json(out: &mut impl Write, kind: Kind, value: Option<&str>) -> std::io::Result<()> {
    match (kind, value) {
        (_, None) => out.write_all(b"null"),
        (Kind::Text | Kind::Decimal, Some(text)) => Ok(serde_json::to_writer(out, &Value::String(text.to_owned()))?),
        (_, Some(value)) => out.write_all(value.as_bytes()),
    }
}

fn write_error(error: impl std::fmt::Display) -> Error {
    Error::Internal(format!("the file cannot be written: {error}"))
}
