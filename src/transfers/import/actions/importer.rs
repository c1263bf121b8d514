//! Imports batch after batch of one run.
//! Rule: the rows of a batch are written together; if the database rejects them, the batch is halved until the wrong row is
//! found. A batch is stored as done only after its rejected rows are in the file of rejects.

use csv::ByteRecord;
use futures_util::future::try_join_all;

use super::super::{
    super::{
        GROWING,
        model::{Noun, Report},
        record::{CategoryRecord, CustomerRecord, OrderRecord, ProductRecord, Record, Refused, Row},
        rejects::Rejects,
    },
    categories,
    check::{self, DuplicateCheck},
    customers,
    model::{RowOutcome, Run},
    orders, products,
    references::{
        self,
        model::{References, Wanted},
    },
    store,
};
use crate::{
    db::{Conn, Db, bulk::Growth},
    error::{Error, Result},
};

/// Minimum number of rows that are written over several connections.
const PARALLEL: usize = 200;
/// Number of these connections.
const CONNECTIONS: usize = 2;

/// A row that passed the checks that need no database.
struct ValidRow {
    line: u64,
    lines: Vec<ByteRecord>,
    record: Record,
}

/// A rejected row: its line, its fields and the reason.
type RejectedRow = (u64, Vec<ByteRecord>, Refused);

/// Imports the batches of a run.
pub(super) struct Importer<'a> {
    db: &'a Db,
    run: &'a Run<'a>,
    rejects: Rejects,
    duplicates: DuplicateCheck,
    references: References,
    growth: Growth,
    /// Counts so far.
    pub(super) report: Report,
    /// Rows of the file that were read so far.
    row: i64,
}

impl<'a> Importer<'a> {
    /// For a run from its checkpoint.
    pub(super) fn new(db: &'a Db, run: &'a Run<'a>, rejects: Rejects) -> Self {
        Self {
            db,
            run,
            rejects,
            duplicates: DuplicateCheck::default(),
            references: References::default(),
            growth: Growth::default(),
            report: run.lease.report.clone(),
            row: 0,
        }
    }

    /// Imports the next rows of the file. Rows before the checkpoint are only checked for duplicates.
    /// # Errors
    /// Those of the database and of the file of rejects.
    pub(super) async fn import(&mut self, rows: Vec<Row<Record>>) -> Result<()> {
        let (valid, mut rejected) = self.check(rows);
        if self.row <= self.run.lease.checkpoint {
            return Ok(());
        }
        let valid = self.resolve_references(valid, &mut rejected).await?;
        let outcomes = self.write_all(&valid).await?;
        for (row, outcome) in valid.into_iter().zip(outcomes) {
            match outcome {
                RowOutcome::Created => self.report.counts.created += 1,
                RowOutcome::Updated => self.report.counts.updated += 1,
                RowOutcome::Unchanged => self.report.counts.unchanged += 1,
                RowOutcome::Rejected(why) => rejected.push((row.line, row.lines, why)),
            }
        }
        self.reject(rejected)?;
        let (lease, report, row) = (&self.run.lease, &self.report, self.row);
        self.db.transaction(async |conn| store::update_checkpoint(conn, lease, report, row).await).await?;
        if !self.run.options.is_dry_run {
            self.growth.note(self.db, self.report.counts.created, GROWING).await;
        }
        Ok(())
    }

    /// Checks each row by itself and against the rows before it.
    fn check(&mut self, rows: Vec<Row<Record>>) -> (Vec<ValidRow>, Vec<RejectedRow>) {
        let (mut valid, mut rejected) = (Vec::with_capacity(rows.len()), Vec::new());
        for Row { line, fields: lines, record } in rows {
            self.row += 1;
            let checked = record.and_then(|mut record| {
                check::row(&mut record)?;
                self.duplicates.check(line, &record)?;
                Ok(record)
            });
            if self.row <= self.run.lease.checkpoint {
                continue;
            }
            self.report.counts.read += 1;
            match checked {
                Ok(record) => valid.push(ValidRow { line, lines, record }),
                Err(why) => rejected.push((line, lines, why)),
            }
        }
        (valid, rejected)
    }

    /// Counts rejected rows and writes them to their file, before the checkpoint is stored: no row is lost, although one may
    /// be in the file twice.
    fn reject(&mut self, mut rejected: Vec<RejectedRow>) -> Result<()> {
        rejected.sort_by_key(|(line, ..)| *line);
        for (line, lines, why) in rejected {
            self.rejects.add(line, &lines, &why)?;
            self.report.reject(line, why);
        }
        self.rejects.flush()
    }

