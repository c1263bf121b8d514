//! The shared read connections: a few connections, each used by many tasks at once with pipelined statements.
//! Rule: only bounded reads use them, never transactions. A broken connection is replaced by its supervisor.

use std::{
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use diesel_async::{AsyncConnection, AsyncPgConnection, SimpleAsyncConnection};
use tokio::{sync::Notify, task::JoinHandle, time::timeout};

use super::{recorder::StatementListener, settings::DbSettings};
use crate::error::{Error, Result};

/// How PostgreSQL plans the statements of a read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlanMode {
    /// Plan once for all values: for statements whose best plan does not depend on the values.
    Generic,
    /// Plan each time for the actual values: for ranges, lists of values and combined conditions, where the best plan
    /// depends on the number of matching rows. Planning takes about 0.05 ms, and several times as long for text search. Such
    /// reads are expensive: each has a connection of its own.
    Custom,
    /// Plan once, and use a connection of its own: for reads whose best plan is known but whose time depends on the values,
    /// such as the search for words.
    ExpensiveGeneric,
}

impl PlanMode {
    fn plan_cache_mode(self) -> &'static str {
        match self {
            // Otherwise statements with array parameters would be planned again for each array.
            Self::Generic | Self::ExpensiveGeneric => "force_generic_plan",
            Self::Custom => "force_custom_plan",
        }
    }
}

/// Time that a read waits for a connection if all are down; long enough to reconnect to a reachable database.
const RECONNECT_WAIT: Duration = Duration::from_millis(250);
/// Disables JIT compilation and parallel workers, which help long statements but slow down short ones, and sets the
/// minimum similarity of words for spelling corrections.
const SESSION_SETTINGS: &str =
    "SET jit = off; SET max_parallel_workers_per_gather = 0; SET pg_trgm.similarity_threshold = 0.2";
/// Minimum pause between two connection attempts.
const MIN_PAUSE: Duration = Duration::from_millis(50);

/// A slot for a shared connection; empty while the database is unreachable.
#[derive(Default)]
struct Slot {
    connection: RwLock<Option<Arc<AsyncPgConnection>>>,
    broken: Notify,
}

/// The slots, and the notifications between tasks that wait for a connection and supervisors that restore one.
struct SharedSlots {
    slots: Box<[Slot]>,
    wanted: Notify,
    restored: Notify,
}

/// The set of shared connections.
pub(super) struct ReadConnections {
    shared: Arc<SharedSlots>,
    next: AtomicUsize,
    supervisors: Vec<JoinHandle<()>>,
}

impl ReadConnections {
    pub(super) async fn connect(url: &str, settings: &DbSettings) -> Result<Self> {
        let slots: Box<[Slot]> = (0..settings.read_connections.max(1)).map(|_| Slot::default()).collect();
        for slot in &slots {
            slot.put(connect(url, settings).await?);
        }
        let shared = Arc::new(SharedSlots { slots, wanted: Notify::new(), restored: Notify::new() });
        let supervisors = (0..shared.slots.len())
            .map(|index| tokio::spawn(supervise(Arc::clone(&shared), index, url.to_owned(), settings.clone())))
            .collect();
        Ok(Self { shared, next: AtomicUsize::new(0), supervisors })
    }

    /// Returns the intended number of connections.
    pub(super) fn count(&self) -> usize {
        self.shared.slots.len()
    }

    /// Returns the next connection in turn. If all are down, waits briefly for the first to be restored.
    /// # Errors
    /// Returns [`Error::Unavailable`] if no connection is restored in time.
    pub(super) async fn get(&self) -> Result<Arc<AsyncPgConnection>> {
        let restored = self.shared.restored.notified();
        if let Some(connection) = self.available() {
            return Ok(connection);
        }
        self.shared.wanted.notify_waiters();
        let _ = timeout(RECONNECT_WAIT, restored).await;
        self.available().ok_or_else(|| Error::Unavailable("all read connections are down".into()))
    }

    fn available(&self) -> Option<Arc<AsyncPgConnection>> {
        let slots = &self.shared.slots;
        let start = self.next.fetch_add(1, Ordering::Relaxed);
        (0..slots.len()).find_map(|step| slots[start.wrapping_add(step) % slots.len()].get())
    }

    /// Removes a broken connection and wakes its supervisor.
    pub(super) fn discard(&self, connection: &Arc<AsyncPgConnection>, why: &str) {
        tracing::warn!(%why, "read connection lost");
        for slot in &self.shared.slots {
            slot.discard(connection);
        }
    }
}

impl Drop for ReadConnections {
    fn drop(&mut self) {
        for supervisor in &self.supervisors {
            supervisor.abort();
        }
    }
}

impl Slot {
    fn get(&self) -> Option<Arc<AsyncPgConnection>> {
        self.connection.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn put(&self, connection: AsyncPgConnection) {
        *self.connection.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(connection));
    }

    fn discard(&self, connection: &Arc<AsyncPgConnection>) {
        let mut held = self.connection.write().unwrap_or_else(PoisonError::into_inner);
        if held.as_ref().is_some_and(|held| Arc::ptr_eq(held, connection)) {
            *held = None;
            self.broken.notify_one();
        }
    }
}

/// Waits until a connection is discarded and replaces it, retrying with a growing pause that ends early when a read
/// needs a connection.
async fn supervise(shared: Arc<SharedSlots>, index: usize, url: String, settings: DbSettings) {
    let slot = &shared.slots[index];
    loop {
        slot.broken.notified().await;
        let mut pause = MIN_PAUSE;
        loop {
            match connect(&url, &settings).await {
                Ok(connection) => break slot.put(connection),
                // Logged once per outage; affected reads report the failure as well.
                Err(error) if pause == MIN_PAUSE => {
                    tracing::warn!(%error, "reconnecting read connection {index} failed; retrying")
                }
                Err(_) => {}
            }
            tokio::time::sleep(MIN_PAUSE).await;
            let _ = timeout(pause, shared.wanted.notified()).await;
            pause = (pause * 2).min(Duration::from_secs(1));
        }
        shared.restored.notify_waiters();
        tracing::info!("read connection {index} restored");
    }
}

async fn connect(url: &str, settings: &DbSettings) -> Result<AsyncPgConnection> {
    let establish = establish(url, settings, PlanMode::Generic);
    Ok(timeout(settings.connect_timeout, establish)
        .await
        .map_err(|_| Error::Unavailable("connecting timed out".into()))??)
}

/// Establishes a connection for reads.
pub(super) async fn establish(
    url: &str,
    settings: &DbSettings,
    plans: PlanMode,
) -> diesel::ConnectionResult<AsyncPgConnection> {
    let mut connection = AsyncPgConnection::establish(url).await?;
    let set_up = format!(
        "SET statement_timeout = {}; SET default_transaction_read_only = on; SET plan_cache_mode = {}; {SESSION_SETTINGS}",
        settings.read_timeout.as_millis(),
        plans.plan_cache_mode()
    );
    connection.batch_execute(&set_up).await.map_err(diesel::ConnectionError::CouldntSetupConfiguration)?;
    connection.set_instrumentation(StatementListener);
    Ok(connection)
}
