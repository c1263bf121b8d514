//! The row of a run in `transfers`, and the rows of `sources` that tell of what it saw.
//! Rule: one run of a noun and website at a time. Who runs holds the row for a while and says so with each batch; who finds
//! it held by somebody else waits; who finds it let go goes on behind its last batch.

use std::time::Duration;

use diesel::{
    QueryableByName, sql_query,
    sql_types::{Array, BigInt, Bool, Bytea, Integer, Jsonb, Nullable, Text},
};
use diesel_async::{RunQueryDsl, SimpleAsyncConnection};
use serde_json::Value;

use super::{
    super::model::{Counts, ImportOptions, Report},
    Run,
};
use crate::{
    audit,
    db::{Conn, Db, bulk},
    error::{Error, ErrorCode, Result},
    ids::{TransferId, WebsiteId},
};

/// How long a run holds its row after each batch; a batch is far shorter.
pub const LEASE_SECONDS: i32 = 30;
/// The pause between two looks at a row that somebody else holds.
const PAUSE: Duration = Duration::from_millis(250);

/// A run that has its turn.
#[derive(Debug, Clone)]
pub struct Turn {
    /// Its row.
    pub id: TransferId,
    /// Which of the runs of this row it is.
    pub run: i32,
    /// The row of the file behind which it goes on.
    pub checkpoint: i64,
    /// What was counted up to there.
    pub report: Report,
}

#[derive(QueryableByName)]
struct Taken {
    #[diesel(sql_type = BigInt)]
    id: TransferId,
    #[diesel(sql_type = Integer)]
    run: i32,
    #[diesel(sql_type = BigInt)]
    checkpoint: i64,
    #[diesel(sql_type = BigInt)]
    processed: i64,
    #[diesel(sql_type = BigInt)]
    created: i64,
    #[diesel(sql_type = BigInt)]
    updated: i64,
    #[diesel(sql_type = BigInt)]
    unchanged: i64,
    #[diesel(sql_type = BigInt)]
    rejected: i64,
    #[diesel(sql_type = Jsonb)]
    errors: Value,
}

impl Taken {
    fn turn(self) -> Turn {
        let counts = Counts {
            read: self.processed.unsigned_abs(),
            created: self.created.unsigned_abs(),
            updated: self.updated.unsigned_abs(),
            unchanged: self.unchanged.unsigned_abs(),
            rejected: self.rejected.unsigned_abs(),
        };
        let errors = serde_json::from_value(self.errors).unwrap_or_default();
        let report = Report { counts, errors, ..Report::default() };
        Turn { id: self.id, run: self.run, checkpoint: self.checkpoint, report }
    }
}

/// The row of this file, where a run of it was cut off, or a new one.
/// # Errors
/// Those of the database.
pub async fn open(
    mut conn: &Conn,
    website: Option<WebsiteId>,
    options: &ImportOptions,
    hash: Option<&[u8]>,
) -> Result<TransferId> {
    #[derive(QueryableByName)]
    struct Id {
        #[diesel(sql_type = BigInt)]
        id: TransferId,
    }
    let query = sql_query(
        "WITH cut_off AS (
             SELECT id FROM transfers
             WHERE input_hash = $5 AND status IN ('queued', 'running', 'failed') AND direction = 'import' AND noun = $1
               AND format = $2 AND website_id IS NOT DISTINCT FROM $3 AND is_dry_run = $6 AND user_id IS NOT DISTINCT FROM $4
               AND NOT is_dry_run
             ORDER BY id DESC LIMIT 1
         ), new AS (
             INSERT INTO transfers (direction, noun, format, website_id, user_id, input_hash, is_dry_run)
             SELECT 'import', $1, $2, $3, $4, $5, $6 WHERE NOT EXISTS (SELECT FROM cut_off) RETURNING id
         ) SELECT id FROM cut_off UNION ALL SELECT id FROM new",
    );
    let row: Id = query
        .bind::<Text, _>(options.noun.as_str())
        .bind::<Text, _>(options.format.as_str())
        .bind::<Nullable<BigInt>, _>(website)
        .bind::<Nullable<BigInt>, _>(options.user)
        .bind::<Nullable<Bytea>, _>(hash)
        .bind::<Bool, _>(options.is_dry_run)
        .get_result(&mut conn)
        .await?;
    Ok(row.id)
}

/// Takes the turn of a row unless somebody else holds one of this noun and website, or the row is done.
async fn take(mut conn: &Conn, id: TransferId) -> Result<Option<Turn>> {
    sql_query("SELECT pg_advisory_xact_lock(hashtext('transfers'))").execute(&mut conn).await?;
    let query = sql_query(
        "UPDATE transfers t SET status = 'running', run = t.run + 1, failure = NULL, finished_at = NULL,
                started_at = coalesce(t.started_at, now()), locked_until = now() + make_interval(secs => $2)
         WHERE t.id = $1 AND (t.status <> 'done' OR t.is_dry_run) AND NOT EXISTS (
             SELECT FROM transfers o WHERE o.status = 'running' AND o.locked_until > now() AND o.noun = t.noun
                AND o.direction = t.direction AND o.website_id IS NOT DISTINCT FROM t.website_id AND NOT t.is_dry_run AND NOT o.is_dry_run)
         RETURNING id, run, checkpoint, processed, created, updated, unchanged, rejected, errors",
    );
    let taken: Vec<Taken> = query
        .bind::<BigInt, _>(id)
        .bind::<diesel::sql_types::Double, _>(f64::from(LEASE_SECONDS))
        .load(&mut conn)
        .await?;
    Ok(taken.into_iter().next().map(Taken::turn))
}

