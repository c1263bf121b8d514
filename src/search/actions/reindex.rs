//! The job that reindexes a website's products after its language changed, also in the order of their names.
//! Rule: until it has finished, searches use both languages, so that everything can be found throughout.

use std::time::Duration;

use crate::{
    db::Db,
    error::Result,
    ids::ProductId,
    jobs::model::{JobInfo, JobRow},
    products::actions::name_indexes,
    search::store::index,
};

/// The job.
pub const JOB: JobInfo = JobInfo::recurring(
    "reindex_search",
    Duration::from_secs(60),
    "Rebuilds the search documents and the indexes of names of websites whose language has changed.",
);
/// Number of products that are indexed per transaction.
const BATCH: i64 = 1_000;

/// Runs the job.
/// # Errors
/// Database errors.
pub async fn run(db: &Db, _: &JobRow) -> Result<()> {
    reindex_stale(db).await?;
    name_indexes::update(db).await
}

/// Reindexes all websites whose language changed.
/// # Errors
/// Database errors.
pub async fn reindex_stale(db: &Db) -> Result<()> {
    for (website, language) in db.read(async |conn| index::stale_websites(conn).await).await? {
        let mut last = ProductId(0);
        while let Some(indexed) =
            db.transaction(async |conn| index::index_next(conn, website, last, BATCH).await).await?
        {
            last = indexed;
        }
        db.transaction(async |conn| index::update_indexed(conn, website, language).await).await?;
        tracing::info!(website = website.0, language = language.as_str(), "products of a website reindexed");
    }
    Ok(())
}
