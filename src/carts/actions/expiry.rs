//! Cleanup of expired reservations and carts.

use std::time::Duration;

use super::reservations::release_all;
use crate::{
    carts::store,
    db::Db,
    error::Result,
    jobs::model::{JobInfo, JobRow},
    products,
};

/// The job.
pub const JOB: JobInfo = JobInfo::recurring(
    "cleanup_carts",
    Duration::from_secs(60),
    "Releases expired reservations and deletes expired carts.",
);

/// Runs the cleanup job.
/// # Errors
/// Database errors.
pub async fn run(db: &Db, _: &JobRow) -> Result<()> {
    let count = clean_up(db).await?;
    if count > 0 {
        tracing::info!(count, "expired carts and reservations deleted");
    }
    Ok(())
}

/// Releases expired reservations and deletes expired carts; returns how many. Uses short transactions and skips locked
/// rows, so that several servers can run it at once.
/// # Errors
/// Database errors.
pub async fn clean_up(db: &Db) -> Result<usize> {
    let mut count = 0;
    loop {
        let released = db
            .transaction(async |conn| {
                let products = store::products_with_expired_reservations(conn).await?;
                products::store::lock(conn, &products).await?;
                store::delete_expired_reservations(conn, &products).await
            })
            .await?;
        let deleted = db
            .transaction(async |conn| {
                let carts = store::lock_expired(conn).await?;
                release_all(conn, &carts).await?;
                store::delete(conn, &carts).await
            })
            .await?;
        if released + deleted == 0 {
            return Ok(count);
        }
        count += released + deleted;
    }
}
