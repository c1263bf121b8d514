//! The SQL statements on jobs.
//! Scope: `All` sees every job, all other scopes see none, including staff limited to some websites, because jobs
//! belong to no website.

mod due;

use std::time::Duration;

use chrono::{DateTime, Utc};
use diesel::{
    dsl::now,
    prelude::*,
    sql_types::{BigInt, Jsonb, Nullable, Text},
};
use diesel_async::RunQueryDsl;
use serde_json::{Value, json};
use tokio::sync::Notify;

use self::due::DueJobs;
use super::model::{Failure, JobCondition, JobOrderField, JobRow, JobState, JobSummary, LEASE, NewJob, StoredState};
use crate::{
    auth::Scope,
    db::{
        Conn, after_commit,
        filter::{Condition, Op, constant},
        insert_rows::{Statement, insert_rows},
        list_statements::list_statements,
        sql::{from_now, op, text_op},
        tables::jobs,
    },
    error::Result,
    ids::{JobId, UserId},
};

/// Notified whenever a transaction of this process that queued a job has committed. It is shared by all workers; a
/// notified worker only polls the table.
pub(super) static JOB_QUEUED: Notify = Notify::const_new();

/// Notifies the workers of this process once the current transaction has committed.
fn notify_workers() {
    after_commit(|| JOB_QUEUED.notify_waiters());
}

/// Queues a job. It runs after the caller's transaction has committed, and never if the transaction is rolled back.
pub async fn enqueue(conn: &Conn, new: &NewJob) -> Result<()> {
    enqueue_all(conn, std::slice::from_ref(new)).await
}

/// Queues jobs in one statement.
pub async fn enqueue_all(mut conn: &Conn, new: &[NewJob]) -> Result<()> {
    if new.is_empty() {
        return Ok(());
    }
    diesel::insert_into(jobs::table).values(new).execute(&mut conn).await?;
    notify_workers();
    Ok(())
}

insert_rows! {
    /// Queues jobs that are due immediately.
    QueueJobs in jobs of NewJob {
        kind: &'static str as Text,
        payload: Value as Jsonb,
        user_id: Option<UserId> as Nullable<BigInt>,
    }
}

/// Returns the statement that queues jobs that are due immediately, as a part of a larger statement; none if there are
/// none.
pub fn queue_statement(new: &[NewJob]) -> Option<Statement<'static>> {
    let insert = QueueJobs::new(new)?;
    notify_workers();
    Some(Box::new(insert))
}

/// Queues a job as [`enqueue`] does and returns its id, so that the caller can [`delete`] it before it runs.
pub async fn insert(mut conn: &Conn, new: &NewJob) -> Result<JobId> {
    let id = diesel::insert_into(jobs::table).values(new).returning(jobs::id).get_result(&mut conn).await?;
    notify_workers();
    Ok(id)
}

/// Claims up to `limit` due jobs of these kinds, longest due first. They belong to the caller until the lease expires.
/// Must be called in a transaction of its own, which commits before the jobs run.
pub async fn claim(mut conn: &Conn, kinds: &[&str], limit: i64) -> Result<Vec<JobRow>> {
    let ids: Vec<JobId> = DueJobs { kinds, limit }.load(&mut conn).await?;
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let claimed = diesel::update(jobs::table.filter(jobs::id.eq_any(ids)))
        .set((jobs::attempts.eq(jobs::attempts + 1), jobs::locked_until.eq(from_now(LEASE).nullable())))
        .returning(JobRow::as_returning());
    let mut claimed: Vec<JobRow> = claimed.get_results(&mut conn).await?;
    claimed.sort_by_key(|job| job.id);
    Ok(claimed)
}

/// Deletes a completed job, even if another worker has claimed it meanwhile.
pub async fn complete(mut conn: &Conn, job: &JobRow) -> Result<()> {
    diesel::delete(jobs::table.find(job.id)).execute(&mut conn).await?;
    Ok(())
}

/// Renews the lease of a job; returns `false` if another worker has claimed it meanwhile.
pub async fn renew_lease(mut conn: &Conn, job: &JobRow) -> Result<bool> {
    let leased = jobs::table.find(job.id).filter(jobs::attempts.eq(job.attempts));
    let until = from_now(LEASE).nullable();
    Ok(diesel::update(leased).set(jobs::locked_until.eq(until)).execute(&mut conn).await? > 0)
}

/// Returns a job that was interrupted to the queue, as if it had not been claimed.
pub async fn release(mut conn: &Conn, job: &JobRow) -> Result<()> {
    let leased = jobs::table.find(job.id).filter(jobs::attempts.eq(job.attempts));
    let waiting = (jobs::attempts.eq(jobs::attempts - 1), jobs::locked_until.eq(None::<DateTime<Utc>>));
    diesel::update(leased).set(waiting).execute(&mut conn).await?;
    Ok(())
}

