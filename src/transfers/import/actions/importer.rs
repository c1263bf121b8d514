//! Bringing a file in: rows are read, checked, compared with the database, and what differs is written, batch by batch.
//! Rule: a row that is wrong spoils no other; a run that is cut off goes on behind its last batch, and a file that says
//! nothing new changes nothing.

mod categories;
mod check;
mod customers;
mod orders;
mod places;
mod products;
mod rejects;
mod source;
mod store;
pub mod transfer;

use std::{io::Read, path::Path};

use csv::ByteRecord;
use futures_util::future::try_join_all;

use self::{
    check::Met,
    places::{Places, Wanted},
    rejects::Rejects,
    source::Source,
    transfer::Turn,
};
use super::{
    GROWING,
    model::{ImportOptions, Noun, Report},
    record::{CategoryRecord, CustomerRecord, OrderRecord, ProductRecord, Record, Refused, Row},
};
use crate::{
    audit,
    db::{Conn, Db, bulk::Growth},
    error::{Error, ErrorCode, Result, UserErrorCode},
    ids::TransferId,
    websites::{self, model::WebsiteRow},
};

/// From how many rows on several connections are worth it.
const PARALLEL: usize = 200;
/// How many then write.
const CONNECTIONS: usize = 2;

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

/// Brings a file in, as a run of its own. Refused rows go to the file `rejects`. `progress` hears of the report after each
/// batch.
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
    let (at, hash) = (Some(website.id), input.hash.as_deref());
    let turn = loop {
        let id = db.transaction(async |conn| transfer::open(conn, at, options, hash).await).await?;
        // Where somebody else brought the same file to its end meanwhile, this is a run of its own, which finds nothing new.
        if let Some(turn) = transfer::wait(db, id).await? {
            break turn;
        }
    };
    run(db, options, website, turn, source, rejects, progress, async { Ok(()) }).await
}

/// As [`import`], for a row of `transfers` that is there already, behind its checkpoint. `before_its_end` runs when all rows are
/// behind it and the row does not say so yet.
/// # Errors
/// As [`import`], and those of `before_its_end`.
pub async fn import_as(
    db: &Db,
    id: TransferId,
    options: &ImportOptions,
    bytes: Box<dyn Read + Send>,
    rejects: &Path,
    before_its_end: impl Future<Output = Result<()>> + Send,
) -> Result<Report> {
    let website = website(db, options).await?;
    let source = Source::open(bytes, options).await?;
    let done = || Error::Coded(ErrorCode::Conflict, "this import is done already".into());
    let turn = transfer::wait(db, id).await?.ok_or_else(done)?;
    run(db, options, website, turn, source, rejects, |_| (), before_its_end).await
}

/// How many rows a file has, up to where it can be read; `None` where that is not even its header.
pub async fn count(options: &ImportOptions, bytes: Box<dyn Read + Send>) -> Option<u64> {
    let (mut source, mut rows) = (Source::open(bytes, options).await.ok()?, 0);
    while let Ok(batch) = source.next_batch().await
        && !batch.rows.is_empty()
    {
        rows += batch.rows.len() as u64;
    }
    Some(rows)
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
    turn: Turn,
    mut source: Source,
    rejects: &Path,
    progress: impl Fn(&Report) + Send,
    before_its_end: impl Future<Output = Result<()>> + Send,
) -> Result<Report> {
    let rejects = Rejects::open(rejects, source.layout.clone(), turn.checkpoint > 0)?;
    let report = turn.report.clone();
    let run = Run { db, options, website, turn };
    let mut taker = Taker {
        run: &run,
        rejects,
        met: Met::default(),
        places: Places::default(),
        growth: Growth::default(),
        report,
        row: 0,
    };
    let done: Result<()> = async {
        loop {
            let batch = source.next_batch().await?;
            taker.report.notes = batch.notes;
            if batch.rows.is_empty() {
                return before_its_end.await;
            }
            taker.take(batch.rows).await?;
            progress(&taker.report);
        }
    }
    .await;
    let report = taker.report;
    let failure = done.as_ref().err().map(Error::to_string);
    let (turn, failure) = (&run.turn, failure.as_deref());
    let (website, is_told) = (run.website.id, failure.is_none() && !options.is_dry_run);
    let told = &serde_json::json!({ options.noun.as_str(): report.counts });
    let ended = db.transaction(async |conn| {
        if is_told {
            audit::store::insert_import(conn, website, told).await?;
        }
        transfer::end(conn, turn, failure).await
    });
    ended.await?;
    done.map(|()| report)
}

/// A row that can be taken over.
struct Good {
    line: u64,
    lines: Vec<ByteRecord>,
    record: Record,
}

/// Takes batch after batch.
struct Taker<'a> {
    run: &'a Run<'a>,
    rejects: Rejects,
    met: Met,
    places: Places,
    growth: Growth,
    report: Report,
    /// Rows of the file that are behind us.
    row: i64,
}

