//! Access to PostgreSQL: shared connections for bounded reads, others for expensive reads, a pool for transactions,
//! migrations, the embedded server.
//! Rule: a connection is held only while the database is used, and no task holds two connections.

pub mod actor;
mod after_commit;
pub mod bulk;
pub mod changes;
pub mod diagram;
pub mod dynamic_query;
pub mod embedded;
mod expensive_reads;
pub mod export;
pub mod filter;
pub mod idempotency;
pub mod insert_rows;
pub mod keyset;
mod lease;
pub mod list_statements;
pub mod migrations;
pub mod pipeline;
mod pool;
mod reads;
pub mod recorder;
mod settings;
mod snapshot;
pub mod sql;
#[allow(missing_docs, reason = "generated")]
pub mod tables;
mod text_enum;
pub mod user_op;
pub mod writability;
pub mod write_statements;

use std::{sync::Arc, time::Duration};

use diesel_async::{
    AnsiTransactionManager, AsyncConnection, AsyncPgConnection, SimpleAsyncConnection, TransactionManager,
    pooled_connection::deadpool::{Object, Pool},
};
use futures_util::FutureExt;
use tokio::sync::Semaphore;

pub use self::{
    after_commit::after_commit, pipeline::run_pipelined, reads::PlanMode, settings::DbSettings, snapshot::Snapshot,
};
use self::{
    expensive_reads::ExpensiveReads, lease::Lease, pool::build_pool, reads::ReadConnections,
    recorder::StatementListener, writability::LastWrite,
};
use crate::error::{Error, Result};

/// The parameter of every store function: a shared or pooled connection.
pub type Conn = AsyncPgConnection;

/// Maximum number of attempts for a transaction that fails with a serialization failure or deadlock.
const MAX_ATTEMPTS: u32 = 5;

/// The database. Clones share its connections.
#[derive(Clone)]
pub struct Db(Arc<Inner>);

struct Inner {
    url: String,
    reads: ReadConnections,
    expensive_reads: ExpensiveReads,
    pool: Pool<AsyncPgConnection>,
    /// Permits for contended transactions; a quarter of the pool is left to others.
    contended: Semaphore,
    max_wait: Duration,
    last_write: LastWrite,
}

