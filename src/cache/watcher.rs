//! The watcher: polls what changed, whoever changed it and on whatever server.
//! Rule: when in doubt, everything counts as changed: after an error, on another database server, and after a pause.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};

use tokio::{
    sync::{Notify, watch},
    time::timeout,
};

use super::{Version, Versions, bookmarks::Bookmarks, timeline::Timeline};
use crate::{
    db::{
        Conn, Db,
        changes::{self, ALL, Changes, DELETED, Position},
    },
    error::{Error, Result},
    redis::Redis,
    sync::lock,
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
    timeline: Mutex<Timeline>,
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
    /// Starts to poll the database, in a task that ends when the watcher is dropped. With Redis, it knows at the start what changed
    /// lately, so that it can use what other servers have stored there.
    pub fn start(db: Db, redis: Option<Redis>) -> Arc<Self> {
        let watcher = Arc::new(Self {
            versions: Versions::default(),
            begun: AtomicU64::new(0),
            ended: watch::Sender::new(0),
            requested: Notify::new(),
            polled_at: Mutex::default(),
            timeline: Mutex::default(),
        });
        let watched = Arc::downgrade(&watcher);
        tokio::spawn(async move {
            let mut session =
                Session { db, connection: None, last: None, bookmarks: redis.map(Bookmarks::new), has_failed: false };
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
        let polled_at = *lock(&self.polled_at);
        polled_at.is_some_and(|polled_at| polled_at.is_within(MAX_AGE))
    }

    /// Returns the position of the last poll, for other servers: what is loaded from now on includes everything before it.
    pub fn position(&self) -> Option<Position> {
        lock(&self.timeline).last()
    }

    /// Returns the version at which this server could have loaded a value that another one loaded after a position; none if
    /// this server does not know what changed since.
    pub fn version_at(&self, position: &Position) -> Option<Version> {
        lock(&self.timeline).version_at(position)
    }

    /// Polls as soon as possible, because something may have changed.
    pub fn poll_soon(&self) {
        self.requested.notify_one();
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
        let (began_at, before) = (ClockTime::now(), self.versions.now());
        let read = timeout(MAX_WAIT, session.read()).await;
        let read = read.unwrap_or_else(|_| Err(Error::Unavailable("reading the changes timed out".into())));
        let is_done = read.is_ok();
        match read {
            Ok(Found { base, changes: Changes { position, tags } }) => {
                let is_continued =
                    |(last, at): &(Position, ClockTime)| last.server == position.server && at.is_within(MAX_PAUSE);
                let is_continued = session.last.as_ref().is_some_and(is_continued);
                let base = base.filter(|_| !is_continued);
                self.apply(&tags, is_continued, base, &position, before);
                if std::mem::take(&mut session.has_failed) {
                    tracing::info!("changes can be read again");
                }
                self.set_polled_at(Some(began_at));
                if let Some(bookmarks) = &mut session.bookmarks {
                    bookmarks.write(&position);
                }
                session.last = Some((position, began_at));
            }
            Err(error) => {
                session.connection = None;
                session.last = None;
                if !std::mem::replace(&mut session.has_failed, true) {
                    tracing::warn!(%error, "changes could not be read: nothing is taken from the cache until they can");
                }
                self.set_polled_at(None);
                lock(&self.timeline).clear();
                self.versions.change_all();
            }
        }
        self.ended.send_replace(number);
        is_done
    }

    /// Notes what a poll found that began at this version. If it does not continue the last one, everything may have changed,
    /// but for what other servers loaded after a base since which the changes are known.
    fn apply(&self, tags: &[String], is_continued: bool, base: Option<Position>, position: &Position, before: Version) {
        let mut timeline = lock(&self.timeline);
        // A version in between is that of a writer who gave up waiting. The poll may not have seen its changes.
        let (mut version, mut expected) = (before, before);
        if !is_continued {
            timeline.clear();
            (version, expected) = (self.versions.change_all(), expected.next());
            if let Some(base) = base.filter(|_| version == expected) {
                timeline.add(base, version);
            }
        }
        if tags.iter().any(|tag| tag == ALL) {
            (version, expected) = (self.versions.change_all(), expected.next());
        } else if !tags.is_empty() {
            (version, expected) = (self.versions.change(tags.iter().map(String::as_str)), expected.next());
        }
        if version == expected {
            timeline.add(position.clone(), version);
        }
    }

    fn set_polled_at(&self, at: Option<ClockTime>) {
        *lock(&self.polled_at) = at;
    }
}

/// The connection of the watcher. It has its own, so that polls do not wait for reads of clients, and so that it notices each
/// end of a connection: after a crash, the database may have lost what it had shown before.
struct Session {
    db: Db,
    connection: Option<Conn>,
    /// The last successful poll.
    last: Option<(Position, ClockTime)>,
    bookmarks: Option<Bookmarks>,
    /// Whether the last poll failed.
    has_failed: bool,
}

/// What a poll found.
struct Found {
    changes: Changes,
    /// The position since which the changes are known, for the first poll of a connection.
    base: Option<Position>,
}

impl Session {
    async fn read(&mut self) -> Result<Found> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => {
                self.last = None;
                self.db.connect_alone().await?
            }
        };
        let last = self.last.as_ref().map(|(position, _)| &position.moment);
        let changes = changes::since(&connection, last).await?;
        let found = match (last, &self.bookmarks) {
            (None, Some(bookmarks)) => since_bookmark(&connection, bookmarks, changes).await?,
            _ => Found { changes, base: None },
        };
        self.connection = Some(connection);
        Ok(found)
    }
}

/// Reads the changes since the oldest bookmark, unless some of them were deleted.
async fn since_bookmark(connection: &Conn, bookmarks: &Bookmarks, now: Changes) -> Result<Found> {
    let last_deletion = changes::last_deletion(connection).await?;
    let Some(base) = bookmarks.oldest(&now.position.server, last_deletion).await else {
        return Ok(Found { changes: now, base: None });
    };
    let changes = changes::since(connection, Some(&base.moment)).await?;
    let is_complete = !changes.tags.iter().any(|tag| tag == DELETED) && changes.position.server == base.server;
    Ok(match is_complete {
        true => Found { changes, base: Some(base) },
        false => Found { changes: now, base: None },
    })
}
