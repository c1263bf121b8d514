//! The way to PostgreSQL: shared connections for bounded reads, a pool for transactions, migrations, the embedded server.
//! Rule: nobody holds a connection across anything but the database, and nobody holds two.

pub mod actor;
pub mod bulk;
pub mod diagram;
pub mod dynamic_query;
pub mod embedded;
pub mod export;
pub mod filter;
pub mod idempotency;
pub mod keyset;
pub mod list_statements;
pub mod migrations;
mod reads;
pub mod recorder;
mod settings;
mod snapshot;
pub mod sql;
#[allow(missing_docs, reason = "generated")]
pub mod tables;
mod text_enum;
pub mod write_statements;

use std::{sync::Arc, time::Duration};

use diesel_async::{
    AnsiTransactionManager, AsyncConnection, AsyncPgConnection, SimpleAsyncConnection, TransactionManager,
    pooled_connection::{
        AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod,
        deadpool::{Object, Pool},
    },
};
use futures_util::{FutureExt, future::BoxFuture};

pub use self::{reads::PlanMode, settings::DbSettings, snapshot::Snapshot};
use self::{reads::ReadConnections, recorder::StatementListener};
use crate::error::{Error, Result};

/// What every store function takes: a shared or a pooled connection by reference.
pub type Conn = AsyncPgConnection;

/// How often a transaction that lost against another one is run again.
const MAX_ATTEMPTS: u32 = 5;

/// The database. Clones share the connections.
#[derive(Clone)]
pub struct Db(Arc<Inner>);

struct Inner {
    url: String,
    reads: ReadConnections,
    custom_plan_reads: ReadConnections,
    pool: Pool<AsyncPgConnection>,
}

/// A function from a connection to a future that may be sent between threads.
///
/// It exists because the future of an `AsyncFn` cannot be bound to `Send` in stable Rust.
pub trait ConnFn<'c, T>: Fn(&'c Conn) -> Self::Future {
    /// The future of the work.
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
    /// Connects. The shared connections stand when this returns; the pool opens its own on demand.
    /// # Errors
    /// [`Error::Unavailable`] where the database cannot be reached.
    pub async fn connect(url: &str, settings: &DbSettings) -> Result<Self> {
        let reads = ReadConnections::connect(url, settings, PlanMode::Generic).await?;
        let custom_plan_reads = ReadConnections::connect(url, settings, PlanMode::Custom).await?;
        let timeout = settings.write_timeout;
        let mut config = ManagerConfig::default();
        // The default, `Verified`, costs a round trip at each checkout.
        config.recycling_method = RecyclingMethod::Fast;
        config.custom_setup = Box::new(move |url| establish(url.to_owned(), timeout).boxed());
        let manager = AsyncDieselConnectionManager::new_with_config(url, config);
        let pool = Pool::builder(manager)
            .max_size(settings.pool_size)
            .wait_timeout(Some(settings.connect_timeout))
            .create_timeout(Some(settings.connect_timeout))
            .runtime(deadpool::Runtime::Tokio1)
            .build()
            .map_err(|error| Error::Internal(format!("pool: {error}")))?;
        Ok(Self(Arc::new(Inner { url: url.to_owned(), reads, custom_plan_reads, pool })))
    }

    /// The connection string.
    pub fn url(&self) -> &str {
        &self.0.url
    }

    /// Runs a bounded read on a shared connection, and again on another one where it turns out to be closed: a database
    /// that was started again has closed them all.
    /// # Errors
    /// Those of the work; [`Error::Unavailable`] while the database is away.
    pub fn read<T, F>(&self, work: F) -> impl Future<Output = Result<T>>
    where
        F: AsyncFn(&Conn) -> Result<T> + for<'c> ConnFn<'c, T>,
    {
        self.read_with(PlanMode::Generic, work)
    }

