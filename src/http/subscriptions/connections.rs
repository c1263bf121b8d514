//! The connections that stay open: how many there are of each client, and when they end.
//! Rule: whether a connection may go on is checked twice a second for all of them, so that an ended session, an expired token
//! or a lost permission takes effect within two seconds.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, OnceLock, PoisonError, RwLock, Weak,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use async_graphql::ServerError;
use axum::http::{HeaderMap, StatusCode, header};
use futures_util::{StreamExt, stream};
use tokio::{
    sync::Notify,
    time::{Instant, timeout},
};

use crate::{
    auth::Viewer,
    config::SubscriptionSettings,
    error::ErrorCode,
    graphql::{engine::errors, schema::context::Services},
    http::{credentials::authenticate, header_names::X_API_KEY, rejection::Rejection},
    limits::{ByteCounts, ByteLimits, BytesFull, Client, ClientKey, FairQueue, Place, QueueLimits, ReservedBytes},
    sync::lock,
    telemetry::RequestId,
};

/// Time limit of the check of a credential.
const CHECK_TIMEOUT: Duration = Duration::from_millis(500);
/// Credentials that are checked at the same time: an API key may have to be looked up.
const CONCURRENT_CHECKS: usize = 32;
/// Interval between two checks.
const CHECK_INTERVAL: Duration = Duration::from_millis(500);

/// All open connections. Clones share them.
#[derive(Clone)]
pub struct Connections(Arc<Inner>);

struct Inner {
    services: Arc<Services>,
    settings: SubscriptionSettings,
    last_id: AtomicU64,
    open: Mutex<HashMap<u64, Arc<State>>>,
    counts: ByteCounts<ClientKey>,
    /// Connections whose clients have not authenticated yet, by network.
    opening: ByteCounts<ClientKey>,
    /// Executions for events, which wait in turn.
    executions: FairQueue,
}

/// Why a connection ends.
#[derive(Debug, Clone)]
pub enum End {
    /// The credential is not valid any more.
    Unauthenticated(Box<ServerError>),
    /// There were no operations for some time.
    Idle,
    /// It was open for the maximum time.
    TooOld,
}

struct State {
    /// The credential; empty for anonymous viewers.
    headers: HeaderMap,
    viewer: RwLock<Viewer>,
    opened_at: Instant,
    /// Milliseconds from the start of the connection to the end of the last operation.
    used_until: AtomicU64,
    operations: AtomicUsize,
    end: OnceLock<End>,
    ended: Notify,
}

impl Connections {
    /// Creates the connections, and starts the task that checks them.
    pub fn new(services: Arc<Services>, settings: SubscriptionSettings) -> Self {
        let running = thread::available_parallelism().map_or(4, usize::from) * 4;
        let limits = QueueLimits {
            running,
            running_per_client: running / 2,
            waiting: usize::MAX,
            waiting_per_client: usize::MAX,
        };
        let inner = Arc::new(Inner {
            services,
            settings,
            last_id: AtomicU64::new(0),
            open: Mutex::default(),
            counts: ByteCounts::default(),
            opening: ByteCounts::default(),
            executions: FairQueue::new(limits),
        });
        tokio::spawn(check(Arc::downgrade(&inner)));
        Self(inner)
    }

    /// Returns the settings.
    pub fn settings(&self) -> &SubscriptionSettings {
        &self.0.settings
    }

    /// Reserves a connection for a client.
    /// # Errors
    /// 429 if the client has too many, 503 if all clients have.
    pub fn reserve(&self, client: Client) -> Result<Reservation, Rejection> {
        self.count(&self.0.counts, client)
    }

    /// Reserves a connection that is being opened, whose client is not known yet, for its network.
    /// # Errors
    /// As [`Connections::reserve`].
    pub fn reserve_opening(&self, network: Client) -> Result<Reservation, Rejection> {
        self.count(&self.0.opening, network)
    }

    fn count(&self, counts: &ByteCounts<ClientKey>, client: Client) -> Result<Reservation, Rejection> {
        let max = self.0.settings.connections_per_client;
        let per_client = if client.is_exempt { u64::MAX } else { u64::try_from(max).unwrap_or(u64::MAX) };
        let mut reserved = counts.reservation(client.key);
        let total = u64::try_from(self.0.settings.max_subscription_connections).unwrap_or(u64::MAX);
        reserved.grow(1, ByteLimits { total, per_client }).map_err(|full| {
            if full == BytesFull::All {
                let message = "the server has too many connections for subscriptions; try again later";
                return Rejection::new(StatusCode::SERVICE_UNAVAILABLE, ErrorCode::Unavailable, message);
            }
            let message = format!(
                "a client has at most {max} connections for subscriptions; use one WebSocket for several subscriptions"
            );
            Rejection::new(StatusCode::TOO_MANY_REQUESTS, ErrorCode::RateLimited, message)
        })?;
        Ok(Reservation { _reserved: reserved })
    }

