//! Writes the batches of one run.
//! Rule: the rows of a batch are written together; if the database rejects them, the batch is split in halves until the
//! invalid row is found. A row with the identifier of an earlier one waits until that one is accepted or rejected.

use std::collections::HashSet;

use csv::ByteRecord;
use futures_util::future::try_join_all;

use super::super::{
    super::{
        actions::{BatchOutcome, BatchWriter},
        model::{OTHER_TOTALS, Report, Resource, SHORTFALLS},
        record::{
            CategoryRecord, Context, CustomerRecord, OrderRecord, ProductRecord, Record, RejectedRow, Rejection, Row,
        },
    },
    categories,
    check::{self, Identifiers},
    customers,
    missing::FileContents,
    model::{RowOutcome, Run, Written},
    orders,
    products::{self, renames},
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
    fields: ByteRecord,
    context: Context,
    record: Record,
    /// Whether the row shows a new name of its product's group or of an option.
    renames_group: bool,
}

impl ValidRow {
    fn rejected(self, reason: Rejection) -> RejectedRow {
        RejectedRow { line: self.line, fields: self.fields, context: self.context, reason }
    }
}

/// Imports the batches of a run.
pub(super) struct Importer<'a> {
    db: &'a Db,
    run: &'a Run<'a>,
    /// What the file contains so far.
    contents: FileContents,
    /// Lines that were rejected before the run was interrupted.
    rejected_before: HashSet<u64>,
    references: References,
    /// Number of rows of the file read so far.
    row_number: i64,
}

impl BatchWriter<Record> for Importer<'_> {
    /// Rows before the checkpoint only count as contents of the file.
    async fn write(&mut self, rows: Vec<Row<Record>>) -> Result<Option<BatchOutcome>> {
        let (mut waiting, rejected) = self.check(rows);
        if self.row_number <= self.run.lease.checkpoint {
            return Ok(None);
        }
        let mut batch = BatchOutcome { rejected, ..BatchOutcome::default() };
        while !waiting.is_empty() {
            let rows = self.take_distinct(&mut waiting, &mut batch.rejected);
            let rows = self.resolve_references(rows, &mut batch.rejected).await?;
            let Written { outcomes, shortfalls } = self.write_all(&rows).await?;
            batch.notes.push((SHORTFALLS, shortfalls));
            for (row, outcome) in rows.into_iter().zip(outcomes) {
                match outcome {
                    RowOutcome::Created => batch.created += 1,
                    RowOutcome::Unchanged if row.renames_group => batch.updated += 1,
                    RowOutcome::Updated => batch.updated += 1,
                    RowOutcome::Unchanged => batch.unchanged += 1,
                    RowOutcome::Rejected(reason) => {
                        batch.rejected.push(row.rejected(reason));
                        continue;
                    }
                }
                self.contents.accepted.add(row.line, &row.record);
                if matches!(&row.record, Record::Order(order) if order.has_other_total()) {
                    batch.notes.push((OTHER_TOTALS, 1));
                }
            }
        }
        batch.rejected.iter().for_each(|row| self.contents.add_rejected(&row.fields));
        Ok(Some(batch))
    }

    async fn store_progress(&mut self, report: &Report) -> Result<()> {
        let (lease, row) = (&self.run.lease, self.row_number);
        self.db.transaction(async |conn| store::update_checkpoint(conn, lease, report, row).await).await
    }
}

impl<'a> Importer<'a> {
    /// Creates an importer that starts at the checkpoint of a run, before which these lines were rejected.
    pub(super) fn new(db: &'a Db, run: &'a Run<'a>, contents: FileContents, rejected_before: HashSet<u64>) -> Self {
        let references = References::default();
        Self { db, run, contents, rejected_before, references, row_number: 0 }
    }

    /// Returns what the file contains.
    pub(super) fn contents(&self) -> &FileContents {
        &self.contents
    }

    /// Checks each row by itself.
    fn check(&mut self, rows: Vec<Row<Record>>) -> (Vec<ValidRow>, Vec<RejectedRow>) {
        let (mut valid, mut rejected) = (Vec::with_capacity(rows.len()), Vec::new());
        let currency = self.run.website.currency();
        for Row { line, fields, context, record } in rows {
            self.row_number += 1;
            if self.row_number == 1 {
                self.contents.read_first_row(&fields);
            }
            let checked = record.and_then(|mut record| {
                check::row(&mut record, currency)?;
                Ok(record)
            });
            let is_done = self.row_number <= self.run.lease.checkpoint;
            match checked {
                Ok(record) if is_done && !self.rejected_before.contains(&line) => {
                    self.contents.accepted.add(line, &record);
                }
                _ if is_done => self.contents.add_rejected(&fields),
                Ok(record) => valid.push(ValidRow { line, fields, context, record, renames_group: false }),
                Err(reason) => rejected.push(RejectedRow { line, fields, context, reason }),
            }
        }
        (valid, rejected)
    }

    /// Takes the waiting rows that no earlier one shares an identifier with. Those that share one with an accepted row
    /// are rejected.
    fn take_distinct(&self, waiting: &mut Vec<ValidRow>, rejected: &mut Vec<RejectedRow>) -> Vec<ValidRow> {
        let (mut distinct, mut undecided) = (Vec::with_capacity(waiting.len()), Identifiers::default());
        for row in std::mem::take(waiting) {
            if let Err(reason) = self.contents.accepted.check(&row.record) {
                rejected.push(row.rejected(reason));
                continue;
            }
            let is_distinct = undecided.check(&row.record).is_ok();
            undecided.add(row.line, &row.record);
            if is_distinct { distinct.push(row) } else { waiting.push(row) }
        }
        distinct
    }

