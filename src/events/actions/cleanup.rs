//! Cleanup of events that no subscription can be resumed from.

use std::time::Duration;

use chrono::Utc;

use crate::{
    db::{Conn, Db},
    error::Result,
    events::{model::RETENTION, store},
    jobs::model::{JobInfo, JobRow},
};

/// The job.
pub const JOB: JobInfo = JobInfo::recurring(
    "cleanup_events",
    Duration::from_secs(60),
    "Deletes events from which subscriptions cannot be resumed any more.",
);

/// Deletes events that are too old, and returns how many.
/// # Errors
/// Database errors.
pub async fn clean_up(conn: &Conn) -> Result<usize> {
    store::delete_before(conn, Utc::now() - RETENTION).await
}

/// Runs the job.
/// # Errors
/// Database errors.
pub async fn run(db: &Db, _: &JobRow) -> Result<()> {
    db.transaction(clean_up).await?;
    Ok(())
}