/// Reschedules a completed recurring job. Does nothing if its lease expired and another worker has claimed it.
pub async fn reschedule(mut conn: &Conn, job: &JobRow, period: Duration) -> Result<()> {
    let leased = jobs::table.find(job.id).filter(jobs::attempts.eq(job.attempts));
    let waiting = diesel::update(leased).set((
        jobs::attempts.eq(0),
        jobs::run_at.eq(from_now(period)),
        jobs::locked_until.eq(None::<DateTime<Utc>>),
        jobs::last_error.eq(None::<String>),
    ));
    waiting.execute(&mut conn).await?;
    Ok(())
}

/// Inserts the missing recurring jobs of these kinds, due immediately.
pub async fn insert_recurring(mut conn: &Conn, kinds: &[&str]) -> Result<()> {
    let rows: Vec<_> = kinds
        .iter()
        .map(|kind| (jobs::kind.eq(*kind), jobs::payload.eq(json!({})), jobs::is_recurring.eq(true)))
        .collect();
    diesel::insert_into(jobs::table).values(rows).on_conflict_do_nothing().execute(&mut conn).await?;
    Ok(())
}

/// Records a failed attempt: the job is retried after the pause, or dead if there is none. Does nothing if its lease
/// expired and another worker has claimed it.
pub async fn fail(mut conn: &Conn, job: &JobRow, failure: &Failure, pause: Option<Duration>) -> Result<()> {
    let leased = jobs::table.find(job.id).filter(jobs::attempts.eq(job.attempts));
    let state = if pause.is_none() { StoredState::Dead } else { StoredState::Queued };
    let failed = diesel::update(leased).set((
        jobs::state.eq(state.as_str()),
        jobs::run_at.eq(from_now(pause.unwrap_or_default())),
        jobs::locked_until.eq(None::<DateTime<Utc>>),
        jobs::last_error.eq(failure.reason()),
    ));
    failed.execute(&mut conn).await?;
    Ok(())
}

/// Deletes all jobs with personal data of this user, including dead ones.
pub async fn delete_of_user(mut conn: &Conn, user: UserId) -> Result<usize> {
    Ok(diesel::delete(jobs::table.filter(jobs::user_id.eq(user))).execute(&mut conn).await?)
}

fn visible(scope: &Scope) -> Condition<'static, jobs::table> {
    constant(*scope == Scope::All)
}

fn is_held() -> Condition<'static, jobs::table> {
    Box::new(jobs::locked_until.is_not_null().and(jobs::locked_until.assume_not_null().gt(now)))
}

fn has_state(state: JobState) -> Condition<'static, jobs::table> {
    let queued = jobs::state.eq(StoredState::Queued.as_str());
    match state {
        JobState::Queued => Box::new(queued.and(diesel::dsl::not(is_held()))),
        JobState::Running => Box::new(queued.and(is_held())),
        JobState::Dead => Box::new(jobs::state.eq(StoredState::Dead.as_str())),
    }
}

fn condition(condition: &JobCondition) -> Condition<'static, jobs::table> {
    use JobCondition as C;
    match condition {
        C::State(Op::Eq(state)) => has_state(*state),
        C::State(Op::In(any)) => any
            .iter()
            .map(|state| has_state(*state))
            .reduce(|a, b| Box::new(a.or(b)))
            .unwrap_or_else(|| constant(false)),
        // States have no order, and every job has a state.
        C::State(Op::Gte(_) | Op::Lte(_) | Op::Contains(_) | Op::StartsWith(_)) => constant(false),
        C::State(Op::IsNull(null)) => constant(!null),
        C::Kind(kind) => text_op!(kind, jobs::kind),
        C::CreatedAt(at) => op!(at, jobs::created_at),
    }
}

list_statements! {
    /// A list of jobs.
    JobList of JobSummary in jobs where JobCondition by JobOrderField { CreatedAt => created_at: DateTime<Utc> }
    for scope by visible
}

/// Returns the visible jobs with these ids, in no particular order.
pub async fn by_ids(mut conn: &Conn, scope: &Scope, ids: &[JobId]) -> Result<Vec<JobSummary>> {
    let query = jobs::table.filter(jobs::id.eq_any(ids)).select(JobSummary::as_select()).into_boxed();
    Ok(query.filter(visible(scope)).load(&mut conn).await?)
}

/// Locks a visible job and returns it.
pub async fn lock(mut conn: &Conn, scope: &Scope, id: JobId) -> Result<Option<JobSummary>> {
    let query = jobs::table.filter(visible(scope)).filter(jobs::id.eq(id)).select(JobSummary::as_select());
    Ok(query.for_update().first(&mut conn).await.optional()?)
}

/// Queues a job again, due immediately.
pub async fn update_queued(mut conn: &Conn, id: JobId) -> Result<JobSummary> {
    let queued = (
        jobs::state.eq(StoredState::Queued.as_str()),
        jobs::attempts.eq(0),
        jobs::run_at.eq(now),
        jobs::locked_until.eq(None::<DateTime<Utc>>),
    );
    let query = diesel::update(jobs::table.find(id)).set(queued).returning(JobSummary::as_returning());
    let job = query.get_result(&mut conn).await?;
    notify_workers();
    Ok(job)
}

/// Deletes a job.
pub async fn delete(mut conn: &Conn, id: JobId) -> Result<()> {
    diesel::delete(jobs::table.find(id)).execute(&mut conn).await?;
    Ok(())
}