/// A function that takes a connection and returns a `Send` future.
///
/// This trait exists because stable Rust cannot require the future of an `AsyncFn` to be `Send`.
pub trait ConnFn<'c, T>: Fn(&'c Conn) -> Self::Future {
    /// The future that the function returns.
    type Future: Future<Output = Result<T>> + Send;
}
impl<'c, T, F, Fut> ConnFn<'c, T> for F
where
    F: Fn(&'c Conn) -> Fut,
    Fut: Future<Output = Result<T>> + Send,
{
    type Future = Fut;
}

impl Db {
    /// Connects to the database. The shared connections are established immediately, those of the pool on demand.
    /// # Errors
    /// Returns [`Error::Unavailable`] if the database cannot be reached.
    pub async fn connect(url: &str, settings: &DbSettings) -> Result<Self> {
        let reads = ReadConnections::connect(url, settings).await?;
        let expensive_reads = ExpensiveReads::new(url, settings)?;
        let setup = settings.clone();
        let pool = build_pool(
            url,
            settings,
            settings.pool_size,
            Box::new(move |url| establish(url.to_owned(), setup.clone()).boxed()),
        )?;
        let contended = Semaphore::new(settings.pool_size - settings.pool_size / 4);
        Ok(Self(Arc::new(Inner {
            url: url.to_owned(),
            reads,
            expensive_reads,
            pool,
            contended,
            max_wait: settings.connect_timeout,
            last_write: LastWrite::default(),
        })))
    }

    /// Returns the connection string.
    pub fn url(&self) -> &str {
        &self.0.url
    }

    /// Runs a bounded read on a shared connection. If the connection turns out to be closed, runs it again on another
    /// one: a restart of the database closes all of them.
    /// # Errors
    /// Returns the errors of the work, or [`Error::Unavailable`] while the database cannot be reached.
    pub fn read<T, F>(&self, work: F) -> impl Future<Output = Result<T>>
    where
        F: AsyncFn(&Conn) -> Result<T> + for<'c> ConnFn<'c, T>,
    {
        self.read_with(PlanMode::Generic, work)
    }

    /// Runs a read with statements planned in this mode: bounded ones as [`Db::read`] does, and expensive ones on a connection
    /// of its own in the client's turn. If it is dropped, its statement is canceled.
    /// # Errors
    /// Returns the same errors as [`Db::read`], and those of the queue of expensive reads.
    pub async fn read_with<T, F>(&self, plans: PlanMode, work: F) -> Result<T>
    where
        F: AsyncFn(&Conn) -> Result<T> + for<'c> ConnFn<'c, T>,
    {
        match plans {
            PlanMode::Generic => self.bounded_read(work).await,
            PlanMode::Custom | PlanMode::ExpensiveGeneric => self.expensive_read(plans, work).await,
        }
    }

    async fn bounded_read<T, F>(&self, work: F) -> Result<T>
    where
        F: AsyncFn(&Conn) -> Result<T> + for<'c> ConnFn<'c, T>,
    {
        let reads = &self.0.reads;
        let mut retries = reads.count();
        loop {
            let connection = reads.get().await?;
            match work(&connection).await {
                Err(Error::Unavailable(why)) => {
                    reads.discard(&connection, &why);
                    retries = retries.checked_sub(1).ok_or(Error::Unavailable(why))?;
                }
                done => return done,
            }
        }
    }

    async fn expensive_read<T, F>(&self, plans: PlanMode, work: F) -> Result<T>
    where
        F: AsyncFn(&Conn) -> Result<T> + for<'c> ConnFn<'c, T>,
    {
        let reads = &self.0.expensive_reads;
        let mut retries = reads.count();
        loop {
            let read = reads.get(plans).await?;
            match work(read.connection()).await {
                Err(Error::Unavailable(why)) => {
                    read.discard(&why);
                    retries = retries.checked_sub(1).ok_or(Error::Unavailable(why))?;
                }
                done => {
                    read.end();
                    return done;
                }
            }
        }
    }

    /// Runs a transaction on a pooled connection. It is committed if the work succeeds, rolled back if the work fails
    /// or is dropped (its statement is canceled), and retried as a whole after a serialization failure or deadlock (40001, 40P01).
    /// # Errors
    /// Returns the errors of the work, [`Error::Unavailable`] while the database cannot be reached, or
    /// [`Error::CommitUnknown`] if the connection was lost during the COMMIT.
    pub async fn transaction<T, F>(&self, work: F) -> Result<T>
    where
        F: AsyncFn(&Conn) -> Result<T> + for<'c> ConnFn<'c, T>,
    {
        let outcome = self.run_transaction(work).await;
        self.0.last_write.note(&outcome);
        outcome
    }

    /// Returns whether the database rejected the last write, a short time ago.
    pub fn has_rejected_write(&self) -> bool {
        self.0.last_write.has_failed()
    }

    async fn run_transaction<T, F>(&self, work: F) -> Result<T>
    where
        F: AsyncFn(&Conn) -> Result<T> + for<'c> ConnFn<'c, T>,
    {
        let mut attempt = 1;
        loop {
            let connection = self.begin().await?;
            let (done, hooks) = after_commit::collect(work(&connection)).await;
            let error = match done {
                Ok(value) => match commit(connection).await {
                    Ok(()) => {
                        hooks.into_iter().for_each(|hook| hook());
                        return Ok(value);
                    }
                    Err(error) => error,
                },
                Err(error) => {
                    roll_back(connection).await;
                    error
                }
            };
            wait_before_retry(error, attempt).await?;
            attempt += 1;
        }
    }

    /// Runs a transaction that locks rows which many clients change at the same time, such as the stock of a product, as
    /// [`Db::transaction`] does. Such transactions together leave a quarter of the connections to others, so that users
    /// can log in while all shoppers want the same product.
    /// # Errors
    /// Returns the errors of [`Db::transaction`]; [`Error::Unavailable`] also if too many others wait.
    pub async fn contended_transaction<T, F>(&self, work: F) -> Result<T>
    where
        F: AsyncFn(&Conn) -> Result<T> + for<'c> ConnFn<'c, T>,
    {
        let permit = tokio::time::timeout(self.0.max_wait, self.0.contended.acquire()).await;
        let _permit = permit.map_err(|_| Error::Unavailable("too many transactions wait for locks".into()))?;
        self.transaction(work).await
    }

    /// Begins a transaction on a pooled connection. A connection that turns out to be closed is replaced by another
    /// one; nothing has run on it yet.
    async fn begin(&self) -> Result<Lease> {
        let mut retries = self.0.pool.status().size;
        loop {
            let mut connection = Lease::new(&self.0.pool).await?;
            let begun = AnsiTransactionManager::begin_transaction_sql(&mut *connection, &actor::begin()).await;
            let Err(error) = begun else { return Ok(connection) };
            // BEGIN may have run without the rest of the text, so the connection must not be reused.
            drop(connection.take());
            match Error::from(error) {
                Error::Unavailable(why) if retries > 0 => {
                    tracing::warn!(%why, "pooled connection lost");
                    retries -= 1;
                }
                error => return Err(error),
            }
        }
    }

    /// Checks out a pooled connection, for commands of the command-line interface. Long reads use a [`Snapshot`].
    /// # Errors
    /// Returns [`Error::Unavailable`] if no connection becomes available in time.
    pub async fn checkout(&self) -> Result<Object<AsyncPgConnection>> {
        Ok(self.0.pool.get().await?)
    }

    /// Opens a connection outside of the pool, for a task that uses it all the time.
    /// # Errors
    /// Returns [`Error::Unavailable`] if the database cannot be reached.
    pub async fn connect_alone(&self) -> Result<AsyncPgConnection> {
        Ok(AsyncPgConnection::establish(&self.0.url).await?)
    }

    /// Takes a connection out of the pool, for statements that cannot run in a transaction or that need other settings.
    /// It is closed when it is dropped.
    /// # Errors
    /// Those of [`Db::checkout`].
    pub async fn take_connection(&self) -> Result<AsyncPgConnection> {
        Ok(Object::take(self.checkout().await?))
    }
}

/// Commits. If the connection is lost, the outcome is unknown and the transaction must not be retried automatically.
async fn commit(mut connection: Lease) -> Result<()> {
    let committed = AnsiTransactionManager::commit_transaction(&mut *connection).await;
    connection.end();
    committed.map_err(|error| match error.into() {
        Error::Unavailable(why) => Error::CommitUnknown(why),
        other => other,
    })
}

/// Rolls back. If this fails, the connection is broken and the pool drops it; the error of the work is more useful.
async fn roll_back(mut connection: Lease) {
    let _ = AnsiTransactionManager::rollback_transaction(&mut *connection).await;
    connection.end();
}

/// Waits before a transaction is retried after this attempt.
/// # Errors
/// Returns the error if the transaction must not be retried.
async fn wait_before_retry(error: Error, attempt: u32) -> Result<()> {
    match error {
        Error::Retry(why) if attempt < MAX_ATTEMPTS => {
            tracing::debug!(%why, attempt, "transaction retried");
            tokio::time::sleep(Duration::from_millis(u64::from(rand::random_range(0..10 * attempt)))).await;
            Ok(())
        }
        error => Err(error),
    }
}

async fn establish(url: String, settings: DbSettings) -> diesel::ConnectionResult<AsyncPgConnection> {
    let mut connection = AsyncPgConnection::establish(&url).await?;
    let (statement, lock) = (settings.write_timeout.as_millis(), settings.lock_timeout.as_millis());
    connection
        .batch_execute(&format!("SET statement_timeout = {statement}; SET lock_timeout = {lock}"))
        .await
        .map_err(diesel::ConnectionError::CouldntSetupConfiguration)?;
    connection.set_instrumentation(StatementListener);
    Ok(connection)
}