    /// As [`Db::read`], on a connection that plans statements in this way.
    /// # Errors
    /// As [`Db::read`].
    pub async fn read_with<T, F>(&self, plans: PlanMode, work: F) -> Result<T>
    where
        F: AsyncFn(&Conn) -> Result<T> + for<'c> ConnFn<'c, T>,
    {
        let reads = match plans {
            PlanMode::Generic => &self.0.reads,
            PlanMode::Custom => &self.0.custom_plan_reads,
        };
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

    /// Runs a transaction on a pooled connection: committed where the work succeeds, undone where it fails or is
    /// dropped, and run again as a whole where it lost against another one (40001, 40P01).
    /// # Errors
    /// Those of the work; [`Error::Unavailable`] while the database is away; [`Error::CommitUnknown`] where the connection broke at
    /// the COMMIT.
    pub async fn transaction<T, F>(&self, work: F) -> Result<T>
    where
        F: AsyncFn(&Conn) -> Result<T> + for<'c> ConnFn<'c, T>,
    {
        let mut attempt = 1;
        loop {
            let connection = self.begin().await?;
            let error = match work(&connection).await {
                Ok(value) => match commit(connection).await {
                    Ok(()) => return Ok(value),
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

    /// A pooled connection with a transaction begun. One that turns out to be closed gives way to another: nothing ran on
    /// it yet.
    async fn begin(&self) -> Result<Object<AsyncPgConnection>> {
        let mut retries = self.0.pool.status().size;
        loop {
            let mut connection = self.checkout().await?;
            let begun = AnsiTransactionManager::begin_transaction_sql(&mut *connection, &actor::begin()).await;
            let Err(error) = begun else { return Ok(connection) };
            // BEGIN may have run and the rest of the text not: nobody else gets a connection in that state.
            drop(Object::take(connection));
            match Error::from(error) {
                Error::Unavailable(why) if retries > 0 => {
                    tracing::warn!(%why, "a pooled connection broke");
                    retries -= 1;
                }
                error => return Err(error),
            }
        }
    }

    /// A pooled connection for a command of the command line; long reads take a [`Snapshot`].
    /// # Errors
    /// [`Error::Unavailable`] where none comes in time.
    pub async fn checkout(&self) -> Result<Object<AsyncPgConnection>> {
        Ok(self.0.pool.get().await?)
    }
}

/// Commits. Where the connection broke the transaction must not be run again unasked.
async fn commit(mut connection: Object<AsyncPgConnection>) -> Result<()> {
    AnsiTransactionManager::commit_transaction(&mut *connection).await.map_err(|error| match error.into() {
        Error::Unavailable(why) => Error::CommitUnknown(why),
        other => other,
    })
}

/// Rolls back. A connection that cannot do so is broken, and the pool throws it away; why the work failed tells more.
async fn roll_back(mut connection: Object<AsyncPgConnection>) {
    let _ = AnsiTransactionManager::rollback_transaction(&mut *connection).await;
}

/// Waits before a transaction is run again that failed in this attempt.
/// # Errors
/// Why it failed, where it is not to be run again.
async fn wait_before_retry(error: Error, attempt: u32) -> Result<()> {
    match error {
        Error::Retry(why) if attempt < MAX_ATTEMPTS => {
            tracing::debug!(%why, attempt, "transaction runs again");
            tokio::time::sleep(Duration::from_millis(u64::from(rand::random_range(0..10 * attempt)))).await;
            Ok(())
        }
        error => Err(error),
    }
}

/// Statements of one transaction that do not depend on each other: they are sent together, and take one round trip.
/// # Errors
/// Why it failed. The transaction is over then, and the others fail for that alone.
pub async fn run_pipelined<'a>(work: impl IntoIterator<Item = BoxFuture<'a, Result<()>>>) -> Result<()> {
    // SQLSTATE 25P02 by its English text: diesel-async does not hand codes on, as `crate::error` explains.
    let is_aborted =
        |error: &Error| matches!(error, Error::Internal(why) if why.contains("current transaction is aborted"));
    let done = futures_util::future::join_all(work).await;
    let mut failed: Vec<Error> = done.into_iter().filter_map(Result::err).collect();
    failed.sort_by_key(is_aborted);
    failed.into_iter().next().map_or(Ok(()), Err)
}

async fn establish(url: String, timeout: Duration) -> diesel::ConnectionResult<AsyncPgConnection> {
    let mut connection = AsyncPgConnection::establish(&url).await?;
    connection
        .batch_execute(&format!("SET statement_timeout = {}", timeout.as_millis()))
        .await
        .map_err(diesel::ConnectionError::CouldntSetupConfiguration)?;
    connection.set_instrumentation(StatementListener);
    Ok(connection)
}
