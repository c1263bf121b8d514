//! Clearing away what is over: reservations and carts.

use std::time::Duration;

use super::reservations::release_all;
use crate::{carts::store, db::Db, error::Result, jobs::model::JobRow, products};

/// The job that does so.
pub const KIND: &str = "cleanup_carts";
/// How often.
pub const PERIOD: Duration = Duration::from_secs(60);

/// Runs the job.
/// # Errors
/// Those of the database.
pub async fn run(db: &Db, _: &JobRow) -> Result<()> {
    let count = clean_up(db).await?;
    if count > 0 {
        tracing::info!(count, "released reservations and deleted carts that were over");
    }
    Ok(())
}

/// Releases reservations and deletes carts whose time is over; how many. In short transactions, and past what others
/// hold: several servers may do it at once.
/// # Errors
/// Those of the database.
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
