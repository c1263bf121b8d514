//! The job that deletes unreferenced files.
//! Rule: rows are deleted before files, and nothing that was written within the last hour. After a crash between the
//! two, the next run finds files without a row by listing the storage; it keeps no other state.

use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::TryStreamExt;

use super::ImageProcessor;
use crate::{
    db::Db,
    error::Result,
    jobs::model::{JobInfo, JobRow},
    media::store::{self, GRACE_MINUTES},
    storage::{Entry, uploads},
};

/// The job.
pub const JOB: JobInfo = JobInfo::recurring(
    "cleanup_files",
    Duration::from_secs(3600),
    "Deletes the files of deleted images, and uploads that were never used.",
);
/// Number of rows or files per batch.
const BATCH_SIZE: usize = 500;

/// What a cleanup run deleted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CleanupReport {
    /// Number of rows of unreferenced content.
    pub rows: usize,
    /// Number of image files without a row.
    pub files: usize,
    /// Number of expired uploads.
    pub uploads: usize,
}

/// Runs the cleanup once, with `now` as the current time.
/// # Errors
/// Database and storage errors.
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

/// Deletes those files whose content has no row; returns how many.
async fn delete_orphans(db: &Db, processor: &ImageProcessor, files: Vec<Entry>) -> Result<usize> {
    let sha256 = |file: &Entry| file.key.split('/').nth(1).unwrap_or_default().to_owned();
    let mut hashes: Vec<String> = files.iter().map(sha256).collect();
    hashes.dedup();
    let known = db.read(async |conn| store::existing_hashes(conn, &hashes).await).await?;
    let mut count = 0;
    for file in files.iter().filter(|file| !known.contains(&sha256(file))) {
        // The content may have been uploaded again since the files were listed; then the file is newer.
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

/// Runs the cleanup job.
/// # Errors
/// Database and storage errors.
pub async fn run(db: &Db, processor: &ImageProcessor, _: &JobRow) -> Result<()> {
    let report = clean_up(db, processor, Utc::now()).await?;
    if report != CleanupReport::default() {
        let CleanupReport { rows, files, uploads } = report;
        tracing::info!(rows, files, uploads, "unreferenced images and expired uploads deleted");
    }
    Ok(())
}