    /// Finds what the rows refer to, and creates what is missing for the rows that will be imported: the others are rejected
    /// first, so that nothing is created for them.
    async fn resolve_references(
        &mut self,
        valid: Vec<ValidRow>,
        rejected: &mut Vec<RejectedRow>,
    ) -> Result<Vec<ValidRow>> {
        let run = self.run;
        if !matches!(run.options.noun, Noun::Products | Noun::Categories) {
            return Ok(valid);
        }
        let mut found = self.references.clone();
        resolve(self.db, run, &mut found, &valid, true).await?;
        if run.options.is_dry_run || found.invented() == self.references.invented() {
            self.references = found;
            return Ok(valid);
        }
        let outcomes = self.db.read(async |conn| write(conn, run, &found, &valid, true).await).await?;
        let mut kept = Vec::with_capacity(valid.len());
        for (row, outcome) in valid.into_iter().zip(outcomes) {
            match outcome {
                RowOutcome::Rejected(why) => rejected.push((row.line, row.lines, why)),
                _ => kept.push(row),
            }
        }
        resolve(self.db, run, &mut self.references, &kept, false).await?;
        Ok(kept)
    }

    /// Writes products over several connections: PostgreSQL spends far more time on each row than Souk does, and uses one
    /// processor for one connection.
    async fn write_all(&self, valid: &[ValidRow]) -> Result<Vec<RowOutcome>> {
        if self.run.options.noun != Noun::Products || valid.len() < PARALLEL {
            return self.write_or_halve(valid).await;
        }
        let parts = valid.chunks(valid.len().div_ceil(CONNECTIONS)).map(|part| self.write_or_halve(part));
        Ok(try_join_all(parts).await?.concat())
    }

    /// Writes rows together, and in halves if the database rejects them together, until the wrong row is found.
    async fn write_or_halve(&self, valid: &[ValidRow]) -> Result<Vec<RowOutcome>> {
        let mut outcomes = Vec::with_capacity(valid.len());
        let mut parts = vec![valid];
        while let Some(part) = parts.pop() {
            match self.write(part).await {
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

    async fn write(&self, part: &[ValidRow]) -> Result<Vec<RowOutcome>> {
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

/// Finds what rows refer to, and creates what is missing unless this is dry.
async fn resolve(db: &Db, run: &Run<'_>, references: &mut References, rows: &[ValidRow], is_dry: bool) -> Result<()> {
    match run.options.noun {
        Noun::Products => {
            let products = all(rows, product);
            references::actions::resolve(db, &run.website, references, Wanted::of_products(&products), is_dry).await
        }
        _ => categories::actions::resolve(db, run, references, &all(rows, category), is_dry).await,
    }
}

/// The outcomes of rows, which are written unless this is dry.
async fn write(
    conn: &Conn,
    run: &Run<'_>,
    references: &References,
    rows: &[ValidRow],
    is_dry: bool,
) -> Result<Vec<RowOutcome>> {
    match run.options.noun {
        Noun::Categories => categories::actions::write(conn, run, references, &all(rows, category), is_dry).await,
        Noun::Customers => customers::actions::write(conn, run, &all(rows, customer), is_dry).await,
        Noun::Orders => orders::actions::write(conn, run, &all(rows, order), is_dry).await,
        _ => products::actions::write(conn, run, references, &all(rows, product), is_dry).await,
    }
}

/// The records of one kind; all records of a file are of the same kind.
fn all<'r, T>(rows: &'r [ValidRow], pick: impl Fn(&'r Record) -> Option<&'r T>) -> Vec<&'r T> {
    rows.iter().filter_map(|row| pick(&row.record)).collect()
}

fn product(record: &Record) -> Option<&ProductRecord> {
    if let Record::Product(product) = record { Some(product) } else { None }
}

fn category(record: &Record) -> Option<&CategoryRecord> {
    if let Record::Category(category) = record { Some(category) } else { None }
}

fn customer(record: &Record) -> Option<&CustomerRecord> {
    if let Record::Customer(customer) = record { Some(customer) } else { None }
}

fn order(record: &Record) -> Option<&OrderRecord> {
    if let Record::Order(order) = record { Some(order) } else { None }
}
