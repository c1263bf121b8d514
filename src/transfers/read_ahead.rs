//! Reads the rows of a file on a separate thread, a few batches ahead, so that the database never waits for the file.
//! Rule: rows keep the order of the file, and only a few batches are in memory.

use std::{collections::BTreeMap, iter::Peekable, sync::Arc};

use tokio::sync::{mpsc, oneshot};

use super::{
    formats::Notes,
    ignored_columns::{IgnoredColumn, IgnoredColumns},
    record::{Columns, Rejection, Row},
    rejects::Layout,
};
use crate::error::{Error, Result};

/// Maximum number of rows by which a batch is extended; a Shopify product has fewer.
const MAX_EXTENSION: usize = 2_500;
/// Number of batches that are read ahead.
const BATCHES_AHEAD: usize = 2;

/// The rows of a file in its order; an error if the rest of the file cannot be read.
pub type Rows<T, E = Rejection> = Box<dyn Iterator<Item = Result<Row<T, E>>>>;

/// A file whose header has been read.
pub struct OpenFile<T, E = Rejection> {
    /// Layout of its rejects file.
    pub layout: Layout,
    /// Names of its columns.
    pub columns: Columns,
    /// The rows.
    pub rows: Rows<T, E>,
    /// Data that is not imported, with the number of occurrences.
    pub notes: Notes,
    /// Columns that are not imported.
    pub ignored_columns: IgnoredColumns,
}

/// A batch of rows.
pub struct RowBatch<T, E = Rejection> {
    /// The rows; empty at the end of the file.
    pub rows: Vec<Row<T, E>>,
    /// Data seen so far that is not imported, with the number of occurrences.
    pub notes: BTreeMap<String, u64>,
    /// Columns seen so far that are not imported.
    pub ignored_columns: Vec<IgnoredColumn>,
}

/// A file that is being read on another thread.
pub struct ReadAhead<T, E = Rejection> {
    columns: Columns,
    batches: mpsc::Receiver<Result<RowBatch<T, E>>>,
}

impl<T: Send + 'static, E: Send + 'static> ReadAhead<T, E> {
    /// Opens a file and starts to read its rows in batches of this size; also returns the layout of its rejects file.
    /// A batch is extended to the last row with the same context, so that the rows of a product stay together.
    /// # Errors
    /// Errors of `open`.
    pub async fn open(
        batch: usize,
        open: impl FnOnce() -> Result<OpenFile<T, E>> + Send + 'static,
    ) -> Result<(Layout, Self)> {
        let (header, opened) = oneshot::channel();
        let (send, batches) = mpsc::channel(BATCHES_AHEAD);
        tokio::task::spawn_blocking(move || match open() {
            Err(error) => drop(header.send(Err(error))),
            Ok(OpenFile { layout, columns, rows, notes, ignored_columns }) => {
                let _ = header.send(Ok((layout, columns)));
                let mut rows = rows.peekable();
                loop {
                    let rows = next_batch(&mut rows, batch);
                    let is_last = !rows.as_ref().is_ok_and(|rows| !rows.is_empty());
                    let batch = rows.map(|rows| RowBatch {
                        rows,
                        notes: notes.snapshot(),
                        ignored_columns: ignored_columns.snapshot(),
                    });
                    if send.blocking_send(batch).is_err() || is_last {
                        break;
                    }
                }
            }
        });
        let (layout, columns) = opened.await.map_err(|_| panicked())??;
        Ok((layout, Self { columns, batches }))
    }

    /// Returns a rejection with the file's own name of the column.
    pub fn with_own_column(&self, mut rejection: Rejection) -> Rejection {
        if let Some(own) = rejection.column.as_deref().and_then(|column| self.columns.get(column)) {
            rejection.column = Some(own.clone());
        }
        rejection
    }

    /// Returns the next batch; an empty one at the end of the file.
    /// # Errors
    /// If the rest of the file cannot be read.
    pub async fn next(&mut self) -> Result<RowBatch<T, E>> {
        self.batches.recv().await.unwrap_or_else(|| Err(panicked()))
    }
}

fn next_batch<T, E>(rows: &mut Peekable<Rows<T, E>>, size: usize) -> Result<Vec<Row<T, E>>> {
    let mut batch: Vec<Row<T, E>> = rows.by_ref().take(size).collect::<Result<_>>()?;
    let is_of = |row: &Row<T, E>, last: &Row<T, E>| !row.context.is_empty() && Arc::ptr_eq(&row.context, &last.context);
    while batch.len() < size + MAX_EXTENSION
        && let Some(last) = batch.last()
        && rows.peek().is_some_and(|row| row.as_ref().is_ok_and(|row| is_of(row, last)))
    {
        batch.extend(rows.next().transpose()?);
    }
    Ok(batch)
}

fn panicked() -> Error {
    Error::Internal("the reader of the file panicked".into())
}
