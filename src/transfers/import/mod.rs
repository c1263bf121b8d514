//! Bringing a file in: rows are read, checked, compared with the database, and what differs is written, batch by batch.
//! Rule: a row that is wrong spoils no other; a run that is cut off goes on behind its last batch, and a file that says
//! nothing new changes nothing.

mod check;
mod places;
mod products;
mod rejects;
mod source;
mod store;
pub mod transfer;

use std::{io::Read, path::Path, sync::Mutex};

use self::{check::Met, places::Places, rejects::Rejects, source::Source, transfer::Turn};
use super::{
    model::{ImportOptions, Report},
    record::{ProductRecord, Record, Refused, Row},
};
use crate::{
    audit,
    db::{Conn, Db},
    error::{Error, Result, UserErrorCode},
    ids::TransferId,
    websites::{self, model::WebsiteRow},
};

/// What became of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It was made.
    Created,
    /// It was there and is changed.
    Updated,
    /// It was there, and the row says nothing new.
    Unchanged,
    /// It is not taken over.
    Refused(Refused),
}

/// A file that comes in.
pub struct Input {
    /// Its bytes.
    pub bytes: Box<dyn Read + Send>,
    /// SHA-256 of them, by which a run that was cut off is found again; none for what cannot be read twice.
    pub hash: Option<Vec<u8>>,
}

/// A run that has its turn.
pub struct Run<'a> {
    db: &'a Db,
    /// What it is told.
    pub options: &'a ImportOptions,
    /// Whose rows they are.
    pub website: WebsiteRow,
    /// Its row.
    pub turn: Turn,
}

/// Brings a file in. Refused rows go to the file `rejects`. `progress` hears of the report after each batch.
/// # Errors
/// User errors for an unknown website, a wrong header and wrong options; those of files and database. What was taken over
/// before the error stays.
pub async fn import(
    db: &Db,
    options: &ImportOptions,
    input: Input,
    rejects: &Path,
    progress: impl Fn(&Report) + Send,
) -> Result<Report> {
    let website = website(db, options).await?;
    let source = Source::open(input.bytes, options).await?;
    let (id, hash) = (website.id, input.hash.as_deref());
    let id = db.transaction(async |conn| transfer::open(conn, Some(id), options, hash).await).await?;
    run(db, options, website, id, source, rejects, progress).await
}

async fn website(db: &Db, options: &ImportOptions) -> Result<WebsiteRow> {
    if !(1..=10_000).contains(&options.batch) {
        return Err(Error::bad_input("batch", "a batch is from 1 to 10000 rows"));
    }
    let code = &options.website;
    let found = db.read(async |conn| websites::store::find_by_code(conn, code).await).await?;
    found.ok_or_else(|| Error::user(UserErrorCode::NotFound, "website", format!("there is no website {code:?}")))
}

async fn run(
    db: &Db,
    options: &ImportOptions,
    website: WebsiteRow,
    id: TransferId,
    mut source: Source,
    rejects: &Path,
    progress: impl Fn(&Report) + Send,
) -> Result<Report> {
    let turn = transfer::wait(db, id).await?;
    let rejects = Rejects::open(rejects, source.layout.clone(), turn.checkpoint > 0)?;
    let report = turn.report.clone();
    let run = Run { db, options, website, turn };
    let mut taker = Taker {
        run: &run,
        rejects: Mutex::new(rejects),
        met: Met::default(),
        places: Places::default(),
        report,
        row: 0,
    };
    let done = async {
        loop {
            let rows = source.next_batch().await?;
            if rows.is_empty() {
                return Ok(());
            }
            taker.take(rows).await?;
            progress(&taker.report);
        }
    }
    .await;
    let report = taker.report;
    let failure = done.as_ref().err().map(Error::to_string);
    let (turn, failure) = (&run.turn, failure.as_deref());
    let (id, told) = (run.website.id, !options.is_dry_run && failure.is_none());
    let json = serde_json::to_value(report.counts).map_err(|error| Error::Internal(format!("report: {error}")))?;
    let (json, noun) = (&json, options.noun);
    let ended = db.transaction(async |conn| {
        if told {
            audit::store::insert_import(conn, id, &serde_json::json!({ noun.as_str(): json })).await?;
        }
        transfer::end(conn, turn, failure).await
    });
    ended.await?;
    done.map(|()| report)
}