    /// Opens a connection of a viewer, whose credentials are in these headers.
    pub fn open(&self, reservation: Reservation, headers: &HeaderMap, viewer: Viewer) -> Connection {
        let id = self.0.last_id.fetch_add(1, Ordering::Relaxed);
        let credentials = [header::AUTHORIZATION, X_API_KEY].into_iter();
        let state = Arc::new(State {
            headers: credentials.filter_map(|name| Some((name.clone(), headers.get(&name)?.clone()))).collect(),
            viewer: RwLock::new(viewer),
            opened_at: Instant::now(),
            used_until: AtomicU64::new(0),
            operations: AtomicUsize::new(0),
            end: OnceLock::new(),
            ended: Notify::new(),
        });
        lock(&self.0.open).insert(id, Arc::clone(&state));
        Connection { id, state, connections: self.clone(), _reservation: reservation }
    }

    /// Waits until something of a client may be executed.
    pub async fn wait_for_turn(&self, client: Client) -> Option<Place> {
        self.0.executions.enter(client).await.ok()
    }
}

/// A connection of a client that counts towards its limit.
pub struct Reservation {
    _reserved: ReservedBytes<ClientKey>,
}

/// An open connection, until it is dropped.
pub struct Connection {
    id: u64,
    state: Arc<State>,
    connections: Connections,
    _reservation: Reservation,
}

impl Connection {
    /// Returns the viewer as they are now.
    pub fn viewer(&self) -> Viewer {
        self.state.viewer.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until the connection has to end.
    pub async fn end(&self) -> End {
        loop {
            let ended = self.state.ended.notified();
            if let Some(end) = self.state.end.get() {
                return end.clone();
            }
            ended.await;
        }
    }

    /// Waits until the credential is not valid any more.
    pub async fn unauthenticated(&self) -> End {
        match self.end().await {
            end @ End::Unauthenticated(_) => end,
            End::Idle | End::TooOld => std::future::pending().await,
        }
    }

    /// Returns all connections.
    pub fn connections(&self) -> &Connections {
        &self.connections
    }

    /// Notes that an operation runs, until the returned value is dropped; none if there are too many.
    pub fn begin_operation(&self) -> Option<RunningOperation> {
        let max = self.connections.0.settings.operations_per_connection;
        let add = |running: usize| (running < max).then_some(running + 1);
        let added = self.state.operations.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
        added.ok().map(|_| RunningOperation(Arc::clone(&self.state)))
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        lock(&self.connections.0.open).remove(&self.id);
    }
}

/// An operation of a connection that is not idle.
pub struct RunningOperation(Arc<State>);

impl Drop for RunningOperation {
    fn drop(&mut self) {
        self.0.used_until.store(self.0.age_in_ms(), Ordering::Relaxed);
        self.0.operations.fetch_sub(1, Ordering::Relaxed);
    }
}

impl State {
    fn age_in_ms(&self) -> u64 {
        u64::try_from(self.opened_at.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Returns whether the connection was open or unused for too long.
    fn check_time(&self, settings: &SubscriptionSettings) -> Option<End> {
        let unused = Duration::from_millis(self.age_in_ms().saturating_sub(self.used_until.load(Ordering::Relaxed)));
        if self.opened_at.elapsed() >= settings.max_lifetime {
            Some(End::TooOld)
        } else if self.operations.load(Ordering::Relaxed) == 0 && unused >= settings.idle_limit {
            Some(End::Idle)
        } else {
            None
        }
    }

    /// Returns whether the credential is not valid any more, and updates the viewer.
    async fn check_credential(&self, services: &Services) -> Option<End> {
        let viewer = timeout(CHECK_TIMEOUT, authenticate(&self.headers, services, &RequestId::random())).await;
        match viewer {
            Ok(Ok(viewer)) => {
                let mut current = self.viewer.write().unwrap_or_else(PoisonError::into_inner);
                let guest = current.holder().guest;
                *current = viewer.with_guest(guest);
                None
            }
            Ok(Err(error)) if errors::code(&error) == Some(ErrorCode::Unauthenticated) => {
                Some(End::Unauthenticated(Box::new(error)))
            }
            // The database cannot be asked: what was known last counts.
            _ => None,
        }
    }

    fn end(&self, end: End) {
        let _ = self.end.set(end);
        self.ended.notify_waiters();
    }
}

/// Checks the connections until they are dropped.
async fn check(connections: Weak<Inner>) {
    loop {
        tokio::time::sleep(CHECK_INTERVAL).await;
        let Some(connections) = connections.upgrade() else { return };
        let mut open: Vec<_> = lock(&connections.open).values().cloned().collect();
        for state in &open {
            if let Some(end) = state.check_time(&connections.settings) {
                state.end(end);
            }
        }
        open.retain(|state| !state.headers.is_empty());
        let services = &connections.services;
        let checks = stream::iter(open).for_each_concurrent(CONCURRENT_CHECKS, |state| async move {
            if let Some(end) = state.check_credential(services).await {
                state.end(end);
            }
        });
        checks.await;
    }
}
