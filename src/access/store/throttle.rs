//! SQL statements on throttling counters.

use chrono::{DateTime, Duration, Utc};
use diesel::{
    dsl::{case_when, max},
    prelude::*,
    sql_types::Integer,
    upsert::excluded,
};
use diesel_async::RunQueryDsl;

use super::super::model::throttle::RESET_AFTER;
use crate::{
    db::{Conn, sql::clock_timestamp, tables::login_throttles as throttles},
    error::Result,
};

/// The state of a counter after an increment.
#[derive(Debug, Queryable)]
pub struct CounterState {
    /// Key of the counter.
    pub key: String,
    /// Number of attempts, including this one.
    pub attempts: i32,
    /// Until when attempts are blocked.
    pub blocked_until: Option<DateTime<Utc>>,
    /// The database's current time.
    pub now: DateTime<Utc>,
}

/// Returns until when one of these counters blocks attempts (none if no counter does), and the database's current time.
pub async fn blocked_until(mut conn: &Conn, keys: &[&str]) -> Result<(Option<DateTime<Utc>>, DateTime<Utc>)> {
    let query =
        throttles::table.filter(throttles::key.eq_any(keys)).select((max(throttles::blocked_until), clock_timestamp()));
    Ok(query.first(&mut conn).await?)
}

/// Increments these counters in one statement; those without an attempt for `reset_after` start again. Concurrent
/// increments of the same counter wait until the transaction ends; the keys are sorted, so that they cannot deadlock.
pub async fn increment(mut conn: &Conn, keys: &[&str], reset_after: Duration) -> Result<Vec<CounterState>> {
    let rows: Vec<_> = keys
        .iter()
        .map(|one| (throttles::key.eq(*one), throttles::attempts.eq(1), throttles::updated_at.eq(clock_timestamp())))
        .collect();
    let next = case_when(throttles::updated_at.lt(Utc::now() - reset_after), 1.into_sql::<Integer>())
        .otherwise(throttles::attempts + 1);
    let query = diesel::insert_into(throttles::table)
        .values(rows)
        .on_conflict(throttles::key)
        .do_update()
        .set((throttles::attempts.eq(next), throttles::updated_at.eq(clock_timestamp())))
        .returning((throttles::key, throttles::attempts, throttles::blocked_until, throttles::updated_at));
    Ok(query.get_results(&mut conn).await?)
}

/// Blocks counters, each until its own time.
pub async fn block(mut conn: &Conn, blocks: &[(&str, DateTime<Utc>)]) -> Result<()> {
    let rows: Vec<_> = blocks
        .iter()
        .map(|(one, until)| {
            (
                throttles::key.eq(*one),
                throttles::attempts.eq(1),
                throttles::blocked_until.eq(*until),
                throttles::updated_at.eq(clock_timestamp()),
            )
        })
        .collect();
    let query = diesel::insert_into(throttles::table)
        .values(rows)
        .on_conflict(throttles::key)
        .do_update()
        .set(throttles::blocked_until.eq(excluded(throttles::blocked_until)));
    query.execute(&mut conn).await?;
    Ok(())
}

/// Locks counters, in key order, so that transactions cannot deadlock.
pub async fn lock(mut conn: &Conn, keys: &[&str]) -> Result<()> {
    let query =
        throttles::table.filter(throttles::key.eq_any(keys)).order(throttles::key).select(throttles::key).for_update();
    let _: Vec<String> = query.load(&mut conn).await?;
    Ok(())
}

/// Removes one attempt and the pause from each of these counters, and all attempts from those to clear.
pub async fn decrement(mut conn: &Conn, keys: &[&str], clear: &[&str]) -> Result<()> {
    let counted = throttles::table.filter(throttles::key.eq_any(keys)).filter(throttles::attempts.gt(0));
    let left = case_when(throttles::key.eq_any(clear), 0.into_sql::<Integer>()).otherwise(throttles::attempts - 1);
    let none: Option<DateTime<Utc>> = None;
    diesel::update(counted)
        .set((throttles::attempts.eq(left), throttles::blocked_until.eq(none)))
        .execute(&mut conn)
        .await?;
    Ok(())
}

/// Deletes counters.
pub async fn delete(mut conn: &Conn, keys: &[&str]) -> Result<()> {
    diesel::delete(throttles::table.filter(throttles::key.eq_any(keys))).execute(&mut conn).await?;
    Ok(())
}

/// Deletes counters that would restart with the next attempt. Returns their number.
pub async fn delete_expired(mut conn: &Conn) -> Result<usize> {
    let faded = throttles::table.filter(throttles::updated_at.lt(Utc::now() - RESET_AFTER));
    Ok(diesel::delete(faded).execute(&mut conn).await?)
}
