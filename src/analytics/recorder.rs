//! The recorder of searches and clicks: queues them and writes them to the database in batches, in the background.
//! Rule: recording never delays a request or makes it fail. Entries that do not fit in the queue are dropped and
//! counted.

use std::{
    mem,
    net::IpAddr,
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
use crate::{
    auth::{NetworkHasher, NetworkKey},
    db::Db,
    error::Result,
};

/// Maximum number of queued entries.
pub const MAX_QUEUED: usize = 10_000;
/// Maximum number of entries per batch.
pub const MAX_BATCH: usize = 500;
/// Maximum time that an entry waits for its batch to fill.
const MAX_DELAY: Duration = Duration::from_secs(1);
/// Delays between the attempts to write a batch.
const RETRY_DELAYS: [Duration; 3] = [Duration::from_millis(200), Duration::from_secs(1), Duration::from_secs(5)];
/// Minimum interval between two warnings about dropped entries.
const WARN_INTERVAL: Duration = Duration::from_secs(60);

/// A queued entry: a record to write, or a request to flush all entries before it.
enum Entry {
    Search(Box<NewSearch>),
    Click(NewClick),
    Flush(oneshot::Sender<()>),
}

/// A handle to the recorder. All clones share the same queue.
#[derive(Clone)]
pub struct SearchRecorder {
    queue: Option<mpsc::Sender<Entry>>,
    dropped: Arc<Dropped>,
    networks: Option<NetworkHasher>,
}

/// The count of dropped entries.
#[derive(Default)]
struct Dropped {
    count: AtomicU64,
    warned: Mutex<Option<Instant>>,
}

impl Dropped {
    /// Counts entries that could not be written.
    fn add_failed(&self, count: usize) {
        self.count.fetch_add(count as u64, Ordering::Relaxed);
    }

    /// Counts an entry that did not fit in the queue, and logs a warning at limited intervals.
    fn add_overflow(&self) {
        let all = self.count.fetch_add(1, Ordering::Relaxed) + 1;
        let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
        if warned.is_none_or(|at| at.elapsed() >= WARN_INTERVAL) {
            *warned = Some(Instant::now());
            tracing::warn!(dropped = all, "search recorder queue is full; entries dropped");
        }
    }
}

impl SearchRecorder {
    /// Starts a recorder that writes to this database in a background task, and the networks of searches as hashes. The task
    /// ends when all handles are dropped.
    pub fn start(db: Db, networks: NetworkHasher) -> Self {
        let (queue, entries) = mpsc::channel(MAX_QUEUED);
        let dropped = Arc::<Dropped>::default();
        tokio::spawn(write_all(db, entries, Arc::clone(&dropped)));
        Self { queue: Some(queue), dropped, networks: Some(networks) }
    }

    /// Returns a recorder that records nothing.
    pub fn disabled() -> Self {
        Self { queue: None, dropped: Arc::default(), networks: None }
    }

    /// Returns whether recording is enabled.
    pub fn is_enabled(&self) -> bool {
        self.queue.is_some()
    }

    /// Returns the hash of the network of an address; none if recording is disabled.
    pub fn network(&self, address: IpAddr) -> Option<NetworkKey> {
        self.networks.as_ref().map(|networks| networks.hash(address))
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

    /// Returns how many searches and clicks were dropped, because the queue was full or the database was unavailable.
    pub fn dropped(&self) -> u64 {
        self.dropped.count.load(Ordering::Relaxed)
    }

    /// Waits until all entries queued before are written or dropped.
    pub async fn flush(&self) {
        let (done, wait) = oneshot::channel();
        if let Some(queue) = &self.queue
            && queue.send(Entry::Flush(done)).await.is_ok()
        {
            let _ = wait.await;
        }
    }
}

/// Entries that are written together.
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

/// Writes entries in batches until all handles of the recorder are dropped.
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
            tracing::warn!(%error, entries = batch.len(), "search entries could not be written");
            dropped.add_failed(batch.len());
        }
        for done in batch.flushed {
            let _ = done.send(());
        }
    }
}

/// Writes a batch, with retries. Rows that already exist are left unchanged, so a repeated write does no harm.
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
                tracing::debug!(%error, "write of search entries failed; retrying");
                sleep(delay).await;
            }
        }
    }
}
