//! Writes the batches of one run.
//! Rule: the rows of a batch are written together; if the database rejects them, the batch is split in halves until the
//! invalid row is found.

use csv::ByteRecord;
use futures_util::future::try_join_all;

use super::super::{
    super::{
        actions::{BatchOutcome, BatchWriter, RejectedRow},
        model::{Report, Resource},
        record::{CategoryRecord, CustomerRecord, OrderRecord, ProductRecord, Record, Rejection, Row},
    },
    categories,
    check::{self, DuplicateCheck},
    customers,
    model::{RowOutcome, Run},
    orders, products,
    references::{
        self,
        model::{References, UnresolvedReferences},
    },
    store,
};
use crate::{
    db::{Conn, Db},
    error::{Error, Result},
};

/// Minimum number of rows to write over several connections.
const MIN_PARALLEL_ROWS: usize = 200;
/// Maximum number of connections.
const MAX_CONNECTIONS: usize = 2;

/// A row that passed the checks that need no database.
struct ValidRow {
    line: u64,
    fields: Vec<ByteRecord>,
    record: Record,
}

impl ValidRow {
    fn rejected(self, reason: Rejection) -> RejectedRow {
        RejectedRow { line: self.line, fields: self.fields, reason }
    }
}

/// Imports the batches of a run.
pub(super) struct Importer<'a> {
    db: &'a Db,
    run: &'a Run<'a>,
    duplicates: DuplicateCheck,
    references: References,
    /// Number of rows of the file read so far.
    row_number: i64,
}

impl BatchWriter<Record> for Importer<'_> {
    /// Rows before the checkpoint are only checked for duplicates.
    async fn write(&mut self, rows: Vec<Row<Record>>) -> Result<Option<BatchOutcome>> {
        let (valid, mut rejected) = self.check(rows);
        if self.row_number <= self.run.lease.checkpoint {
            return Ok(None);
        }
        let valid = self.resolve_references(valid, &mut rejected).await?;
        let outcomes = self.write_all(&valid).await?;
        let mut batch = BatchOutcome { rejected, ..BatchOutcome::default() };
        for (row, outcome) in valid.into_iter().zip(outcomes) {
            match outcome {
                RowOutcome::Created => batch.created += 1,
                RowOutcome::Updated => batch.updated += 1,
                RowOutcome::Unchanged => batch.unchanged += 1,
                RowOutcome::Rejected(reason) => batch.rejected.push(row.rejected(reason)),
            }
        }
        Ok(Some(batch))
    }

    async fn store_progress(&mut self, report: &Report) -> Result<()> {
        let (lease, row) = (&self.run.lease, self.row_number);
        self.db.transaction(async |conn| store::update_checkpoint(conn, lease, report, row).await).await
    }
}

impl<'a> Importer<'a> {
    /// Creates an importer that starts at the checkpoint of a run.
    pub(super) fn new(db: &'a Db, run: &'a Run<'a>) -> Self {
        Self { db, run, duplicates: DuplicateCheck::default(), references: References::default(), row_number: 0 }
    }

    /// Checks each row by itself and against earlier rows.
    fn check(&mut self, rows: Vec<Row<Record>>) -> (Vec<ValidRow>, Vec<RejectedRow>) {
        let (mut valid, mut rejected) = (Vec::with_capacity(rows.len()), Vec::new());
        let currency = self.run.website.currency();
        for Row { line, fields, record } in rows {
            self.row_number += 1;
            let checked = record.and_then(|mut record| {
                check::row(&mut record, currency)?;
                self.duplicates.check(line, &record)?;
                Ok(record)
            });
            if self.row_number <= self.run.lease.checkpoint {
                continue;
            }
            match checked {
                Ok(record) => valid.push(ValidRow { line, fields, record }),
                Err(reason) => rejected.push(RejectedRow { line, fields, reason }),
            }
        }
        (valid, rejected)
    }

    /// Finds the entities that rows refer to and creates missing ones. Rows that would be rejected are removed first,
    /// so that nothing is created for them.
    async fn resolve_references(
        &mut self,
        valid: Vec<ValidRow>,
        rejected: &mut Vec<RejectedRow>,
    ) -> Result<Vec<ValidRow>> {
        let run = self.run;
        if !matches!(run.options.resource, Resource::Products | Resource::Categories) {
            return Ok(valid);
        }
        let mut found = self.references.clone();
        resolve(self.db, run, &mut found, &valid, true).await?;
        if run.options.is_dry_run || found.placeholder_count() == self.references.placeholder_count() {
            self.references = found;
            return Ok(valid);
        }
        let outcomes = self.db.read(async |conn| write(conn, run, &found, &valid, true).await).await?;
        let mut kept = Vec::with_capacity(valid.len());
        for (row, outcome) in valid.into_iter().zip(outcomes) {
            match outcome {
                RowOutcome::Rejected(reason) => rejected.push(row.rejected(reason)),
                _ => kept.push(row),
            }
        }
        resolve(self.db, run, &mut self.references, &kept, false).await?;
        Ok(kept)
    }