/// A row that can be taken over.
struct Good {
    line: u64,
    lines: Vec<csv::ByteRecord>,
    record: Record,
}

/// Takes batch after batch.
struct Taker<'a> {
    run: &'a Run<'a>,
    rejects: Mutex<Rejects>,
    met: Met,
    places: Places,
    report: Report,
    /// Rows of the file that are behind us.
    row: i64,
}

impl Taker<'_> {
    async fn take(&mut self, rows: Vec<Row<Record>>) -> Result<()> {
        let mut good = Vec::with_capacity(rows.len());
        for Row { line, fields: lines, record } in rows {
            self.row += 1;
            let checked = record.and_then(|record| {
                self.met.check(line, &record)?;
                check::names(&record)?;
                Ok(record)
            });
            if self.row <= self.run.turn.checkpoint {
                continue;
            }
            self.report.counts.read += 1;
            match checked {
                Ok(record) => good.push(Good { line, lines, record }),
                Err(refused) => self.reject(line, &lines, refused)?,
            }
        }
        if self.row <= self.run.turn.checkpoint {
            return Ok(());
        }
        let records: Vec<&ProductRecord> = products_of(&good);
        self.places.learn(self.run.db, self.run.website.id, &records, self.run.options.is_dry_run).await?;
        for (good, fate) in good.iter().zip(self.fates(&good).await?) {
            match fate {
                Fate::Created => self.report.counts.created += 1,
                Fate::Updated => self.report.counts.updated += 1,
                Fate::Unchanged => self.report.counts.unchanged += 1,
                Fate::Refused(refused) => self.reject(good.line, &good.lines, refused)?,
            }
        }
        self.rejects.lock().unwrap_or_else(std::sync::PoisonError::into_inner).flush()?;
        let (turn, report, row) = (&self.run.turn, &self.report, self.row);
        self.run.db.transaction(async |conn| transfer::note(conn, turn, report, row).await).await
    }

    fn reject(&mut self, line: u64, lines: &[csv::ByteRecord], refused: Refused) -> Result<()> {
        self.rejects.lock().unwrap_or_else(std::sync::PoisonError::into_inner).add(line, lines, &refused)?;
        self.report.reject(line, refused);
        Ok(())
    }

    /// Writes rows together, and in halves where the database refuses them together, until the one is found that is to blame.
    async fn fates(&self, good: &[Good]) -> Result<Vec<Fate>> {
        let mut fates = Vec::with_capacity(good.len());
        let mut parts = vec![good];
        while let Some(part) = parts.pop() {
            match self.write(part).await {
                Ok(part) => fates.extend(part),
                Err(error @ (Error::User(_) | Error::Constraint { .. })) if part.len() == 1 => {
                    fates.push(Fate::Refused(check::refusal(error)));
                }
                Err(Error::User(_) | Error::Constraint { .. }) => {
                    let (first, second) = part.split_at(part.len() / 2);
                    parts.extend([second, first]);
                }
                Err(other) => return Err(other),
            }
        }
        Ok(fates)
    }

    async fn write(&self, part: &[Good]) -> Result<Vec<Fate>> {
        let (run, places, records) = (self.run, &self.places, &products_of(part));
        if run.options.is_dry_run {
            let plan = run.db.read(async |conn| products::plan(conn, run, places, records).await).await?;
            return Ok(plan.steps.into_iter().map(products::Step::fate).collect());
        }
        run.db.transaction(async |conn| write(conn, run, places, records).await).await
    }
}

fn products_of(rows: &[Good]) -> Vec<&ProductRecord> {
    rows.iter()
        .map(|good| match &good.record {
            Record::Product(product) => &**product,
        })
        .collect()
}

async fn write(conn: &Conn, run: &Run<'_>, places: &Places, records: &[&ProductRecord]) -> Result<Vec<Fate>> {
    audit::store::silence(conn).await?;
    products::write(conn, run, places, records).await
}
