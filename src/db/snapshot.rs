//! Long reads: one state of the database for as long as they take.
//! Rule: read only; what a snapshot holds back, vacuum cannot clean, so nobody keeps one for anything but reading.

use std::ops::Deref;

use diesel_async::{
    AnsiTransactionManager, AsyncPgConnection, TransactionManager, pooled_connection::deadpool::Object,
};

use super::{Conn, Db};
use crate::error::Result;

/// Begins it. Most of what a long read costs is the rows, not the plan: compiling it does not pay.
const BEGIN: &str =
    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = 0; SET LOCAL jit = off";

/// A pooled connection that sees one state of the database, without a limit of time. One that is dropped before its end is
/// closed.
pub struct Snapshot(Object<AsyncPgConnection>);

impl Db {
    /// The database as it is now.
    /// # Errors
    /// [`crate::error::Error::Unavailable`] where no connection comes in time.
    pub async fn snapshot(&self) -> Result<Snapshot> {
        let mut connection = self.checkout().await?;
        AnsiTransactionManager::begin_transaction_sql(&mut *connection, BEGIN).await?;
        Ok(Snapshot(connection))
    }
}

impl Snapshot {
    /// Gives the connection back.
    /// # Errors
    /// Those of the database.
    pub async fn end(mut self) -> Result<()> {
        Ok(AnsiTransactionManager::rollback_transaction(&mut *self.0).await?)
    }
}

impl Deref for Snapshot {
    type Target = Conn;

    fn deref(&self) -> &Conn {
        &self.0
    }
}
