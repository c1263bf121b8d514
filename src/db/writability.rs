//! Whether the database accepts writes: it may be a standby, read-only, or have no disk space left.
//! Rule: what PostgreSQL says about itself is asked; a full disk is only known from writes that failed.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use diesel::sql_types::Bool;
use diesel_async::RunQueryDsl;

use super::Conn;
use crate::error::{Error, Result};

/// How long a failed write counts. After it the next write shows whether the database accepts writes again.
const FAILURE_TTL: Duration = Duration::from_secs(30);

/// The outcome of the last write.
#[derive(Debug, Default)]
pub(super) struct LastWrite {
    failed_at: Mutex<Option<Instant>>,
}

impl LastWrite {
    /// Notes the outcome of a transaction. Only a rejected write counts as failed.
    pub fn note<T>(&self, outcome: &Result<T>) {
        let mut failed_at = self.failed_at.lock().unwrap_or_else(PoisonError::into_inner);
        match outcome {
            Ok(_) => *failed_at = None,
            Err(Error::WriteRejected(why)) => {
                if failed_at.is_none() {
                    tracing::error!(%why, "the database rejected a write");
                }
                *failed_at = Some(Instant::now());
            }
            Err(_) => {}
        }
    }

    /// Returns whether the database rejected the last write, a short time ago.
    pub fn has_failed(&self) -> bool {
        let failed_at = *self.failed_at.lock().unwrap_or_else(PoisonError::into_inner);
        failed_at.is_some_and(|at| at.elapsed() < FAILURE_TTL)
    }
}

#[derive(diesel::QueryableByName)]
struct ReadOnly {
    #[diesel(sql_type = Bool)]
    is_read_only: bool,
}

/// Returns whether the database is a standby or read-only. Shared connections are read-only themselves, so their own
/// setting does not count.
/// # Errors
/// Returns [`Error::Unavailable`] if the database cannot be reached.
pub async fn is_read_only(mut conn: &Conn) -> Result<bool> {
    let statement = "SELECT pg_is_in_recovery() OR EXISTS (
        SELECT FROM pg_settings WHERE name = 'default_transaction_read_only' AND reset_val = 'on') AS is_read_only";
    let row: ReadOnly = diesel::sql_query(statement).get_result(&mut conn).await?;
    Ok(row.is_read_only)
}
