//! The connections that may be open: in total, and per client address.
//! Rule: in total, further connections wait; of one address, they are closed, so that it cannot keep others waiting.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};

use crate::{auth::network, config::ConnectionSettings};

/// Minimum interval between two warnings of the same kind.
const WARN_INTERVAL: Duration = Duration::from_secs(60);

/// The connections of a server.
pub struct Slots {
    total: Arc<Semaphore>,
    /// The number of open connections by client; none if the clients are proxies.
    by_client: Option<Arc<Mutex<HashMap<IpAddr, usize>>>>,
    max_per_client: usize,
    all_taken: Warning,
    client_has_too_many: Warning,
}

impl Slots {
    /// Creates the slots of a server with this number of own proxies.
    pub fn new(settings: &ConnectionSettings, trusted_proxies: usize) -> Self {
        Self {
            total: Arc::new(Semaphore::new(settings.max_connections)),
            by_client: (trusted_proxies == 0).then(Arc::default),
            max_per_client: settings.max_connections_per_address,
            all_taken: Warning::default(),
            client_has_too_many: Warning::default(),
        }
    }

    /// Waits until another connection may be accepted.
    pub async fn next(&mut self) -> OwnedSemaphorePermit {
        if self.total.available_permits() == 0 && self.all_taken.is_due() {
            tracing::warn!("all connections are in use (SOUK_MAX_CONNECTIONS); further clients wait");
        }
        Arc::clone(&self.total).acquire_owned().await.expect("the semaphore is never closed")
    }

    /// Takes a slot for a client; none if it has too many open connections.
    pub fn take(&mut self, client: IpAddr, permit: OwnedSemaphorePermit) -> Option<Slot> {
        let Some(by_client) = &self.by_client else { return Some(Slot { _permit: permit, client: None }) };
        // A client chooses its IPv6 address within its network.
        let client = match client.to_canonical() {
            IpAddr::V6(_) => network(client),
            address => address,
        };
        let mut open = by_client.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(client).or_default();
        if *count >= self.max_per_client {
            if self.client_has_too_many.is_due() {
                tracing::warn!(
                    %client,
                    "a client has too many open connections (SOUK_MAX_CONNECTIONS_PER_ADDRESS); if it is a proxy, set \
                     SOUK_TRUSTED_PROXIES"
                );
            }
            return None;
        }
        *count += 1;
        Some(Slot { _permit: permit, client: Some((Arc::clone(by_client), client)) })
    }
}

/// The slot of an open connection, which is free when this value is dropped.
pub struct Slot {
    _permit: OwnedSemaphorePermit,
    client: Option<(Arc<Mutex<HashMap<IpAddr, usize>>>, IpAddr)>,
}

impl Drop for Slot {
    fn drop(&mut self) {
        let Some((open, client)) = &self.client else { return };
        let mut open = open.lock().unwrap_or_else(PoisonError::into_inner);
        match open.get_mut(client) {
            Some(count) if *count > 1 => *count -= 1,
            _ => _ = open.remove(client),
        }
    }
}

/// A warning that is logged at limited intervals.
#[derive(Default)]
struct Warning(Option<Instant>);

impl Warning {
    /// Returns whether the warning should be logged now, and notes that it is.
    fn is_due(&mut self) -> bool {
        let is_due = self.0.is_none_or(|at| at.elapsed() >= WARN_INTERVAL);
        if is_due {
            self.0 = Some(Instant::now());
        }
        is_due
    }
}
