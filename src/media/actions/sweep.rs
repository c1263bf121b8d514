//! The job that deletes what nothing names any more.
//! Rule: first the row, then the files, and nothing that came within the last hour. A crash between the two leaves files without
//! a row, which the next sweep finds by the list of the store; it trusts that list alone, never what it did before.

use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::TryStreamExt;

use super::Studio;
use crate::{
    db::Db,
    error::Result,
    jobs::model::JobRow,
    media::store::{self, GRACE},
    storage::{Entry, uploads},
};

/// The job that does so.
pub const KIND: &str = "cleanup_files";
/// How often.
pub const PERIOD: Duration = Duration::from_secs(3600);
/// How many rows or files are looked at together.
const ROUND: usize = 500;

/// What a sweep took away.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
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
pub async fn sweep(db: &Db, studio: &Studio, now: DateTime<Utc>) -> Result<Swept> {
    let mut swept = Swept::default();
    loop {
        let count = db.transaction(async |conn| store::delete_unnamed(conn, ROUND as i64).await).await?;
        swept.rows += count;
        if count < ROUND {
            break;
        }
    }
    let old = now - chrono::Duration::minutes(GRACE);
    let files = studio.storage().list("media")?.try_filter(|file| std::future::ready(file.modified < old));
    let mut rounds = files.try_chunks(ROUND);
    while let Some(round) = rounds.try_next().await.map_err(|error| error.1)? {
        swept.files += orphans(db, studio, round).await?;
    }
    let old = now - uploads::TTL;
    let mut over = studio.storage().list(uploads::KEY_PREFIX)?.try_filter(|file| std::future::ready(file.modified < old));
    while let Some(file) = over.try_next().await? {
        studio.storage().delete(&file.key).await?;
        swept.uploads += 1;
    }
    Ok(swept)
}

/// Deletes those of some old files whose content has no row.
async fn orphans(db: &Db, studio: &Studio, files: Vec<Entry>) -> Result<usize> {
    let sha256 = |file: &Entry| file.key.split('/').nth(1).unwrap_or_default().to_owned();
    let mut named: Vec<String> = files.iter().map(sha256).collect();
    named.dedup();
    let known = db.read(async |conn| store::known(conn, &named).await).await?;
    let mut count = 0;
    for file in files.iter().filter(|file| !known.contains(&sha256(file))) {
        // Its content may have come again since the list was made: it was written anew then.
        let is_same = match studio.storage().get(&file.key).await? {
            Some(object) => object.modified == file.modified,
            None => false,
        };
        if is_same {
            studio.storage().delete(&file.key).await?;
            count += 1;
        }
    }
    Ok(count)
}

/// Runs the job.
/// # Errors
/// Those of the database and the store.
pub async fn run(db: &Db, studio: &Studio, _: &JobRow) -> Result<()> {
    let swept = sweep(db, studio, Utc::now()).await?;
    if swept != Swept::default() {
        let Swept { rows, files, uploads } = swept;
        tracing::info!(rows, files, uploads, "swept pictures and uploads that nothing names");
    }
    Ok(())
}
