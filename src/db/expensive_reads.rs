//! Connections for expensive reads: searches and filtered lists, whose time depends on the data.
//! Rule: each runs on a connection of its own, so that it can be canceled, and delays neither the bounded reads nor the
//! statements of others. The reads of all clients wait in a fair queue.

use std::time::{Duration, Instant};

use diesel_async::{AsyncPgConnection, pooled_connection::deadpool::Pool};
use futures_util::FutureExt;
use tokio::time::timeout;

use super::{
    lease::Lease,
    pool::build_pool,
    reads::{PlanMode, establish},
    recorder::StatementRecorder,
    settings::DbSettings,
};
use crate::{
    error::{Error, ErrorCode, Result},
    limits::{Client, FairQueue, Place, QueueFull, QueueLimits},
};

/// Reads of one client that wait, as a multiple of the connections.
const WAITING_PER_CLIENT: usize = 16;
/// Reads that wait, as a multiple of the connections.
const WAITING: usize = 64;
/// Seconds after which a client may try again whose reads filled the queue.
const RETRY_AFTER_SECONDS: u64 = 1;

/// The connections, and the queue for them.
pub(super) struct ExpensiveReads {
    queue: FairQueue,
    /// Connections with custom plans, and with generic plans.
    pools: [Pool<AsyncPgConnection>; 2],
    max_wait: Duration,
}

/// A connection in use, with its place in the queue.
pub(super) struct ExpensiveRead {
    lease: Lease,
    _timer: Timer,
    _place: Place,
}

/// Adds the time of a read to the operation's recorder, also if the read is dropped.
struct Timer {
    recorder: StatementRecorder,
    started: Instant,
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.recorder.add_measured(self.started.elapsed());
    }
}

impl ExpensiveReads {
    /// Creates the queue. Connections are established on demand.
    /// # Errors
    /// Returns [`Error::Internal`] if the pool cannot be created.
    pub(super) fn new(url: &str, settings: &DbSettings) -> Result<Self> {
        let connections = settings.expensive_read_connections.max(1);
        // Of both pools together. With the default number of connections, one client occupies half of the CPU cores.
        let running_per_client = (connections / 4).max(1);
        let queue = FairQueue::new(QueueLimits {
            running: connections,
            running_per_client,
            waiting: connections * WAITING,
            waiting_per_client: connections * WAITING_PER_CLIENT,
        });
        let pool = |plans: PlanMode| {
            let setup = settings.clone();
            build_pool(
                url,
                settings,
                connections,
                Box::new(move |url| {
                    let (url, settings) = (url.to_owned(), setup.clone());
                    async move { establish(&url, &settings, plans).await }.boxed()
                }),
            )
        };
        let pools = [pool(PlanMode::Custom)?, pool(PlanMode::ExpensiveGeneric)?];
        Ok(Self { queue, pools, max_wait: settings.read_timeout })
    }

    /// Returns the number of connections that can be in use at once.
    pub(super) fn count(&self) -> usize {
        self.pools[0].status().max_size
    }

    /// Waits for a connection in the current client's turn.
    /// # Errors
    /// Returns [`Error::TooManyAttempts`] if too many reads of the client wait, UNAVAILABLE if the reads of all do or
    /// none ends in time, and [`Error::Unavailable`] if the database cannot be reached.
    pub(super) async fn get(&self, plans: PlanMode) -> Result<ExpensiveRead> {
        let busy = || Error::Coded(ErrorCode::Unavailable, "the server is busy; try again".into());
        let entered = timeout(self.max_wait, self.queue.enter(Client::current())).await.map_err(|_| busy())?;
        let place = entered.map_err(|full| match full {
            QueueFull::Client => Error::TooManyAttempts { retry_after: RETRY_AFTER_SECONDS },
            QueueFull::All => busy(),
        })?;
        let lease = Lease::new(&self.pools[usize::from(plans == PlanMode::ExpensiveGeneric)]).await?;
        let timer = Timer { recorder: StatementRecorder::current(), started: Instant::now() };
        Ok(ExpensiveRead { lease, _timer: timer, _place: place })
    }
}

impl ExpensiveRead {
    /// Returns the connection.
    pub(super) fn connection(&self) -> &AsyncPgConnection {
        &self.lease
    }

    /// Returns the connection to the pool: its statement is complete.
    pub(super) fn end(self) {
        self.lease.end();
    }

    /// Closes the connection, which is broken.
    pub(super) fn discard(self, why: &str) {
        tracing::warn!(%why, "connection of expensive reads lost");
        drop(self.lease.take());
    }
}