/// Waits for the turn of a row; none where somebody else has brought it to its end meanwhile.
/// # Errors
/// Those of the database.
pub async fn wait(db: &Db, id: TransferId) -> Result<Option<Turn>> {
    let mut is_told = false;
    loop {
        if let Some(turn) = db.transaction(async |conn| take(conn, id).await).await? {
            return Ok(Some(turn));
        }
        if db.read(async |conn| is_done(conn, id).await).await? {
            return Ok(None);
        }
        if !is_told {
            tracing::info!("another import of the same website is running: waiting for it");
            is_told = true;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn is_done(mut conn: &Conn, id: TransferId) -> Result<bool> {
    let query = sql_query("SELECT id FROM transfers WHERE id = $1 AND status = 'done'");
    Ok(query.bind::<BigInt, _>(id).execute(&mut conn).await? > 0)
}

/// Notes how far the run is, in the transaction of its batch.
/// # Errors
/// [`Error::Coded`] where somebody else has taken the row over; those of the database.
pub async fn note(mut conn: &Conn, turn: &Turn, report: &Report, checkpoint: i64) -> Result<()> {
    let query = sql_query(
        "UPDATE transfers SET checkpoint = $3, processed = $4, created = $5, updated = $6, unchanged = $7, rejected = $8,
                errors = $9, locked_until = now() + make_interval(secs => $10)
         WHERE id = $1 AND run = $2 AND status = 'running'",
    );
    let count = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let counts = report.counts;
    let noted = query
        .bind::<BigInt, _>(turn.id)
        .bind::<Integer, _>(turn.run)
        .bind::<BigInt, _>(checkpoint)
        .bind::<BigInt, _>(count(counts.read))
        .bind::<BigInt, _>(count(counts.created))
        .bind::<BigInt, _>(count(counts.updated))
        .bind::<BigInt, _>(count(counts.unchanged))
        .bind::<BigInt, _>(count(counts.rejected))
        .bind::<Jsonb, _>(errors(report)?)
        .bind::<diesel::sql_types::Double, _>(f64::from(LEASE_SECONDS))
        .execute(&mut conn)
        .await?;
    match noted {
        0 => Err(Error::Coded(ErrorCode::Conflict, "another run of this import has gone on meanwhile".into())),
        _ => Ok(()),
    }
}

/// Ends the run: done, or failed for this reason.
/// # Errors
/// Those of the database.
pub async fn end(mut conn: &Conn, turn: &Turn, failure: Option<&str>) -> Result<()> {
    let query = sql_query(
        "UPDATE transfers SET status = CASE WHEN $3 IS NULL THEN 'done' ELSE 'failed' END, failure = left($3, 1000),
                finished_at = now(), locked_until = NULL
         WHERE id = $1 AND run = $2",
    );
    let query = query.bind::<BigInt, _>(turn.id).bind::<Integer, _>(turn.run).bind::<Nullable<Text>, _>(failure);
    query.execute(&mut conn).await?;
    Ok(())
}

/// Begins the transaction of a batch: the audit log has one entry for the whole, and a crash of the database may take the
/// last batches back, with the notes of them, which the end of the run waits for.
/// # Errors
/// Those of the database.
pub async fn begin_batch(conn: &Conn) -> Result<()> {
    audit::store::silence(conn).await?;
    bulk::begin(conn).await?;
    Ok(SimpleAsyncConnection::batch_execute(&mut &*conn, "SET LOCAL synchronous_commit = off").await?)
}

fn errors(report: &Report) -> Result<Value> {
    serde_json::to_value(&report.errors).map_err(|error| Error::Internal(format!("report: {error}")))
}

/// Notes that the website still knows these things, and by which names of its own.
/// # Errors
/// Those of the database.
pub async fn see(mut conn: &Conn, run: &Run<'_>, noun: &str, known: &[(i64, Option<&str>)]) -> Result<()> {
    if known.is_empty() {
        return Ok(());
    }
    // What was made at the website itself is known there since then.
    let since = match noun {
        "Product" => {
            "coalesce((SELECT n.created_at FROM products n WHERE n.id = k.id AND n.source_website_id = $2), now())"
        }
        "User" => "coalesce((SELECT n.created_at FROM users n WHERE n.id = k.id AND n.source_website_id = $2), now())",
        _ => "now()",
    };
    let query = sql_query(format!(
        "INSERT INTO sources (noun, noun_id, website_id, external_id, last_transfer_id, first_seen)
         SELECT $1, k.id, $2, k.external_id, $3, {since} FROM unnest($4, $5) AS k (id, external_id) ORDER BY k.id
         ON CONFLICT ON CONSTRAINT sources_pkey DO UPDATE
         SET last_seen = EXCLUDED.last_seen, last_transfer_id = EXCLUDED.last_transfer_id,
             external_id = coalesce(EXCLUDED.external_id, sources.external_id)"
    ));
    let ids: Vec<i64> = known.iter().map(|(id, _)| *id).collect();
    let names: Vec<Option<&str>> = known.iter().map(|(_, name)| *name).collect();
    query
        .bind::<Text, _>(noun)
        .bind::<BigInt, _>(run.website.id)
        .bind::<BigInt, _>(run.turn.id)
        .bind::<Array<BigInt>, _>(ids)
        .bind::<Array<Nullable<Text>>, _>(names)
        .execute(&mut conn)
        .await?;
    Ok(())
}
