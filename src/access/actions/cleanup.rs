//! Cleanup of expired tokens, sessions, throttling counters and idempotency keys, and of old changes.

use std::time::Duration;

use crate::{
    access::{
        model::{TOKEN_RETENTION, throttle::KNOWN_NETWORK_PERIOD},
        store::{sessions, throttle, tokens},
    },
    db::{Db, changes, idempotency},
    error::Result,
    jobs::model::{JobInfo, JobRow},
};

/// The job.
pub const JOB: JobInfo = JobInfo::recurring(
    "cleanup_access",
    Duration::from_secs(3600),
    "Deletes expired sessions, tokens, login counters and idempotency keys, and changes that caches have seen.",
);

/// Deletes tokens that expired 30 days ago, sessions that ended 90 days ago (until then they define the known networks
/// of an account), expired throttling counters, idempotency keys older than 30 days, and changes that were there an hour ago. Returns the number of deleted
/// rows, without the changes.
/// # Errors
/// Database errors.
pub async fn delete_expired(db: &Db) -> Result<usize> {
    db.transaction(async |conn| {
        let now = sessions::now(conn).await?;
        changes::delete_old(conn).await?;
        Ok(tokens::delete_expired(conn, now - TOKEN_RETENTION).await?
            + sessions::delete_expired(conn, now - KNOWN_NETWORK_PERIOD).await?
            + throttle::delete_expired(conn).await?
            + idempotency::delete_before(conn, now - idempotency::RETENTION).await?)
    })
    .await
}

/// Runs the job.
/// # Errors
/// Database errors.
pub async fn run(db: &Db, _: &JobRow) -> Result<()> {
    let count = delete_expired(db).await?;
    if count > 0 {
        tracing::info!(count, "expired tokens, sessions, throttling counters and idempotency keys deleted");
    }
    Ok(())
}
