//! Clearing away what is over: old tokens of mails, old sessions, old counters of attempts, old keys of requests.

use std::time::Duration;

use crate::{
    access::{
        model::{TOKEN_RETENTION, throttle::KNOWN_NETWORK_PERIOD},
        store::{sessions, throttle, tokens},
    },
    db::{Db, idempotency},
    error::Result,
    jobs::model::JobRow,
};

/// The job that does so.
pub const KIND: &str = "cleanup_access";
/// How often.
pub const PERIOD: Duration = Duration::from_secs(3600);

/// Deletes tokens that have been over for 30 days, sessions that have been for 90, since until then they tell from where an
/// account is used, counters of attempts that have faded, and idempotency keys of 30 days ago; how many.
/// # Errors
/// Those of the database.
pub async fn delete_expired(db: &Db) -> Result<usize> {
    db.transaction(async |conn| {
        let now = sessions::now(conn).await?;
        Ok(tokens::delete_expired(conn, now - TOKEN_RETENTION).await?
            + sessions::delete_expired(conn, now - KNOWN_NETWORK_PERIOD).await?
            + throttle::delete_expired(conn).await?
            + idempotency::delete_before(conn, now - idempotency::RETENTION).await?)
    })
    .await
}

/// Runs the job.
/// # Errors
/// Those of the database.
pub async fn run(db: &Db, _: &JobRow) -> Result<()> {
    let count = delete_expired(db).await?;
    if count > 0 {
        tracing::info!(count, "deleted old tokens, sessions, counters and keys of requests");
    }
    Ok(())
}
