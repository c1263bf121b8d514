//! SQL statements on the row of a running import in `transfers`.
//! Rule: one run at a time per resource and website. A run holds a lease on its row, as long as that of a job, and renews
//! it; an expired lease can be taken by another run, which continues after the last batch.

use diesel::{
    QueryableByName, sql_query,
    sql_types::{BigInt, Bool, Bytea, Double, Integer, Jsonb, Nullable, Text},
};
use diesel_async::{RunQueryDsl, SimpleAsyncConnection};
use serde::Serialize;
use serde_json::Value;

use super::{
    super::model::{Counts, ImportOptions, Report},
    model::Lease,
};
use crate::{
    audit,
    db::{Conn, bulk},
    error::{Error, ErrorCode, Result},
    ids::{TransferId, WebsiteId},
    jobs::model::LEASE,
};

#[derive(QueryableByName)]
struct LeaseRow {
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
    #[diesel(sql_type = Jsonb)]
    rejections: Value,
    #[diesel(sql_type = Jsonb)]
    notes: Value,
}

impl LeaseRow {
    fn into_lease(self) -> Lease {
        let counts = Counts {
            read: self.processed.unsigned_abs(),
            created: self.created.unsigned_abs(),
            updated: self.updated.unsigned_abs(),
            unchanged: self.unchanged.unsigned_abs(),
            rejected: self.rejected.unsigned_abs(),
        };
        let errors = serde_json::from_value(self.errors).unwrap_or_default();
        let rejections = serde_json::from_value(self.rejections).unwrap_or_default();
        let notes = serde_json::from_value(self.notes).unwrap_or_default();
        let report = Report { counts, errors, rejections, notes, ..Report::default() };
        Lease { id: self.id, run: self.run, checkpoint: self.checkpoint, report }
    }
}

/// Returns the transfer of this file if an earlier run was interrupted; otherwise inserts one.
/// # Errors
/// Database errors.
pub async fn find_or_insert(
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
             WHERE input_hash = $5 AND status IN ('queued', 'running', 'failed') AND direction = 'import' AND resource = $1
               AND format = $2 AND website_id IS NOT DISTINCT FROM $3 AND is_dry_run = $6 AND user_id IS NOT DISTINCT FROM $4
               AND NOT is_dry_run
             ORDER BY id DESC LIMIT 1
         ), new AS (
             INSERT INTO transfers (direction, resource, format, website_id, user_id, input_hash, is_dry_run)
             SELECT 'import', $1, $2, $3, $4, $5, $6 WHERE NOT EXISTS (SELECT FROM cut_off) RETURNING id
         ) SELECT id FROM cut_off UNION ALL SELECT id FROM new",
    );
    let row: Id = query
        .bind::<Text, _>(options.resource.as_str())
        .bind::<Text, _>(options.format.as_str())
        .bind::<Nullable<BigInt>, _>(website)
        .bind::<Nullable<BigInt>, _>(options.user)
        .bind::<Nullable<Bytea>, _>(hash)
        .bind::<Bool, _>(options.is_dry_run)
        .get_result(&mut conn)
        .await?;
    Ok(row.id)
}

/// Takes the lease of a transfer, unless another run holds one for this resource and website or the transfer is done.
/// # Errors
/// Database errors.
pub async fn take_lease(mut conn: &Conn, id: TransferId) -> Result<Option<Lease>> {
    sql_query("SELECT pg_advisory_xact_lock(hashtext('transfers'))").execute(&mut conn).await?;
    let query = sql_query(
        "UPDATE transfers t SET status = 'running', run = t.run + 1, failure = NULL, finished_at = NULL,
                started_at = coalesce(t.started_at, now()), locked_until = now() + make_interval(secs => $2)
         WHERE t.id = $1 AND (t.status <> 'done' OR t.is_dry_run) AND NOT EXISTS (
             SELECT FROM transfers o WHERE o.status = 'running' AND o.locked_until > now() AND o.resource = t.resource
                AND o.direction = t.direction AND o.website_id IS NOT DISTINCT FROM t.website_id AND NOT t.is_dry_run AND NOT o.is_dry_run)
         RETURNING id, run, checkpoint, processed, created, updated, unchanged, rejected, errors, rejections, notes",
    );
    let taken: Vec<LeaseRow> =
        query.bind::<BigInt, _>(id).bind::<Double, _>(LEASE.as_secs_f64()).load(&mut conn).await?;
    Ok(taken.into_iter().next().map(LeaseRow::into_lease))
}

