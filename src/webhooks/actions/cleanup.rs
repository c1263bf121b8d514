//! Cleanup of old deliveries.

use std::time::Duration;

use chrono::{TimeDelta, Utc};

use crate::{
    db::Db,
    error::Result,
    jobs::model::{JobInfo, JobRow},
    webhooks::store,
};

/// The job.
pub const JOB: JobInfo = JobInfo::recurring(
    "cleanup_webhooks",
    Duration::from_secs(3600),
    "Deletes webhook deliveries: those that were made after 7 days, those that failed after 30 days, and those of deleted subscriptions.",
);

/// Time for which deliveries that were made are stored.
const RETENTION: TimeDelta = TimeDelta::days(7);
/// Time for which others are stored.
const FAILED_RETENTION: TimeDelta = TimeDelta::days(30);
/// Deliveries per transaction.
const CHUNK: i64 = 5_000;

/// Deletes old deliveries.
/// # Errors
/// Database errors.
pub async fn run(db: &Db, _: &JobRow) -> Result<()> {
    let now = Utc::now();
    let chunk = async || {
        db.transaction(async |conn| {
            store::deliveries::delete_before(conn, now - RETENTION, now - FAILED_RETENTION, CHUNK).await
        })
        .await
    };
    while chunk().await? > 0 {}
    db.transaction(store::delete_replaced_secrets).await
}
