//! Every statement on the counters of attempts.

use chrono::{DateTime, Utc};
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

/// A counter after an attempt was added.
#[derive(Debug, Queryable)]
pub struct CounterState {
    /// Its key.
    pub key: String,
    /// The attempts, this one among them.
    pub attempts: i32,
    /// Until when nothing may be tried.
    pub blocked_until: Option<DateTime<Utc>>,
    /// The database's clock.
    pub now: DateTime<Utc>,
}

/// Until when one of these counters blocks; none where nothing is known of them.
pub async fn blocked_until(mut conn: &Conn, keys: &[&str]) -> Result<(Option<DateTime<Utc>>, DateTime<Utc>)> {
    let query =
        throttles::table.filter(throttles::key.eq_any(keys)).select((max(throttles::blocked_until), clock_timestamp()));
    Ok(query.first(&mut conn).await?)
}

/// Adds an attempt to each of these counters, all in one statement: whoever counts the same at this moment waits until the
/// transaction ends. The keys are in order, so that two never wait for each other.
pub async fn increment(mut conn: &Conn, keys: &[&str]) -> Result<Vec<CounterState>> {
    let rows: Vec<_> = keys
        .iter()
        .map(|one| (throttles::key.eq(*one), throttles::attempts.eq(1), throttles::updated_at.eq(clock_timestamp())))
        .collect();
    let next = case_when(throttles::updated_at.lt(Utc::now() - RESET_AFTER), 1.into_sql::<Integer>())
        .otherwise(throttles::attempts + 1);
    let query = diesel::insert_into(throttles::table)
        .values(rows)
        .on_conflict(throttles::key)
        .do_update()
        .set((throttles::attempts.eq(next), throttles::updated_at.eq(clock_timestamp())))
        .returning((throttles::key, throttles::attempts, throttles::blocked_until, throttles::updated_at));
    Ok(query.get_results(&mut conn).await?)
}

/// Blocks counters, each until its time.
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

/// Locks counters, in order, so that two never wait for each other.
pub async fn lock(mut conn: &Conn, keys: &[&str]) -> Result<()> {
    let query =
        throttles::table.filter(throttles::key.eq_any(keys)).order(throttles::key).select(throttles::key).for_update();
    let _: Vec<String> = query.load(&mut conn).await?;
    Ok(())
}

/// Takes an attempt, and the pause after it, back from each of these counters; all attempts from those to clear.
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

/// Deletes the counters that begin anew with their next attempt; how many there were.
pub async fn delete_expired(mut conn: &Conn) -> Result<usize> {
    let faded = throttles::table.filter(throttles::updated_at.lt(Utc::now() - RESET_AFTER));
    Ok(diesel::delete(faded).execute(&mut conn).await?)
}
