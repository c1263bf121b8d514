//! The feed: reads the events of the database, and sends them to the subscribers of this server.
//! Rule: nothing is read while there are no subscribers. A subscriber gets every event that was committed after it subscribed,
//! also after the connection to the database was lost.

use std::{
    mem,
    sync::{Arc, Mutex, OnceLock, Weak},
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};
use tokio::{
    sync::{Notify, mpsc},
    time::{sleep, timeout},
};

use super::registry::{Receiver, Registry, Wanted};
use crate::{
    db::{
        Conn, Db,
        changes::{self, Position},
    },
    error::{Error, ErrorCode, Result},
    events::{
        model::{Event, EventKind, Start, Window},
        store,
    },
    sync::lock,
};

/// Interval between two polls.
const INTERVAL: Duration = Duration::from_millis(100);
/// Minimum pause between two polls, however many subscribers and changes there are.
const MIN_PAUSE: Duration = Duration::from_millis(10);
/// Time limit of a poll, and that to wait for one.
const MAX_WAIT: Duration = Duration::from_secs(5);
/// Pause after a poll that failed.
const RETRY_DELAY: Duration = Duration::from_millis(200);
/// Maximum number of events of a poll. Others follow in the next poll.
const MAX_EVENTS: i64 = 5_000;

/// The events of the database, for subscribers of this server. Clones share the subscribers.
#[derive(Clone)]
pub struct EventFeed(Arc<Shared>);

struct Shared {
    db: Db,
    registry: Mutex<Registry>,
    requested: Arc<Notify>,
}

impl Drop for Shared {
    fn drop(&mut self) {
        // Ends the task.
        self.requested.notify_one();
    }
}

impl EventFeed {
    /// Starts the feed, in a task that ends when the feed is dropped.
    pub fn start(db: Db) -> Self {
        let requested = Arc::new(Notify::new());
        let shared = Arc::new(Shared { db: db.clone(), registry: Mutex::default(), requested: Arc::clone(&requested) });
        tokio::spawn(run(Arc::downgrade(&shared), requested, db));
        Self(shared)
    }

    /// Reads events as soon as possible, because there may be some.
    pub fn poll_soon(&self) {
        if !lock(&self.0.registry).is_empty() {
            self.0.requested.notify_one();
        }
    }

    /// Returns the number of subscriptions that get events.
    pub fn count(&self) -> usize {
        lock(&self.0.registry).count()
    }

    /// Returns the database.
    pub(super) fn db(&self) -> &Db {
        &self.0.db
    }

    /// Adds a subscriber, which gets the events after the window that is returned.
    pub(super) async fn join(&self, wanted: Wanted) -> Result<(Subscriber, Arc<Window>)> {
        let Receiver { id, events, overflowed, joined } = lock(&self.0.registry).add(wanted);
        let subscriber =
            Subscriber { events, overflowed, _registration: Registration { feed: Arc::downgrade(&self.0), id } };
        self.0.requested.notify_one();
        let window = timeout(MAX_WAIT, joined).await.ok().and_then(Result::ok).ok_or_else(unavailable)?;
        Ok((subscriber, window))
    }
}

fn unavailable() -> Error {
    Error::Coded(ErrorCode::Unavailable, "the events cannot be read at the moment; try again".into())
}

/// A subscriber, until it is dropped.
pub(super) struct Subscriber {
    pub(super) events: mpsc::Receiver<Arc<Event>>,
    /// When an event was not sent because too many were waiting.
    pub(super) overflowed: Arc<OnceLock<Instant>>,
    _registration: Registration,
}

struct Registration {
    feed: Weak<Shared>,
    id: u64,
}

impl Drop for Registration {
    fn drop(&mut self) {
        if let Some(feed) = self.feed.upgrade() {
            lock(&feed.registry).remove(self.id);
        }
    }
}

