//! The job that keeps up what documents cannot know by themselves: how much a product sells.
//! Rule: it writes only what has changed, rounded, so that most runs write little.

use std::time::Duration;

use crate::{db::Db, error::Result, jobs::model::JobRow, search::store};

/// The kind of the job.
pub const KIND: &str = "refresh_search_popularity";
/// How often it runs.
pub const PERIOD: Duration = Duration::from_secs(6 * 3600);

/// Runs the job.
/// # Errors
/// Those of the database.
pub async fn run(db: &Db, _: &JobRow) -> Result<()> {
    let changed = db.transaction(async |conn| store::update_popularity(conn).await).await?;
    tracing::debug!(changed, "told the search what sells");
    Ok(())
}
