//! The job that indexes a website's products anew where its language has changed.
//! Rule: until all are, what is searched is asked in both languages, so that everything is found all the while.

use std::time::Duration;

use crate::{db::Db, error::Result, ids::ProductId, jobs::model::JobRow, search::store::index};

/// The kind of the job.
pub const KIND: &str = "reindex_search";
/// How often it looks.
pub const PERIOD: Duration = Duration::from_secs(60);
/// How many products are indexed in a transaction.
const BATCH: i64 = 1_000;

/// Runs the job.
/// # Errors
/// Those of the database.
pub async fn run(db: &Db, _: &JobRow) -> Result<()> {
    reindex_stale(db).await
}

/// Indexes what has to be.
/// # Errors
/// Those of the database.
pub async fn reindex_stale(db: &Db) -> Result<()> {
    for (website, language) in db.read(async |conn| index::stale_websites(conn).await).await? {
        let mut last = ProductId(0);
        while let Some(indexed) =
            db.transaction(async |conn| index::index_next(conn, website, last, BATCH).await).await?
        {
            last = indexed;
        }
        db.transaction(async |conn| index::update_indexed(conn, website, language).await).await?;
        tracing::info!(website = website.0, language = language.as_str(), "indexed the products of a website anew");
    }
    Ok(())
}