impl Taker<'_> {
    async fn take(&mut self, rows: Vec<Row<Record>>) -> Result<()> {
        let (mut good, mut refused) = (Vec::with_capacity(rows.len()), Vec::new());
        for Row { line, fields: lines, record } in rows {
            self.row += 1;
            let checked = record.and_then(|mut record| {
                check::names(&mut record)?;
                self.met.check(line, &record)?;
                Ok(record)
            });
            if self.row <= self.run.turn.checkpoint {
                continue;
            }
            self.report.counts.read += 1;
            match checked {
                Ok(record) => good.push(Good { line, lines, record }),
                Err(why) => refused.push((line, lines, why)),
            }
        }
        if self.row <= self.run.turn.checkpoint {
            return Ok(());
        }
        let good = self.learn(good, &mut refused).await?;
        let fates = self.all_fates(&good).await?;
        for (good, fate) in good.into_iter().zip(fates) {
            match fate {
                Fate::Created => self.report.counts.created += 1,
                Fate::Updated => self.report.counts.updated += 1,
                Fate::Unchanged => self.report.counts.unchanged += 1,
                Fate::Refused(why) => refused.push((good.line, good.lines, why)),
            }
        }
        refused.sort_by_key(|(line, ..)| *line);
        for (line, lines, why) in refused {
            self.rejects.add(line, &lines, &why)?;
            self.report.reject(line, why);
        }
        // Before the database hears that these rows are behind us: none is lost, though one may be there twice.
        self.rejects.flush()?;
        let (turn, report, row) = (&self.run.turn, &self.report, self.row);
        self.run.db.transaction(async |conn| transfer::note(conn, turn, report, row).await).await?;
        if !self.run.options.is_dry_run {
            self.growth.note(self.run.db, self.report.counts.created, GROWING).await;
        }
        Ok(())
    }

    /// Finds what the rows refer to, and makes what is missing for those that will be taken over: the others are refused first,
    /// so that they leave nothing behind.
    async fn learn(
        &mut self,
        good: Vec<Good>,
        refused: &mut Vec<(u64, Vec<ByteRecord>, Refused)>,
    ) -> Result<Vec<Good>> {
        let run = self.run;
        if !matches!(run.options.noun, Noun::Products | Noun::Categories) {
            return Ok(good);
        }
        let mut found = self.places.clone();
        learn(run, &mut found, &good, true).await?;
        if run.options.is_dry_run || found.invented() == self.places.invented() {
            self.places = found;
            return Ok(good);
        }
        let fates = run.db.read(async |conn| write(conn, run, &found, &good, true).await).await?;
        let mut kept = Vec::with_capacity(good.len());
        for (good, fate) in good.into_iter().zip(fates) {
            match fate {
                Fate::Refused(why) => refused.push((good.line, good.lines, why)),
                _ => kept.push(good),
            }
        }
        learn(run, &mut self.places, &kept, false).await?;
        Ok(kept)
    }

    /// Products are written over several connections: PostgreSQL works for each row far longer than souk does, on one processor
    /// for one connection.
    async fn all_fates(&self, good: &[Good]) -> Result<Vec<Fate>> {
        if self.run.options.noun != Noun::Products || good.len() < PARALLEL {
            return self.fates(good).await;
        }
        let parts = good.chunks(good.len().div_ceil(CONNECTIONS)).map(|part| self.fates(part));
        Ok(try_join_all(parts).await?.concat())
    }

    /// Writes rows together, and in halves where the database refuses them together, until the one is found that is to
    /// blame.
    async fn fates(&self, good: &[Good]) -> Result<Vec<Fate>> {
        let mut fates = Vec::with_capacity(good.len());
        let mut parts = vec![good];
        while let Some(part) = parts.pop() {
            match self.write(part).await {
                Ok(part) => fates.extend(part),
                Err(error @ (Error::User(_) | Error::Constraint { .. })) if part.len() <= 1 => {
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
        let (run, places) = (self.run, &self.places);
        if part.is_empty() {
            return Ok(Vec::new());
        }
        if run.options.is_dry_run {
            return run.db.read(async |conn| write(conn, run, places, part, true).await).await;
        }
        run.db
            .transaction(async |conn| {
                transfer::begin_batch(conn).await?;
                write(conn, run, places, part, false).await
            })
            .await
    }
}

/// Finds what rows refer to, and makes what is missing unless this is dry.
async fn learn(run: &Run<'_>, places: &mut Places, good: &[Good], is_dry: bool) -> Result<()> {
    match run.options.noun {
        Noun::Products => {
            let products = all(good, product);
            places.learn(run.db, &run.website, Wanted::of_products(&products), is_dry).await
        }
        _ => categories::learn(run.db, run, places, &all(good, category), is_dry).await,
    }
}

/// What becomes of rows, which are written unless this is dry.
async fn write(conn: &Conn, run: &Run<'_>, places: &Places, part: &[Good], is_dry: bool) -> Result<Vec<Fate>> {
    match run.options.noun {
        Noun::Categories => categories::write(conn, run, places, &all(part, category), is_dry).await,
        Noun::Customers => customers::write(conn, run, &all(part, customer), is_dry).await,
        Noun::Orders => orders::write(conn, run, &all(part, order), is_dry).await,
        _ => products::write(conn, run, places, &all(part, product), is_dry).await,
    }
}

/// The records of one kind, which all of a file are.
fn all<'g, T>(rows: &'g [Good], pick: impl Fn(&'g Record) -> Option<&'g T>) -> Vec<&'g T> {
    rows.iter().filter_map(|good| pick(&good.record)).collect()
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