/// Reads events while there are subscribers, until the feed is dropped.
async fn run(feed: Weak<Shared>, requested: Arc<Notify>, db: Db) {
    let mut session = Session { db, connection: None, last: None, has_failed: false };
    while let Some(feed) = feed.upgrade() {
        let Some((poll, kinds)) = begin_poll(&feed) else {
            drop(feed);
            (session.last, session.connection) = (None, None);
            requested.notified().await;
            continue;
        };
        let read = timeout(MAX_WAIT, session.read(kinds)).await;
        match read.unwrap_or_else(|_| Err(Error::Unavailable("reading the events timed out".into()))) {
            Ok((window, events)) => {
                lock(&feed.registry).dispatch(poll, &window, &events);
                if mem::take(&mut session.has_failed) {
                    tracing::info!("events can be read again");
                }
                drop(feed);
                sleep(MIN_PAUSE).await;
                if !session.is_behind() {
                    let _ = timeout(INTERVAL, requested.notified()).await;
                }
            }
            Err(error) => {
                drop(feed);
                session.connection = None;
                if !mem::replace(&mut session.has_failed, true) {
                    tracing::warn!(%error, "events could not be read: subscriptions wait until they can");
                }
                sleep(RETRY_DELAY).await;
            }
        }
    }
}

/// Returns the number of the next poll, and the kinds of events to read; none without subscribers.
fn begin_poll(feed: &Shared) -> Option<(u64, Vec<EventKind>)> {
    let mut registry = lock(&feed.registry);
    if registry.is_empty() {
        return None;
    }
    registry.begun += 1;
    Some((registry.begun, registry.kinds()))
}

/// The connection of the feed, and what it has read.
struct Session {
    db: Db,
    connection: Option<Conn>,
    /// The last events that were read; none while there were no subscribers.
    last: Option<Last>,
    has_failed: bool,
}

/// How far the events were read.
struct Last {
    window: Arc<Window>,
    /// When the window ended.
    at: DateTime<Utc>,
    /// ID of the last event of the window that was read, if there are more.
    rest_after: Option<i64>,
}

impl Session {
    /// Returns whether there were more events than one poll reads.
    fn is_behind(&self) -> bool {
        self.last.as_ref().is_some_and(|last| last.rest_after.is_some())
    }

    /// Reads the events since the last ones; without, only the position.
    async fn read(&mut self, kinds: Vec<EventKind>) -> Result<(Arc<Window>, Vec<Arc<Event>>)> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.db.connect_alone().await?,
        };
        let rest = self.last.as_ref().and_then(|last| Some((Arc::clone(&last.window), last.at, last.rest_after?)));
        let (window, at, after_id) = match rest {
            Some(rest) => rest,
            None => {
                let (at, until) = (Utc::now(), changes::since(&connection, None).await?.position);
                (Arc::new(self.next_window(at, until)), at, i64::MIN)
            }
        };
        let is_empty =
            kinds.is_empty() || matches!(&window.start, Start::Moment(start) if *start == window.until.moment);
        let rows = match is_empty {
            true => Vec::new(),
            false => store::in_window(&connection, &window, after_id, kinds, MAX_EVENTS).await?,
        };
        self.connection = Some(connection);
        let rest_after = store::rest_after(&rows, MAX_EVENTS);
        self.last = Some(Last { window: Arc::clone(&window), at, rest_after });
        let events = rows.into_iter().map(|row| Arc::new(Event { row, window: Arc::clone(&window) })).collect();
        Ok((window, events))
    }

    /// Returns the window from the last one to a position; an empty one without.
    fn next_window(&self, at: DateTime<Utc>, until: Position) -> Window {
        match &self.last {
            None => Window { start: Start::Moment(until.moment.clone()), since: at, until },
            Some(last) if last.window.until.server == until.server => {
                Window { start: Start::Moment(last.window.until.moment.clone()), since: last.at, until }
            }
            // Transactions of another start of the database server cannot be compared.
            Some(last) => Window { start: Start::Time, since: last.at, until },
        }
    }
}
