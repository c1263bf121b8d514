//! The job that updates the popularity of products in the search index.
//! Rule: it writes only changed values, which are rounded, so that most runs write little.

use std::time::Duration;

use crate::{db::Db, error::Result, jobs::model::JobRow, search::store};

/// Kind of the job.
pub const KIND: &str = "refresh_search_popularity";
/// Interval of the job.
pub const PERIOD: Duration = Duration::from_secs(6 * 3600);

/// Runs the job.
/// # Errors
/// Database errors.
pub async fn run(db: &Db, _: &JobRow) -> Result<()> {
    let changed = db.transaction(async |conn| store::update_popularity(conn).await).await?;
    tracing::debug!(changed, "search popularity updated");
    Ok(())
}
