//! The feed: reads the events of the database, and sends them to the subscribers of this server.
//! Rule: nothing is read while there are no subscribers. A subscriber gets every event that was committed after it subscribed,
//! also after the connection to the database was lost.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use chrono::Utc;
use tokio::{
    sync::{Notify, mpsc},
    time::timeout,
};

use super::registry::Registry;
use crate::{
    db::{Conn, Db, PlanMode, changes},
    error::{Error, ErrorCode, Result},
    events::{
        model::{Batch, Event, EventCursor, EventKind, EventRow, MAX_MISSED, Start, Topic},
        store,
    },
    sync::lock,
};

/// Interval between two polls.
const INTERVAL: Duration = Duration::from_millis(100);
/// Time limit of a poll, and that to wait for one.
const MAX_WAIT: Duration = Duration::from_secs(2);
/// Pause after a poll that failed.
const RETRY_DELAY: Duration = Duration::from_millis(200);

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

    /// Subscribes to topics: first to the events after a cursor, if there is one, then to all that follow.
    /// # Errors
    /// UNAVAILABLE while the database cannot be reached; a user error if there are too many events after the cursor.
    pub async fn subscribe(&self, topics: Vec<Topic>, after: Option<EventCursor>) -> Result<EventStream> {
        let joined = lock(&self.0.registry).add(topics.clone().into());
        self.0.requested.notify_one();
        let (id, batch) = timeout(MAX_WAIT, joined.joined).await.ok().and_then(Result::ok).ok_or_else(unavailable)?;
        let registration = Registration { feed: Arc::downgrade(&self.0), id };
        let missed = match after {
            Some(cursor) => self.missed(&topics, &cursor, &batch).await?,
            None => VecDeque::new(),
        };
        Ok(EventStream {
            missed,
            receiver: joined.receiver,
            has_lagged: joined.has_lagged,
            _registration: registration,
        })
    }

    /// Reads the events between a cursor and a batch.
    async fn missed(&self, topics: &[Topic], cursor: &EventCursor, batch: &Arc<Batch>) -> Result<VecDeque<Arc<Event>>> {
        let (start, until) = (cursor.start(&batch.until), &batch.until);
        let mut rows: Vec<EventRow> = Vec::new();
        for topic in topics {
            let read = self.0.db.read_with(PlanMode::Custom, async |conn| {
                store::of_topic(conn, *topic, start.clone(), &until.moment, MAX_MISSED + 1).await
            });
            rows.extend(read.await?.into_iter().filter(|row| row.topics().contains(topic)));
        }
        if rows.len() > usize::try_from(MAX_MISSED).unwrap_or(usize::MAX) {
            return Err(Error::bad_input(
                "after",
                "there were too many events since. Load the current state, and subscribe without `after`",
            ));
        }
        rows.retain(|row| !cursor.includes(row, until));
        rows.sort_by_key(|row| row.id);
        rows.dedup_by_key(|row| row.id);
        let after = match start {
            Start::Moment(moment) => Some(changes::Position { server: until.server.clone(), moment }),
            Start::Time(_) => None,
        };
        let batch = Arc::new(Batch { after, until: until.clone(), at: batch.at });
        Ok(rows.into_iter().map(|row| Arc::new(Event { row, batch: Arc::clone(&batch) })).collect())
    }
}

fn unavailable() -> Error {
    Error::Coded(ErrorCode::Unavailable, "the events cannot be read at the moment; try again".into())
}

/// The events of one subscription.
pub struct EventStream {
    missed: VecDeque<Arc<Event>>,
    receiver: mpsc::Receiver<Arc<Event>>,
    has_lagged: Arc<AtomicBool>,
    _registration: Registration,
}

impl EventStream {
    /// Waits for the next event; none if there were too many that were not taken, or if the server ends.
    pub async fn next(&mut self) -> Option<Arc<Event>> {
        match self.missed.pop_front() {
            Some(event) => Some(event),
            None => self.receiver.recv().await,
        }
    }

    /// Returns once whether events were lost, because too many were not taken.
    pub fn take_has_lagged(&self) -> bool {
        self.has_lagged.swap(false, Ordering::AcqRel)
    }
}

/// Removes the subscriber when it is dropped.
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
        let read = timeout(MAX_WAIT, session.read(&kinds)).await;
        match read.unwrap_or_else(|_| Err(Error::Unavailable("reading the events timed out".into()))) {
            Ok((batch, events)) => {
                lock(&feed.registry).dispatch(poll, &batch, &events);
                if std::mem::take(&mut session.has_failed) {
                    tracing::info!("events can be read again");
                }
                session.last = Some(batch);
                drop(feed);
                let _ = timeout(INTERVAL, requested.notified()).await;
            }
            Err(error) => {
                drop(feed);
                session.connection = None;
                if !std::mem::replace(&mut session.has_failed, true) {
                    tracing::warn!(%error, "events could not be read: subscriptions wait until they can");
                }
                tokio::time::sleep(RETRY_DELAY).await;
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
    last: Option<Arc<Batch>>,
    has_failed: bool,
}

impl Session {
    /// Reads the events since the last ones; without, only the position.
    async fn read(&mut self, kinds: &[EventKind]) -> Result<(Arc<Batch>, Vec<Arc<Event>>)> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.db.connect_alone().await?,
        };
        let (at, until) = (Utc::now(), changes::since(&connection, None).await?.position);
        let (after, start) = match &self.last {
            None => (None, None),
            Some(last) if last.until == until => (Some(last.until.clone()), None),
            Some(last) if last.until.server == until.server => (Some(last.until.clone()), Some(Start::from(last))),
            // Transactions of another start of the database server cannot be compared.
            Some(last) => (None, Some(Start::Time(last.at))),
        };
        let rows = match start {
            Some(start) if !kinds.is_empty() => store::between(&connection, start, &until.moment, kinds).await?,
            _ => Vec::new(),
        };
        self.connection = Some(connection);
        let batch = Arc::new(Batch { after, until, at });
        let events = rows.into_iter().map(|row| Arc::new(Event { row, batch: Arc::clone(&batch) })).collect();
        Ok((batch, events))
    }
}
