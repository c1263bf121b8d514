//! The job that deletes the files of transfers that ended a week ago. The rows are kept as the history of transfers.
//! Rule: file keys are removed from the rows first, then files are deleted by their own age, including those of
//! interrupted runs.

use std::{future::ready, time::Duration};

use chrono::{DateTime, Utc};
use futures_util::TryStreamExt;

use super::super::store;
use crate::{
    db::Db,
    error::Result,
    jobs::model::{JobInfo, JobRow},
    storage::Storage,
};

/// The job.
pub const JOB: JobInfo = JobInfo::recurring(
    "cleanup_transfers",
    Duration::from_secs(3600),
    "Deletes the files of imports and exports that are older than a week.",
);
/// How long files are kept after the transfer ended.
pub const RETENTION: chrono::Duration = chrono::Duration::days(7);

/// Runs the job.
/// # Errors
/// Database and file storage errors.
pub async fn run(db: &Db, storage: &Storage, _: &JobRow) -> Result<()> {
    let deleted = delete_old_files(db, storage, Utc::now()).await?;
    if deleted > 0 {
        tracing::info!(files = deleted, "files of old transfers deleted");
    }
    Ok(())
}

/// Deletes the files that have expired at this time; returns how many.
/// # Errors
/// Database and file storage errors.
pub async fn delete_old_files(db: &Db, storage: &Storage, at: DateTime<Utc>) -> Result<usize> {
    let before = at - RETENTION;
    db.transaction(async |conn| store::update_files_deleted(conn, before).await).await?;
    let mut old = storage.list("transfers")?.try_filter(|file| ready(file.modified < before));
    let mut deleted = 0;
    while let Some(file) = old.try_next().await? {
        storage.delete(&file.key).await?;
        deleted += 1;
    }
    Ok(deleted)
}
