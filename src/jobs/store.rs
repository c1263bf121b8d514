//! Every statement on background work.

use std::time::Duration;

use chrono::{DateTime, Utc};
use diesel::{data_types::PgInterval, dsl::now, prelude::*};
use diesel_async::RunQueryDsl;

use tokio::sync::Notify;

use super::model::{Failure, JobRow, LEASE, NewJob, State};
use crate::{
    db::{Conn, sql::timestamptz_pl_interval, tables::jobs},
    error::Result,
    ids::{JobId, UserId},
};

/// Rings whenever a job is queued in this process, whose transaction has yet to commit. One bell for all workers: who hears
/// it looks at a table, no more.
pub(super) static BELL: Notify = Notify::const_new();

/// Queues a job: it runs after the caller's transaction has committed, and never where that is undone.
pub async fn enqueue(conn: &Conn, new: &NewJob) -> Result<()> {
    enqueue_all(conn, std::slice::from_ref(new)).await
}

/// Queues jobs, in one statement.
pub async fn enqueue_all(mut conn: &Conn, new: &[NewJob]) -> Result<()> {
    if new.is_empty() {
        return Ok(());
    }
    diesel::insert_into(jobs::table).values(new).execute(&mut conn).await?;
    BELL.notify_waiters();
    Ok(())
}

/// As [`enqueue`], for who wants to [`delete`] it before it runs.
pub async fn insert(mut conn: &Conn, new: &NewJob) -> Result<JobId> {
    let id = diesel::insert_into(jobs::table).values(new).returning(jobs::id).get_result(&mut conn).await?;
    BELL.notify_waiters();
    Ok(id)
}

/// Takes a job off the table whose work is done otherwise.
pub async fn delete(mut conn: &Conn, id: JobId) -> Result<()> {
    diesel::delete(jobs::table.find(id)).execute(&mut conn).await?;
    Ok(())
}

/// Takes up to `limit` jobs of these kinds that are due, the longest due first: they are the caller's until the lease runs
/// out. Called in a transaction of its own, which must commit before the jobs run.
pub async fn claim(mut conn: &Conn, kinds: &[&str], limit: i64) -> Result<Vec<JobRow>> {
    let free = jobs::locked_until.is_null().or(jobs::locked_until.le(now));
    let due = jobs::table
        .filter(jobs::state.eq(State::Queued.as_str()))
        .filter(jobs::run_at.le(now))
        .filter(jobs::kind.eq_any(kinds))
        .filter(free)
        .order((jobs::run_at, jobs::id))
        .limit(limit)
        .select(jobs::id)
        .for_update()
        .skip_locked();
    let ids: Vec<JobId> = due.load(&mut conn).await?;
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let claimed = diesel::update(jobs::table.filter(jobs::id.eq_any(ids)))
        .set((
            jobs::attempts.eq(jobs::attempts + 1),
            jobs::locked_until.eq(timestamptz_pl_interval(now, interval(LEASE)).nullable()),
        ))
        .returning(JobRow::as_returning());
    let mut claimed: Vec<JobRow> = claimed.get_results(&mut conn).await?;
    claimed.sort_by_key(|job| job.id);
    Ok(claimed)
}

/// Takes a job that is done off the table. It is done whoever holds it by now.
pub async fn done(mut conn: &Conn, job: &JobRow) -> Result<()> {
    diesel::delete(jobs::table.find(job.id)).execute(&mut conn).await?;
    Ok(())
}

/// Notes that a job failed: it waits for a pause that grows, or is dead. Nothing happens where its lease ran out and somebody
/// else claimed it meanwhile.
pub async fn fail(mut conn: &Conn, job: &JobRow, failure: &Failure, is_dead: bool) -> Result<()> {
    let mine = jobs::table.find(job.id).filter(jobs::attempts.eq(job.attempts));
    let state = if is_dead { State::Dead } else { State::Queued };
    let failed = diesel::update(mine).set((
        jobs::state.eq(state.as_str()),
        jobs::run_at.eq(timestamptz_pl_interval(now, interval(job.pause()))),
        jobs::locked_until.eq(None::<DateTime<Utc>>),
        jobs::last_error.eq(failure.why()),
    ));
    failed.execute(&mut conn).await?;
    Ok(())
}

/// Takes every job off the table that holds personal data of this user, dead ones too.
pub async fn delete_of_user(mut conn: &Conn, user: UserId) -> Result<usize> {
    Ok(diesel::delete(jobs::table.filter(jobs::user_id.eq(user))).execute(&mut conn).await?)
}

fn interval(duration: Duration) -> PgInterval {
    PgInterval::from_microseconds(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX))
}
