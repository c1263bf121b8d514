//! The loop that every import runs over the batches of its file: it reads a batch, has it written, counts its rows, adds
//! the rejected ones to their file, and stores the progress.
//! Rule: the progress is stored only after the rejected rows are in their file: no row is lost, although an interrupted run
//! may put one there twice.

use csv::ByteRecord;

use super::{
    IMPORTED_TABLES,
    model::Report,
    read_ahead::{ReadAhead, RowBatch},
    record::{Rejection, Row},
    rejects::RejectsFile,
};
use crate::{
    db::{Db, bulk::StatisticsRefresher},
    error::Result,
};

/// What became of the rows of a batch.
#[derive(Debug, Default)]
pub struct BatchOutcome {
    /// Number of rows that created something.
    pub created: u64,
    /// Number of rows that changed something that existed.
    pub updated: u64,
    /// Number of rows that say nothing new.
    pub unchanged: u64,
    /// Rows that were not imported.
    pub rejected: Vec<RejectedRow>,
}

/// A row that was not imported.
#[derive(Debug)]
pub struct RejectedRow {
    /// The line of the file on which it begins.
    pub line: u64,
    /// Its fields, one list for each of its lines.
    pub fields: Vec<ByteRecord>,
    /// Why it was not imported.
    pub reason: Rejection,
}

/// Writes the rows of one kind of file, of which the reader has made `T`, or `E` if it refused them.
pub trait BatchWriter<T, E = Rejection> {
    /// Checks the rows of a batch and writes the valid ones; none if an earlier run has imported them.
    /// # Errors
    /// Those of the database.
    fn write(&mut self, rows: Vec<Row<T, E>>) -> impl Future<Output = Result<Option<BatchOutcome>>> + Send;

    /// Stores that the rows so far are imported, with these counts.
    /// # Errors
    /// Those of the database.
    fn store_progress(&mut self, report: &Report) -> impl Future<Output = Result<()>> + Send;
}

/// The file of an import, and where its rows go.
pub struct BatchImport<'a, T, E = Rejection> {
    /// The database.
    pub db: &'a Db,
    /// The file.
    pub file: ReadAhead<T, E>,
    /// The file of the rejected rows.
    pub rejects: RejectsFile,
    /// Whether nothing is written to the database.
    pub is_dry_run: bool,
}

impl<T: Send + 'static, E: Send + 'static> BatchImport<'_, T, E> {
    /// Imports the batches to the end of the file, and adds what became of them to the report. `progress` is called with the
    /// report after each batch.
    /// # Errors
    /// Those of the file, the database and the file of rejects. Batches before the error stay, and the report counts them.
    pub async fn run(
        mut self,
        writer: &mut impl BatchWriter<T, E>,
        report: &mut Report,
        progress: impl Fn(&Report),
    ) -> Result<()> {
        let mut growth = StatisticsRefresher::default();
        loop {
            let RowBatch { rows, notes } = self.file.next().await?;
            report.notes = notes;
            if rows.is_empty() {
                return Ok(());
            }
            if let Some(outcome) = writer.write(rows).await? {
                self.count(outcome, report)?;
                writer.store_progress(report).await?;
                if !self.is_dry_run {
                    growth.refresh_if_due(self.db, report.counts.created, IMPORTED_TABLES).await;
                }
            }
            progress(report);
        }
    }

    fn count(&mut self, outcome: BatchOutcome, report: &mut Report) -> Result<()> {
        let BatchOutcome { created, updated, unchanged, mut rejected } = outcome;
        let counts = &mut report.counts;
        counts.read += created + updated + unchanged + rejected.len() as u64;
        counts.created += created;
        counts.updated += updated;
        counts.unchanged += unchanged;
        rejected.sort_by_key(|row| row.line);
        for RejectedRow { line, fields, reason } in rejected {
            self.rejects.add(line, &fields, &reason)?;
            report.reject(line, reason);
        }
        self.rejects.flush()
    }
}
