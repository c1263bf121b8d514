//! Planner settings and statistics for statements on many rows.
//! Rule: their plans must not depend on the values or on the previous contents of the tables. Rows of a website that
//! the statistics do not know yet are found by key, not by scanning the whole website.

use diesel_async::SimpleAsyncConnection;

use super::{Conn, Db};
use crate::error::Result;

/// Makes PostgreSQL use generic plans for the rest of this transaction.
/// # Errors
/// Returns the error of the database.
pub async fn force_generic_plans(conn: &Conn) -> Result<()> {
    Ok(SimpleAsyncConnection::batch_execute(&mut &*conn, "SET LOCAL plan_cache_mode = force_generic_plan").await?)
}

/// Keeps table statistics up to date while rows are inserted faster than autovacuum, which runs once a minute, analyzes
/// them.
#[derive(Debug, Default)]
pub struct StatisticsRefresher {
    refresh_above: u64,
}

impl StatisticsRefresher {
    /// Analyzes the tables if the number of new rows exceeds ten times the number at the last time. A failure is only
    /// logged, because the rows are inserted regardless of the statistics.
    pub async fn refresh_if_due(&mut self, db: &Db, new_rows: u64, tables: &str) {
        if new_rows <= self.refresh_above {
            return;
        }
        self.refresh_above = new_rows * 10;
        let analyzed = async {
            let mut connection = db.checkout().await?;
            Ok::<_, crate::error::Error>(connection.batch_execute(&format!("ANALYZE {tables}")).await?)
        };
        if let Err(error) = analyzed.await {
            tracing::warn!(%error, "updating the statistics of {tables} failed");
        }
    }
}
