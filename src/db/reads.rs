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
use tokio::{sync::Notify, task::JoinHandle};

use super::{recorder::Listener, settings::DbSettings};
use crate::error::{Error, Result};

/// One place for a shared connection; empty while the database is away.
#[derive(Default)]
struct Slot {
    connection: RwLock<Option<Arc<AsyncPgConnection>>>,
    broken: Notify,
}

/// The set of shared connections.
pub(super) struct Reads {
    slots: Arc<[Slot]>,
    next: AtomicUsize,
    supervisors: Vec<JoinHandle<()>>,
}

impl Reads {
    pub(super) async fn connect(url: &str, settings: &DbSettings) -> Result<Self> {
        let slots: Arc<[Slot]> = (0..settings.read_connections.max(1)).map(|_| Slot::default()).collect();
        for slot in slots.iter() {
            slot.put(establish(url, settings).await?);
        }
        let supervisors = (0..slots.len())
            .map(|index| tokio::spawn(supervise(Arc::clone(&slots), index, url.to_owned(), settings.clone())))
            .collect();
        Ok(Self { slots, next: AtomicUsize::new(0), supervisors })
    }

    /// A connection, in turn.
    /// # Errors
    /// [`Error::Unavailable`] while no connection stands.
    pub(super) fn get(&self) -> Result<Arc<AsyncPgConnection>> {
        let start = self.next.fetch_add(1, Ordering::Relaxed);
        (0..self.slots.len())
            .find_map(|step| self.slots[(start + step) % self.slots.len()].get())
            .ok_or_else(|| Error::Unavailable("every read connection is down".into()))
    }

    /// Takes a connection out of use and wakes its supervisor.
    pub(super) fn discard(&self, connection: &Arc<AsyncPgConnection>) {
        for slot in self.slots.iter() {
            slot.discard(connection);
        }
    }
}

impl Drop for Reads {
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

/// Waits for a connection to be discarded and puts a new one in its place, trying again with a growing pause.
async fn supervise(slots: Arc<[Slot]>, index: usize, url: String, settings: DbSettings) {
    let slot = &slots[index];
    loop {
        slot.broken.notified().await;
        let mut pause = Duration::from_millis(50);
        loop {
            match establish(&url, &settings).await {
                Ok(connection) => break slot.put(connection),
                Err(error) => tracing::warn!(%error, "read connection {index} is down"),
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(1));
        }
        tracing::info!("read connection {index} stands again");
    }
}

async fn establish(url: &str, settings: &DbSettings) -> Result<AsyncPgConnection> {
    let establish = AsyncPgConnection::establish(url);
    let mut connection = tokio::time::timeout(settings.connect_timeout, establish)
        .await
        .map_err(|_| Error::Unavailable("connecting took too long".into()))??;
    // Statements with array parameters would be planned again for each array otherwise.
    let set_up = format!(
        "SET statement_timeout = {}; SET default_transaction_read_only = on; SET plan_cache_mode = force_generic_plan",
        settings.read_timeout.as_millis()
    );
    connection.batch_execute(&set_up).await?;
    connection.set_instrumentation(Listener);
    Ok(connection)
}
