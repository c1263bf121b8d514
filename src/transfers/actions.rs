//! The loop that every import runs over the batches of its file: reads a batch, writes it, counts its rows, appends the
//! rejected ones to the rejects file, and stores the progress.
//! Rule: the progress is stored only after the rejected rows are in their file, so that no row is lost.

use super::{
    IMPORTED_TABLES,
    model::Report,
    read_ahead::{ReadAhead, RowBatch},
    record::{RejectedRow, Rejection, Row},
    rejects::RejectsFile,
};
use crate::{
    db::{Db, bulk::StatisticsRefresher},
    error::Result,
};

/// Outcome of a batch.
#[derive(Debug, Default)]
pub struct BatchOutcome {
    /// Number of rows that created an entity.
    pub created: u64,
    /// Number of rows that updated an existing entity.
    pub updated: u64,
    /// Number of rows that changed nothing.
    pub unchanged: u64,
    /// Notes on accepted rows, with the number of rows.
    pub notes: Vec<(&'static str, u64)>,
    /// Rows that were not imported.
    pub rejected: Vec<RejectedRow>,
}

/// Writes the rows of one type of file; the reader parsed them to `T`, or rejected them with `E`.
pub trait BatchWriter<T, E = Rejection> {
    /// Checks the rows of a batch and writes the valid ones; returns none if an earlier run imported the batch.
    /// # Errors
    /// Database errors.
    fn write(&mut self, rows: Vec<Row<T, E>>) -> impl Future<Output = Result<Option<BatchOutcome>>> + Send;

    /// Stores that the rows so far are imported, with these counts.
    /// # Errors
    /// Database errors.
    fn store_progress(&mut self, report: &Report) -> impl Future<Output = Result<()>> + Send;
}

/// An import of one file.
pub struct BatchImport<'a, T, E = Rejection> {
    /// The database.
    pub db: &'a Db,
    /// The file.
    pub file: ReadAhead<T, E>,
    /// The file of the rejected rows.
    pub rejects: RejectsFile,
    /// Whether the run is a dry run, which writes nothing to the database.
    pub is_dry_run: bool,
}

impl<T: Send + 'static, E: Send + 'static> BatchImport<'_, T, E> {
    /// Imports the batches up to the end of the file and adds their counts to the report. `progress` is called with the
    /// report after each batch.
    /// # Errors
    /// Errors of the file, the database and the rejects file. Batches before the error stay imported and counted.
    pub async fn run(
        mut self,
        writer: &mut impl BatchWriter<T, E>,
        report: &mut Report,
        progress: impl Fn(&Report),
    ) -> Result<()> {
        let mut growth = StatisticsRefresher::default();
        loop {
            let RowBatch { rows, notes, ignored_columns } = self.file.next().await?;
            report.set_file_notes(notes);
            report.ignored_columns = ignored_columns;
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
        let BatchOutcome { created, updated, unchanged, notes, mut rejected } = outcome;
        rejected.sort_by_key(|row| row.line);
        for row in &mut rejected {
            row.reason = self.file.with_own_column(row.reason.clone());
        }
        let counts = &mut report.counts;
        counts.read += created + updated + unchanged + rejected.len() as u64;
        counts.created += created;
        counts.updated += updated;
        counts.unchanged += unchanged;
        notes.into_iter().for_each(|(note, count)| report.count_note(note, count));
        self.rejects.add(&rejected)?;
        for RejectedRow { line, reason, .. } in rejected {
            report.reject(line, reason);
        }
        self.rejects.flush()
    }
}
