//! The shared read connections: a few, used by `&conn` from many tasks at once, their statements pipelined.
//! Rule: only bounded reads go here, never a transaction; a connection that breaks is replaced by its supervisor.

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
    /// Once, for whatever values: for what one way finds, whatever they are.
    Generic,
    /// Each time, for the values at hand: for ranges, lists of values, parts of a text, and several conditions at once,
    /// where the way depends on how many rows they leave. Planning takes about 0.05 ms.
    Custom,
}

impl PlanMode {
    fn plan_cache_mode(self) -> &'static str {
        match self {
            // Statements with array parameters would be planned again for each array otherwise.
            Self::Generic => "force_generic_plan",
            Self::Custom => "force_custom_plan",
        }
    }
}

/// How long a read waits for a connection while none stands: enough to connect again where the database is there.
const RECONNECT_WAIT: Duration = Duration::from_millis(250);
/// What helps long statements and costs short ones: compiling them, and other processes; and how little alike words are that one
/// of which may be meant by the other.
const SESSION_SETTINGS: &str =
    "SET jit = off; SET max_parallel_workers_per_gather = 0; SET pg_trgm.similarity_threshold = 0.2";
/// Shortest pause between two attempts to connect.
const MIN_PAUSE: Duration = Duration::from_millis(50);

/// One place for a shared connection; empty while the database is away.
#[derive(Default)]
struct Slot {
    connection: RwLock<Option<Arc<AsyncPgConnection>>>,
    broken: Notify,
}

/// The places, and how those who wait for a connection and those who bring one hear of each other.
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
    pub(super) async fn connect(url: &str, settings: &DbSettings, plans: PlanMode) -> Result<Self> {
        let slots: Box<[Slot]> = (0..settings.read_connections.max(1)).map(|_| Slot::default()).collect();
        for slot in &slots {
            slot.put(establish(url, settings, plans).await?);
        }
        let shared = Arc::new(SharedSlots { slots, wanted: Notify::new(), restored: Notify::new() });
        let supervisors = (0..shared.slots.len())
            .map(|index| tokio::spawn(supervise(Arc::clone(&shared), index, url.to_owned(), settings.clone(), plans)))
            .collect();
        Ok(Self { shared, next: AtomicUsize::new(0), supervisors })
    }

    /// How many connections there are to be.
    pub(super) fn count(&self) -> usize {
        self.shared.slots.len()
    }

    /// A connection, in turn; where none stands, the first that stands again within a moment.
    /// # Errors
    /// [`Error::Unavailable`] where none does.
    pub(super) async fn get(&self) -> Result<Arc<AsyncPgConnection>> {
        let restored = self.shared.restored.notified();
        if let Some(connection) = self.available() {
            return Ok(connection);
        }
        self.shared.wanted.notify_waiters();
        let _ = timeout(RECONNECT_WAIT, restored).await;
        self.available().ok_or_else(|| Error::Unavailable("every read connection is down".into()))
    }

    fn available(&self) -> Option<Arc<AsyncPgConnection>> {
        let slots = &self.shared.slots;
        let start = self.next.fetch_add(1, Ordering::Relaxed);
        (0..slots.len()).find_map(|step| slots[start.wrapping_add(step) % slots.len()].get())
    }

    /// Takes a broken connection out of use and wakes its supervisor.
    pub(super) fn discard(&self, connection: &Arc<AsyncPgConnection>, why: &str) {
        tracing::warn!(%why, "a read connection broke");
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

/// Waits for a connection to be discarded and puts a new one in its place, trying again with a growing pause, which
/// ends early where somebody wants one.
async fn supervise(shared: Arc<SharedSlots>, index: usize, url: String, settings: DbSettings, plans: PlanMode) {
    let slot = &shared.slots[index];
    loop {
        slot.broken.notified().await;
        let mut pause = MIN_PAUSE;
        loop {
            match establish(&url, &settings, plans).await {
                Ok(connection) => break slot.put(connection),
                // Once for each time it goes down: those who want it say so, too.
                Err(error) if pause == MIN_PAUSE => tracing::warn!(%error, "read connection {index} is down"),
                Err(_) => {}
            }
            tokio::time::sleep(MIN_PAUSE).await;
            let _ = timeout(pause, shared.wanted.notified()).await;
            pause = (pause * 2).min(Duration::from_secs(1));
        }
        shared.restored.notify_waiters();
        tracing::info!("read connection {index} stands again");
    }
}

async fn establish(url: &str, settings: &DbSettings, plans: PlanMode) -> Result<AsyncPgConnection> {
    let establish = AsyncPgConnection::establish(url);
    let mut connection = timeout(settings.connect_timeout, establish)
        .await
        .map_err(|_| Error::Unavailable("connecting took too long".into()))??;
    let set_up = format!(
        "SET statement_timeout = {}; SET default_transaction_read_only = on; SET plan_cache_mode = {}; {SESSION_SETTINGS}",
        settings.read_timeout.as_millis(),
        plans.plan_cache_mode()
    );
    connection.batch_execute(&set_up).await?;
    connection.set_instrumentation(StatementListener);
    Ok(connection)
}
