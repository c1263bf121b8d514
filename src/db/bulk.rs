//! What statements on many rows need of PostgreSQL beside the rows.
//! Rule: their plans depend neither on the values at hand nor on what the tables held before: the rows of a website that the
//! statistics have never met are found by their keys, not by reading all that it has.

use diesel_async::SimpleAsyncConnection;

use super::{Conn, Db};
use crate::error::Result;

/// Has the statements of this transaction planned for whatever values.
/// # Errors
/// Those of the database.
pub async fn force_generic_plans(conn: &Conn) -> Result<()> {
    Ok(SimpleAsyncConnection::batch_execute(&mut &*conn, "SET LOCAL plan_cache_mode = force_generic_plan").await?)
}

/// Keeps the statistics of tables in step with rows that come faster than PostgreSQL looks after them, which is once a
/// minute.
#[derive(Debug, Default)]
pub struct StatisticsRefresher {
    refresh_above: u64,
}

impl StatisticsRefresher {
    /// Has the tables looked at where so many new rows are ten times what they were the last time. What goes wrong is logged:
    /// the rows are in whatever the statistics say.
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
            tracing::warn!(%error, "the statistics of {tables} are old");
        }
    }
}
