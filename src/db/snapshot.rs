//! Snapshots: long reads that see a single state of the database.
//! Rule: snapshots are read-only. An open snapshot keeps vacuum from removing rows, so it must not be held longer than
//! the read takes.

use std::ops::Deref;

use diesel_async::{AnsiTransactionManager, TransactionManager};

use super::{Conn, Db, lease::Lease};
use crate::error::Result;

/// Begins the transaction. JIT compilation is disabled, because long reads spend their time on rows, not on
/// expressions.
const BEGIN: &str =
    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = 0; SET LOCAL jit = off";

/// A pooled connection that sees a single state of the database, without a statement timeout. If it is dropped before
/// [`Snapshot::end`], its statement is canceled and the connection is closed.
pub struct Snapshot(Lease);

impl Db {
    /// Opens a snapshot of the current state.
    /// # Errors
    /// Returns [`crate::error::Error::Unavailable`] if no connection becomes available in time.
    pub async fn snapshot(&self) -> Result<Snapshot> {
        let mut connection = Lease::new(&self.0.pool).await?;
        AnsiTransactionManager::begin_transaction_sql(&mut *connection, BEGIN).await?;
        Ok(Snapshot(connection))
    }
}

impl Snapshot {
    /// Ends the snapshot and returns the connection to the pool.
    /// # Errors
    /// Returns the error of the database.
    pub async fn end(mut self) -> Result<()> {
        let ended = AnsiTransactionManager::rollback_transaction(&mut *self.0).await;
        self.0.end();
        Ok(ended?)
    }
}

impl Deref for Snapshot {
    type Target = Conn;

    fn deref(&self) -> &Conn {
        &self.0
    }
}
