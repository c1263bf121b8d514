//! The recorder: takes searches and clicks without waiting, and writes them in the background, many in one statement.
//! Rule: a request never waits for it and never fails by it. What does not fit is dropped and counted.

use std::{
    mem,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, sleep, timeout_at},
};

use super::{
    model::{NewClick, NewSearch},
    store,
};
use crate::{db::Db, error::Result};

/// Most entries that wait.
pub const MAX_QUEUED: usize = 10_000;
/// Most entries that are written at once.
pub const MAX_BATCH: usize = 500;
/// How long an entry waits for others.
const MAX_DELAY: Duration = Duration::from_secs(1);
/// The pauses after which a batch is written again that the database did not take.
const RETRY_DELAYS: [Duration; 3] = [Duration::from_millis(200), Duration::from_secs(1), Duration::from_secs(5)];
/// How often a warning tells that entries are dropped.
const WARN_INTERVAL: Duration = Duration::from_secs(60);

/// Something to write, or the wish that all before it is.
enum Entry {
    Search(Box<NewSearch>),
    Click(NewClick),
    Flush(oneshot::Sender<()>),
}

/// Where searches and clicks are handed in. Clones are one recorder.
#[derive(Clone)]
pub struct SearchRecorder {
    queue: Option<mpsc::Sender<Entry>>,
    dropped: Arc<Dropped>,
}

/// What was not written.
#[derive(Default)]
struct Dropped {
    count: AtomicU64,
    warned: Mutex<Option<Instant>>,
}

impl Dropped {
    /// Counts entries that the database did not take.
    fn add_failed(&self, count: usize) {
        self.count.fetch_add(count as u64, Ordering::Relaxed);
    }

    /// Counts an entry that did not fit, and warns now and then.
    fn add_overflow(&self) {
        let all = self.count.fetch_add(1, Ordering::Relaxed) + 1;
        let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
        if warned.is_none_or(|at| at.elapsed() >= WARN_INTERVAL) {
            *warned = Some(Instant::now());
            tracing::warn!(dropped = all, "searches come faster than they are written: some are not recorded");
        }
    }
}

impl SearchRecorder {
    /// A recorder that writes into this database, by a task of its own that ends with it.
    pub fn start(db: Db) -> Self {
        let (queue, entries) = mpsc::channel(MAX_QUEUED);
        let dropped = Arc::<Dropped>::default();
        tokio::spawn(write_all(db, entries, Arc::clone(&dropped)));
        Self { queue: Some(queue), dropped }
    }

    /// A recorder that writes nothing.
    pub fn disabled() -> Self {
        Self { queue: None, dropped: Arc::default() }
    }

    /// Whether anything is recorded.
    pub fn is_enabled(&self) -> bool {
        self.queue.is_some()
    }

    /// Records a search.
    pub fn record_search(&self, search: NewSearch) {
        self.enqueue(Entry::Search(Box::new(search)));
    }

    /// Records a click.
    pub fn record_click(&self, click: NewClick) {
        self.enqueue(Entry::Click(click));
    }

    fn enqueue(&self, entry: Entry) {
        if let Some(queue) = &self.queue
            && queue.try_send(entry).is_err()
        {
            self.dropped.add_overflow();
        }
    }

    /// How many searches and clicks were not written: there was no room for them, or the database did not take them.
    pub fn dropped(&self) -> u64 {
        self.dropped.count.load(Ordering::Relaxed)
    }

    /// Returns once all that was handed in before is written, or given up.
    pub async fn flush(&self) {
        let (done, wait) = oneshot::channel();
        if let Some(queue) = &self.queue
            && queue.send(Entry::Flush(done)).await.is_ok()
        {
            let _ = wait.await;
        }
    }
}

/// What is written together.
#[derive(Default)]
struct Batch {
    searches: Vec<NewSearch>,
    clicks: Vec<NewClick>,
    flushed: Vec<oneshot::Sender<()>>,
}

impl Batch {
    fn add(&mut self, entry: Entry) {
        match entry {
            Entry::Search(search) => self.searches.push(*search),
            Entry::Click(click) => self.clicks.push(click),
            Entry::Flush(done) => self.flushed.push(done),
        }
    }

    fn len(&self) -> usize {
        self.searches.len() + self.clicks.len()
    }

    fn is_due(&self) -> bool {
        self.len() >= MAX_BATCH || !self.flushed.is_empty()
    }
}

/// Writes what comes, until nobody is left who could hand anything in.
async fn write_all(db: Db, mut entries: mpsc::Receiver<Entry>, dropped: Arc<Dropped>) {
    let mut batch = Batch::default();
    while let Some(first) = entries.recv().await {
        batch.add(first);
        let due = Instant::now() + MAX_DELAY;
        while !batch.is_due() {
            let Ok(Some(entry)) = timeout_at(due, entries.recv()).await else { break };
            batch.add(entry);
        }
        let batch = mem::take(&mut batch);
        if let Err(error) = write(&db, &batch).await {
            tracing::warn!(%error, entries = batch.len(), "searches are not recorded");
            dropped.add_failed(batch.len());
        }
        for done in batch.flushed {
            let _ = done.send(());
        }
    }
}

/// Writes a batch, and again where the database does not take it: what is there already stays as it is.
async fn write(db: &Db, batch: &Batch) -> Result<()> {
    let (searches, clicks) = (&batch.searches, &batch.clicks);
    let mut delays = RETRY_DELAYS.into_iter();
    loop {
        let written = db.transaction(async |conn| {
            store::insert_searches(conn, searches).await?;
            store::insert_clicks(conn, clicks).await
        });
        match (written.await, delays.next()) {
            (Ok(()), _) => return Ok(()),
            (Err(error), None) => return Err(error),
            (Err(error), Some(delay)) => {
                tracing::debug!(%error, "searches are written again");
                sleep(delay).await;
            }
        }
    }
}
