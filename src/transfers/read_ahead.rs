//! Reading the rows of a file on a thread of its own, some batches ahead, so that the database never waits for the file.
//! Rule: rows come in the order of the file, and no more than a few batches of them are in memory.

use std::collections::BTreeMap;

use tokio::sync::{mpsc, oneshot};

use super::{
    formats::Notes,
    record::{Rejection, Row},
    rejects::Layout,
};
use crate::error::{Error, Result};

/// Batches that are read ahead.
const BATCHES_AHEAD: usize = 2;

/// The rows of a file in its order; an error if the file cannot be read any further.
pub type Rows<T, E = Rejection> = Box<dyn Iterator<Item = Result<Row<T, E>>>>;

/// A file whose header was read.
pub struct OpenFile<T, E = Rejection> {
    /// How its rejected rows are written.
    pub layout: Layout,
    /// Its rows.
    pub rows: Rows<T, E>,
    /// What it holds beside its rows and is not imported.
    pub notes: Notes,
}

/// Rows that are written together.
pub struct RowBatch<T, E = Rejection> {
    /// None at the end of the file.
    pub rows: Vec<Row<T, E>>,
    /// What was seen so far and is not imported, and how often.
    pub notes: BTreeMap<String, u64>,
}

/// A file that is being read.
pub struct ReadAhead<T, E = Rejection> {
    batches: mpsc::Receiver<Result<RowBatch<T, E>>>,
}

impl<T: Send + 'static, E: Send + 'static> ReadAhead<T, E> {
    /// Opens a file and begins to read its rows, so many in a batch; also returns how its rejected rows are written.
    /// # Errors
    /// Those of `open`.
    pub async fn open(
        batch: usize,
        open: impl FnOnce() -> Result<OpenFile<T, E>> + Send + 'static,
    ) -> Result<(Layout, Self)> {
        let (header, opened) = oneshot::channel();
        let (send, batches) = mpsc::channel(BATCHES_AHEAD);
        tokio::task::spawn_blocking(move || match open() {
            Err(error) => drop(header.send(Err(error))),
            Ok(OpenFile { layout, mut rows, notes }) => {
                let _ = header.send(Ok(layout));
                loop {
                    let rows: Result<Vec<_>> = rows.by_ref().take(batch).collect();
                    let is_last = !rows.as_ref().is_ok_and(|rows| !rows.is_empty());
                    let batch = rows.map(|rows| RowBatch { rows, notes: notes.snapshot() });
                    if send.blocking_send(batch).is_err() || is_last {
                        break;
                    }
                }
            }
        });
        let layout = opened.await.map_err(|_| panicked())??;
        Ok((layout, Self { batches }))
    }

    /// The next batch; an empty one at the end of the file.
    /// # Errors
    /// If the file cannot be read any further.
    pub async fn next(&mut self) -> Result<RowBatch<T, E>> {
        self.batches.recv().await.unwrap_or_else(|| Err(panicked()))
    }
}

fn panicked() -> Error {
    Error::Internal("the reader of the file panicked".into())
}