    /// Writes products over several connections, because most of the time is spent in PostgreSQL, which uses one
    /// processor per connection.
    async fn write_all(&self, valid: &[ValidRow]) -> Result<Vec<RowOutcome>> {
        if self.run.options.resource != Resource::Products || valid.len() < MIN_PARALLEL_ROWS {
            return self.write_or_halve(valid).await;
        }
        let parts = valid.chunks(valid.len().div_ceil(MAX_CONNECTIONS)).map(|part| self.write_or_halve(part));
        Ok(try_join_all(parts).await?.concat())
    }

    /// Writes rows together; if the database rejects them, in halves until the invalid row is found.
    async fn write_or_halve(&self, valid: &[ValidRow]) -> Result<Vec<RowOutcome>> {
        let mut outcomes = Vec::with_capacity(valid.len());
        let mut parts = vec![valid];
        while let Some(part) = parts.pop() {
            match self.write_part(part).await {
                Ok(part) => outcomes.extend(part),
                Err(error @ (Error::User(_) | Error::Constraint { .. })) if part.len() <= 1 => {
                    outcomes.push(RowOutcome::Rejected(error.into()));
                }
                Err(Error::User(_) | Error::Constraint { .. }) => {
                    let (first, second) = part.split_at(part.len() / 2);
                    parts.extend([second, first]);
                }
                Err(other) => return Err(other),
            }
        }
        Ok(outcomes)
    }

    async fn write_part(&self, part: &[ValidRow]) -> Result<Vec<RowOutcome>> {
        let (run, references) = (self.run, &self.references);
        if part.is_empty() {
            return Ok(Vec::new());
        }
        if run.options.is_dry_run {
            return self.db.read(async |conn| write(conn, run, references, part, true).await).await;
        }
        self.db
            .transaction(async |conn| {
                store::begin_batch(conn).await?;
                write(conn, run, references, part, false).await
            })
            .await
    }
}

/// Finds the entities that rows refer to; creates missing ones unless this is a dry run.
async fn resolve(
    db: &Db,
    run: &Run<'_>,
    references: &mut References,
    rows: &[ValidRow],
    is_dry_run: bool,
) -> Result<()> {
    match run.options.resource {
        Resource::Products => {
            let products = records(rows, as_product);
            references::actions::resolve(
                db,
                &run.website,
                references,
                UnresolvedReferences::of_products(&products),
                is_dry_run,
            )
            .await
        }
        _ => categories::actions::resolve(db, run, references, &records(rows, as_category), is_dry_run).await,
    }
}

/// Returns the outcomes of rows; writes the rows unless this is a dry run.
async fn write(
    conn: &Conn,
    run: &Run<'_>,
    references: &References,
    rows: &[ValidRow],
    is_dry_run: bool,
) -> Result<Vec<RowOutcome>> {
    match run.options.resource {
        Resource::Categories => {
            categories::actions::write(conn, run, references, &records(rows, as_category), is_dry_run).await
        }
        Resource::Customers => customers::actions::write(conn, run, &records(rows, as_customer), is_dry_run).await,
        Resource::Orders => orders::actions::write(conn, run, &records(rows, as_order), is_dry_run).await,
        _ => products::actions::write(conn, run, references, &records(rows, as_product), is_dry_run).await,
    }
}

/// Returns the records of one type; all records of a file have the same type.
fn records<'r, T>(rows: &'r [ValidRow], pick: impl Fn(&'r Record) -> Option<&'r T>) -> Vec<&'r T> {
    rows.iter().filter_map(|row| pick(&row.record)).collect()
}

fn as_product(record: &Record) -> Option<&ProductRecord> {
    if let Record::Product(product) = record { Some(product) } else { None }
}

fn as_category(record: &Record) -> Option<&CategoryRecord> {
    if let Record::Category(category) = record { Some(category) } else { None }
}

fn as_customer(record: &Record) -> Option<&CustomerRecord> {
    if let Record::Customer(customer) = record { Some(customer) } else { None }
}

fn as_order(record: &Record) -> Option<&OrderRecord> {
    if let Record::Order(order) = record { Some(order) } else { None }
}
