//! The job that deletes what nothing names any more.
//! Rule: first the row, then the files, and nothing that came within the last hour. A crash between the two leaves files without
//! a row, which the next sweep finds by the list of the store; it trusts that list alone, never what it did before.

use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::TryStreamExt;

use super::ImageProcessor;
use crate::{
    db::Db,
    error::Result,
    jobs::model::JobRow,
    media::store::{self, GRACE_MINUTES},
    storage::{Entry, uploads},
};

/// The job that does so.
pub const KIND: &str = "cleanup_files";
/// How often.
pub const PERIOD: Duration = Duration::from_secs(3600);
/// How many rows or files are looked at together.
const BATCH_SIZE: usize = 500;

/// What a sweep took away.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CleanupReport {
    /// Rows of content that no picture names.
    pub rows: usize,
    /// Files of pictures without a row.
    pub files: usize,
    /// Uploads whose time is over.
    pub uploads: usize,
}

/// Sweeps once, as if it were this time.
/// # Errors
/// Those of the database and the store.
pub async fn clean_up(db: &Db, processor: &ImageProcessor, now: DateTime<Utc>) -> Result<CleanupReport> {
    let mut report = CleanupReport::default();
    loop {
        let count = db.transaction(async |conn| store::delete_unreferenced(conn, BATCH_SIZE as i64).await).await?;
        report.rows += count;
        if count < BATCH_SIZE {
            break;
        }
    }
    let old = now - chrono::Duration::minutes(GRACE_MINUTES);
    let files = processor.storage().list("media")?.try_filter(|file| std::future::ready(file.modified < old));
    let mut batches = files.try_chunks(BATCH_SIZE);
    while let Some(batch) = batches.try_next().await.map_err(|error| error.1)? {
        report.files += delete_orphans(db, processor, batch).await?;
    }
    let old = now - uploads::TTL;
    let mut over =
        processor.storage().list(uploads::KEY_PREFIX)?.try_filter(|file| std::future::ready(file.modified < old));
    while let Some(file) = over.try_next().await? {
        processor.storage().delete(&file.key).await?;
        report.uploads += 1;
    }
    Ok(report)
}

/// Deletes those of some old files whose content has no row.
async fn delete_orphans(db: &Db, processor: &ImageProcessor, files: Vec<Entry>) -> Result<usize> {
    let sha256 = |file: &Entry| file.key.split('/').nth(1).unwrap_or_default().to_owned();
    let mut hashes: Vec<String> = files.iter().map(sha256).collect();
    hashes.dedup();
    let known = db.read(async |conn| store::existing_hashes(conn, &hashes).await).await?;
    let mut count = 0;
    for file in files.iter().filter(|file| !known.contains(&sha256(file))) {
        // Its content may have come again since the list was made: it was written anew then.
        let is_same = match processor.storage().get(&file.key).await? {
            Some(object) => object.modified == file.modified,
            None => false,
        };
        if is_same {
            processor.storage().delete(&file.key).await?;
            count += 1;
        }
    }
    Ok(count)
}

/// Runs the job.
/// # Errors
/// Those of the database and the store.
pub async fn run(db: &Db, processor: &ImageProcessor, _: &JobRow) -> Result<()> {
    let report = clean_up(db, processor, Utc::now()).await?;
    if report != CleanupReport::default() {
        let CleanupReport { rows, files, uploads } = report;
        tracing::info!(rows, files, uploads, "swept pictures and uploads that nothing names");
    }
    Ok(())
}
