//! The watcher: polls what changed, whoever changed it and on whatever server.
//! Rule: when in doubt, everything counts as changed: after an error, on another database server, and after a pause.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};

use tokio::{
    sync::{Notify, watch},
    time::timeout,
};

use super::Versions;
use crate::{
    db::{
        Conn, Db,
        changes::{self, ALL, Changes},
    },
    error::{Error, Result},
};

/// Interval between two polls. Changes on other servers are seen after at most this time and that of a poll.
const INTERVAL: Duration = Duration::from_millis(200);
/// Age of the last poll from which on cached values are not used. With the time that a response takes, it keeps them from
/// being older than a second.
const MAX_AGE: Duration = Duration::from_millis(800);
/// Pause after which the changes are not read but everything counts as changed. It is far below the time that changes are
/// kept.
const MAX_PAUSE: Duration = Duration::from_secs(30);
/// Time that a writer waits for the poll that sees its changes.
const MAX_WAIT: Duration = Duration::from_secs(1);
/// Pause after a poll that failed.
const RETRY_DELAY: Duration = Duration::from_millis(100);

/// Keeps the versions of the tags up to date.
pub struct ChangeWatcher {
    versions: Versions,
    /// Number of polls that have begun.
    begun: AtomicU64,
    /// Number of the last poll that has ended.
    ended: watch::Sender<u64>,
    requested: Notify,
    /// When the last successful poll began; none if the last one failed.
    polled_at: Mutex<Option<ClockTime>>,
}

/// A time by two clocks: one that never goes back, and one that goes on while the machine sleeps.
#[derive(Debug, Clone, Copy)]
struct ClockTime(Instant, SystemTime);

impl ClockTime {
    fn now() -> Self {
        Self(Instant::now(), SystemTime::now())
    }

    fn is_within(self, age: Duration) -> bool {
        // The time since then is not known if the clock was set back.
        self.0.elapsed() <= age && self.1.elapsed().is_ok_and(|elapsed| elapsed <= age)
    }
}

impl ChangeWatcher {
    /// Starts to poll the database, in a task that ends when the watcher is dropped.
    pub fn start(db: Db) -> Arc<Self> {
        let watcher = Arc::new(Self {
            versions: Versions::default(),
            begun: AtomicU64::new(0),
            ended: watch::Sender::new(0),
            requested: Notify::new(),
            polled_at: Mutex::default(),
        });
        let watched = Arc::downgrade(&watcher);
        tokio::spawn(async move {
            let mut session = Session { db, connection: None, last: None };
            while let Some(watcher) = watched.upgrade() {
                if watcher.poll(&mut session).await {
                    let _ = timeout(INTERVAL, watcher.requested.notified()).await;
                } else {
                    tokio::time::sleep(RETRY_DELAY).await;
                }
            }
        });
        watcher
    }

    /// Returns the versions of the tags.
    pub fn versions(&self) -> &Versions {
        &self.versions
    }

    /// Returns whether this server knows of all changes but those of the last second.
    pub fn is_up_to_date(&self) -> bool {
        let polled_at = *self.polled_at.lock().unwrap_or_else(PoisonError::into_inner);
        polled_at.is_some_and(|polled_at| polled_at.is_within(MAX_AGE))
    }

    /// Waits until this server knows of everything that was committed before the call. If that takes too long, everything
    /// counts as changed.
    pub async fn catch_up(&self) {
        let wanted = self.begun.load(Ordering::SeqCst) + 1;
        let mut ended = self.ended.subscribe();
        self.requested.notify_one();
        if timeout(MAX_WAIT, ended.wait_for(|number| *number >= wanted)).await.is_err() {
            self.versions.change_all();
        }
    }

    /// Reads what changed since the last poll. Returns whether that succeeded.
    async fn poll(&self, session: &mut Session) -> bool {
        let number = self.begun.fetch_add(1, Ordering::SeqCst) + 1;
        let began_at = ClockTime::now();
        let read = timeout(MAX_WAIT, session.read()).await;
        let read = read.unwrap_or_else(|_| Err(Error::Unavailable("reading the changes timed out".into())));
        let is_done = read.is_ok();
        match read {
            Ok(changes) => {
                let is_continued =
                    |(last, at): &(Changes, ClockTime)| last.server == changes.server && at.is_within(MAX_PAUSE);
                let is_continued = session.last.as_ref().is_some_and(is_continued);
                if !is_continued || changes.tags.iter().any(|tag| tag == ALL) {
                    self.versions.change_all();
                } else if !changes.tags.is_empty() {
                    self.versions.change(changes.tags.iter().map(String::as_str));
                }
                self.set_polled_at(Some(began_at));
                session.last = Some((Changes { tags: Vec::new(), ..changes }, began_at));
            }
            Err(error) => {
                session.connection = None;
                if session.last.take().is_some() {
                    tracing::warn!(%error, "changes could not be read: nothing is taken from the cache until they can");
                }
                self.set_polled_at(None);
                self.versions.change_all();
            }
        }
        self.ended.send_replace(number);
        is_done
    }

    fn set_polled_at(&self, at: Option<ClockTime>) {
        *self.polled_at.lock().unwrap_or_else(PoisonError::into_inner) = at;
    }
}

/// The connection of the watcher. It has its own, so that polls do not wait for reads of clients, and so that it notices each
/// end of a connection: after a crash, the database may have lost what it had shown before.
struct Session {
    db: Db,
    connection: Option<Conn>,
    /// The last successful poll.
    last: Option<(Changes, ClockTime)>,
}

impl Session {
    async fn read(&mut self) -> Result<Changes> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => {
                self.last = None;
                self.db.connect_alone().await?
            }
        };
        let changes = changes::since(&connection, self.last.as_ref().map(|(changes, _)| &changes.moment)).await?;
        self.connection = Some(connection);
        Ok(changes)
    }
}
