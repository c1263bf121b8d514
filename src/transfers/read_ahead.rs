//! Reading a file on a thread of its own, some batches ahead, so that the database never waits for the file.

use tokio::sync::{mpsc, oneshot};

use crate::error::{Error, Result};

/// Batches that are read ahead.
const AHEAD: usize = 2;

/// Rows that are written together.
pub trait Batch: Send + 'static {
    /// Whether the batch has no rows: the file has ended.
    fn is_empty(&self) -> bool;
}

/// A file that is being read.
pub struct ReadAhead<B> {
    batches: mpsc::Receiver<Result<B>>,
}

impl<B: Batch> ReadAhead<B> {
    /// Opens a file and begins to read it. `open` reads the header and returns what the caller needs of it, and a function
    /// that reads the next batch.
    /// # Errors
    /// Those of `open`.
    pub async fn open<H, N>(open: impl FnOnce() -> Result<(H, N)> + Send + 'static) -> Result<(H, Self)>
    where
        H: Send + 'static,
        N: FnMut() -> Result<B>,
    {
        let (header, opened) = oneshot::channel();
        let (send, batches) = mpsc::channel(AHEAD);
        tokio::task::spawn_blocking(move || match open() {
            Err(error) => drop(header.send(Err(error))),
            Ok((found, mut next)) => {
                let _ = header.send(Ok(found));
                loop {
                    let batch = next();
                    let is_last = !batch.as_ref().is_ok_and(|batch| !batch.is_empty());
                    if send.blocking_send(batch).is_err() || is_last {
                        break;
                    }
                }
            }
        });
        let header = opened.await.map_err(|_| Error::Internal("the reader of the file panicked".into()))??;
        Ok((header, Self { batches }))
    }

    /// The next batch; an empty one at the end of the file.
    /// # Errors
    /// If the file cannot be read any further.
    pub async fn next(&mut self) -> Result<B> {
        self.batches.recv().await.unwrap_or_else(|| Err(Error::Internal("the reader of the file panicked".into())))
    }
}