    /// Finds the entities that rows refer to, creates missing ones, and renames groups. Rows that would be rejected are
    /// removed first, so that nothing is created or renamed for them.
    async fn resolve_references(
        &mut self,
        mut valid: Vec<ValidRow>,
        rejected: &mut Vec<RejectedRow>,
    ) -> Result<Vec<ValidRow>> {
        let run = self.run;
        if !matches!(run.options.resource, Resource::Products | Resource::Categories) {
            return Ok(valid);
        }
        let mut found = self.references.clone();
        resolve(self.db, run, &mut found, &valid, true).await?;
        if run.options.keeps_catalog {
            let count = valid.len();
            valid = reject_missing(valid, &found, rejected);
            if valid.len() < count {
                // Without what only the rejected rows refer to.
                found = self.references.clone();
                resolve(self.db, run, &mut found, &valid, true).await?;
            }
        }
        let mut renames = match run.options.resource {
            Resource::Products => {
                let records = &records(&valid, as_product);
                self.db.read(async |conn| renames::find(conn, run, &found, records).await).await?
            }
            _ => Vec::new(),
        };
        for rename in &renames {
            found.rename_group(&rename.slug, &rename.name, &rename.options);
            rename.rows.iter().for_each(|row| valid[*row].renames_group = true);
        }
        let creates = found.placeholder_count() > self.references.placeholder_count();
        if run.options.is_dry_run || (!creates && renames.is_empty()) {
            self.references = found;
            return Ok(valid);
        }
        let Written { outcomes, .. } = self.db.read(async |conn| write(conn, run, &found, &valid, true).await).await?;
        renames.retain(|rename| rename.rows.iter().any(|row| !matches!(outcomes[*row], RowOutcome::Rejected(_))));
        let mut kept = Vec::with_capacity(valid.len());
        for (row, outcome) in valid.into_iter().zip(outcomes) {
            match outcome {
                RowOutcome::Rejected(reason) => rejected.push(row.rejected(reason)),
                _ => kept.push(row),
            }
        }
        resolve(self.db, run, &mut self.references, &kept, false).await?;
        renames::apply(self.db, &renames).await?;
        for rename in &renames {
            self.references.rename_group(&rename.slug, &rename.name, &rename.options);
        }
        Ok(kept)
    }

    /// Writes products over several connections, because most of the time is spent in PostgreSQL, which uses one
    /// processor per connection.
    async fn write_all(&self, valid: &[ValidRow]) -> Result<Written> {
        if self.run.options.resource != Resource::Products || valid.len() < MIN_PARALLEL_ROWS {
            return self.write_or_halve(valid).await;
        }
        let parts = valid.chunks(valid.len().div_ceil(MAX_CONNECTIONS)).map(|part| self.write_or_halve(part));
        let mut written = Written::default();
        try_join_all(parts).await?.into_iter().for_each(|part| written.extend(part));
        Ok(written)
    }

    /// Writes rows together; if the database rejects them, in halves until the invalid row is found.
    async fn write_or_halve(&self, valid: &[ValidRow]) -> Result<Written> {
        let mut written = Written::default();
        let mut parts = vec![valid];
        while let Some(part) = parts.pop() {
            match self.write_part(part).await {
                Ok(part) => written.extend(part),
                Err(error @ (Error::User(_) | Error::Constraint { .. })) if part.len() <= 1 => {
                    written.outcomes.push(RowOutcome::Rejected(error.into()));
                }
                Err(Error::User(_) | Error::Constraint { .. }) => {
                    let (first, second) = part.split_at(part.len() / 2);
                    parts.extend([second, first]);
                }
                Err(other) => return Err(other),
            }
        }
        Ok(written)
    }

    async fn write_part(&self, part: &[ValidRow]) -> Result<Written> {
        let (run, references) = (self.run, &self.references);
        if part.is_empty() {
            return Ok(Written::default());
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
) -> Result<Written> {
    let outcomes = match run.options.resource {
        Resource::Categories => {
            categories::actions::write(conn, run, references, &records(rows, as_category), is_dry_run).await
        }
        Resource::Customers => customers::actions::write(conn, run, &records(rows, as_customer), is_dry_run).await,
        Resource::Orders => orders::actions::write(conn, run, &records(rows, as_order), is_dry_run).await,
        _ => return products::actions::write(conn, run, references, &records(rows, as_product), is_dry_run).await,
    };
    outcomes.map(Written::from)
}

/// Returns the records of one type; all records of a file have the same type.
fn records<'r, T>(rows: &'r [ValidRow], pick: impl Fn(&'r Record) -> Option<&'r T>) -> Vec<&'r T> {
    rows.iter().filter_map(|row| pick(&row.record)).collect()
}

/// Returns the rows whose category, brand and supplier exist; the others are rejected.
fn reject_missing(valid: Vec<ValidRow>, found: &References, rejected: &mut Vec<RejectedRow>) -> Vec<ValidRow> {
    let mut kept = Vec::with_capacity(valid.len());
    for row in valid {
        match as_product(&row.record).and_then(|record| found.find_missing(record)) {
            None => kept.push(row),
            Some((column, name)) => {
                let rule = format!("there is no {column} {name:?}, and creating it requires MANAGE_CATALOGUE");
                rejected.push(row.rejected(Rejection::at(column, rule)));
            }
        }
    }
    kept
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
