//! Pooled connections in use.
//! Rule: work that is abandoned, because its client is gone or its time is up, is canceled in PostgreSQL too. Its
//! connection is closed, because the cancel request could reach the next statement.

use std::{
    ops::{Deref, DerefMut},
    time::Duration,
};

use diesel_async::{
    AsyncPgConnection,
    pooled_connection::deadpool::{Object, Pool},
};
use tokio::time::timeout;
use tokio_postgres::NoTls;

use crate::error::Result;

/// Time limit for sending a cancel request.
const CANCEL_TIMEOUT: Duration = Duration::from_secs(5);

/// A pooled connection in use. If it is dropped before [`Lease::end`] or [`Lease::take`], its statement is canceled and it
/// is closed.
pub struct Lease(Option<Object<AsyncPgConnection>>);

impl Lease {
    /// Takes a connection from the pool.
    /// # Errors
    /// Returns [`crate::error::Error::Unavailable`] if none becomes available in time.
    pub(super) async fn new(pool: &Pool<AsyncPgConnection>) -> Result<Self> {
        Ok(Self(Some(pool.get().await?)))
    }

    /// Returns the connection to the pool: no statement is running on it.
    pub(super) fn end(mut self) {
        drop(self.0.take());
    }

    /// Returns the connection itself; it does not return to the pool.
    pub(super) fn take(mut self) -> Option<AsyncPgConnection> {
        self.0.take().map(Object::take)
    }
}

impl Deref for Lease {
    type Target = AsyncPgConnection;

    fn deref(&self) -> &AsyncPgConnection {
        self.0.as_deref().expect("a lease has its connection until it ends")
    }
}

impl DerefMut for Lease {
    fn deref_mut(&mut self) -> &mut AsyncPgConnection {
        self.0.as_deref_mut().expect("a lease has its connection until it ends")
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(connection) = self.0.take().map(Object::take) else { return };
        // Without a runtime, the process is ending, and the server notices that the connection is closed.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        runtime.spawn(async move {
            let canceled = timeout(CANCEL_TIMEOUT, connection.cancel_token().cancel_query(NoTls)).await;
            if !matches!(canceled, Ok(Ok(()))) {
                tracing::debug!("canceling an abandoned statement failed");
            }
        });
    }
}
