//! The job that updates the popularity of products in the search index.
//! Rule: it writes only changed values, which are rounded, so that most runs write little.

use std::time::Duration;

use crate::{
    db::Db,
    error::Result,
    jobs::model::{JobInfo, JobRow},
    search::store,
};

/// The job.
pub const JOB: JobInfo = JobInfo::recurring(
    "refresh_search_popularity",
    Duration::from_secs(6 * 3600),
    "Counts the units of each product sold in the last 90 days; search ranks by them.",
);

/// Runs the job.
/// # Errors
/// Database errors.
pub async fn run(db: &Db, _: &JobRow) -> Result<()> {
    let changed = db.transaction(async |conn| store::update_popularity(conn).await).await?;
    tracing::debug!(changed, "search popularity updated");
    Ok(())
}