/// Returns whether a transfer is done.
/// # Errors
/// Database errors.
pub async fn is_done(mut conn: &Conn, id: TransferId) -> Result<bool> {
    let query = sql_query("SELECT id FROM transfers WHERE id = $1 AND status = 'done'");
    Ok(query.bind::<BigInt, _>(id).execute(&mut conn).await? > 0)
}

/// Stores the progress of the run and renews the lease.
/// # Errors
/// [`Error::Coded`] if another run has taken the lease; database errors.
pub async fn update_checkpoint(mut conn: &Conn, lease: &Lease, report: &Report, checkpoint: i64) -> Result<()> {
    let query = sql_query(
        "UPDATE transfers SET checkpoint = $3, processed = $4, created = $5, updated = $6, unchanged = $7, rejected = $8,
                errors = $9, locked_until = now() + make_interval(secs => $10), rejections = $11, missing = $12,
                notes = $13, ignored_columns = $14
         WHERE id = $1 AND run = $2 AND status = 'running'",
    );
    let count = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let counts = report.counts;
    let noted = query
        .bind::<BigInt, _>(lease.id)
        .bind::<Integer, _>(lease.run)
        .bind::<BigInt, _>(checkpoint)
        .bind::<BigInt, _>(count(counts.read))
        .bind::<BigInt, _>(count(counts.created))
        .bind::<BigInt, _>(count(counts.updated))
        .bind::<BigInt, _>(count(counts.unchanged))
        .bind::<BigInt, _>(count(counts.rejected))
        .bind::<Jsonb, _>(json(&report.errors)?)
        .bind::<Double, _>(LEASE.as_secs_f64())
        .bind::<Jsonb, _>(json(&report.rejections)?)
        .bind::<Nullable<BigInt>, _>(report.missing.map(count))
        .bind::<Jsonb, _>(json(&report.notes)?)
        .bind::<Jsonb, _>(json(&report.ignored_columns)?)
        .execute(&mut conn)
        .await?;
    check_held(noted)
}

/// Renews the lease of the run.
/// # Errors
/// [`Error::Coded`] if another run has taken the lease; database errors.
pub async fn renew_lease(mut conn: &Conn, lease: &Lease) -> Result<()> {
    let query = sql_query(
        "UPDATE transfers SET locked_until = now() + make_interval(secs => $3)
         WHERE id = $1 AND run = $2 AND status = 'running'",
    );
    let query = query.bind::<BigInt, _>(lease.id).bind::<Integer, _>(lease.run);
    check_held(query.bind::<Double, _>(LEASE.as_secs_f64()).execute(&mut conn).await?)
}

/// Checks that the row of the run was updated.
fn check_held(updated: usize) -> Result<()> {
    match updated {
        0 => Err(Error::Coded(ErrorCode::Conflict, "another run has continued this import".into())),
        _ => Ok(()),
    }
}

/// Ends the run as done, or as failed with this reason, and releases the lease.
/// # Errors
/// Database errors.
pub async fn update_ended(mut conn: &Conn, lease: &Lease, failure: Option<&str>) -> Result<()> {
    let query = sql_query(
        "UPDATE transfers SET status = CASE WHEN $3 IS NULL THEN 'done' ELSE 'failed' END, failure = left($3, 1000),
                finished_at = now(), locked_until = NULL
         WHERE id = $1 AND run = $2",
    );
    let query = query.bind::<BigInt, _>(lease.id).bind::<Integer, _>(lease.run).bind::<Nullable<Text>, _>(failure);
    query.execute(&mut conn).await?;
    Ok(())
}

/// Starts the transaction of a batch: row-level audit entries are suppressed, and the commit is asynchronous. A
/// database crash may lose the last batches together with their progress; the end of the run commits synchronously.
/// # Errors
/// Database errors.
pub async fn begin_batch(conn: &Conn) -> Result<()> {
    audit::store::suppress(conn).await?;
    bulk::force_generic_plans(conn).await?;
    Ok(SimpleAsyncConnection::batch_execute(&mut &*conn, "SET LOCAL synchronous_commit = off").await?)
}

fn json(list: &impl Serialize) -> Result<Value> {
    serde_json::to_value(list).map_err(|error| Error::Internal(format!("report: {error}")))
}
