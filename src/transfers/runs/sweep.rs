//! The job that deletes the files of transfers that ended a week ago. The rows stay: they are what was moved when.
//! Rule: first the rows forget the files, then these go, by their own age: also those of a run that was cut off.

use std::{future::ready, time::Duration};

use chrono::{DateTime, Utc};
use futures_util::TryStreamExt;

use super::store;
use crate::{db::Db, error::Result, jobs::model::JobRow, storage::Storage};

/// The kind of the job.
pub const KIND: &str = "sweep_transfers";
/// How often it runs.
pub const PERIOD: Duration = Duration::from_secs(3600);
/// How long files are kept.
pub const KEPT: chrono::Duration = chrono::Duration::days(7);

/// Runs the job.
/// # Errors
/// Those of the database and of the store.
pub async fn run(db: &Db, storage: &Storage, _: &JobRow) -> Result<()> {
    let gone = sweep(db, storage, Utc::now()).await?;
    if gone > 0 {
        tracing::info!(files = gone, "deleted files of old transfers");
    }
    Ok(())
}

/// Deletes what is too old at this moment; how many files.
/// # Errors
/// Those of the database and of the store.
pub async fn sweep(db: &Db, storage: &Storage, at: DateTime<Utc>) -> Result<usize> {
    let before = at - KEPT;
    db.transaction(async |conn| store::update_files_gone(conn, before).await).await?;
    let mut old = storage.list("transfers")?.try_filter(|file| ready(file.modified < before));
    let mut gone = 0;
    while let Some(file) = old.try_next().await? {
        storage.delete(&file.key).await?;
        gone += 1;
    }
    Ok(gone)
}
