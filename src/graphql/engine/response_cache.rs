//! Cache of responses that are the same for everyone, keyed by document, operation, variables and the URL of the server.
//! Rule: a response is taken from the cache only if nothing that it was made of has changed since it was loaded. Of several
//! requests that miss the same response at the same time, one loads it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use moka::sync::Cache;
use tokio::{sync::watch, time::timeout};

use super::{
    public_response::{PublicResponse, ResponseKey},
    shared_responses::SharedResponses,
};
use crate::{
    cache::{Announcements, ChangeWatcher, Slot, Version},
    db::changes::Position,
    redis::Redis,
    sync::lock,
};

/// Size of an entry without its key, body and tags, in bytes, as measured.
const ENTRY_BYTES: usize = 900;
/// Size that the compressed forms of a body add, as a fraction of the body.
const COMPRESSED: usize = 2;
/// Responses larger than this fraction of the cache are not cached.
const MAX_SHARE: u64 = 16;

/// Time for which requests wait for one that loads the same response.
const MAX_WAIT: Duration = Duration::from_millis(250);

struct Entry {
    response: Arc<PublicResponse>,
    loaded_at: Version,
    slots: Box<[Slot]>,
}

/// Bounded cache of responses. Without a limit of bytes above 0 it is turned off.
#[derive(Default)]
pub struct ResponseCache(Option<Inner>);

struct Inner {
    entries: Cache<ResponseKey, Arc<Entry>>,
    max_bytes: u64,
    watcher: Arc<ChangeWatcher>,
    /// The responses that are being loaded at this moment.
    loading: Arc<Loading>,
    shared: Option<Shared>,
}

/// What joins this cache with those of other servers.
struct Shared {
    responses: SharedResponses,
    announcements: Announcements,
}

type Loading = Mutex<HashMap<ResponseKey, watch::Receiver<()>>>;

/// The result of a lookup.
pub enum Lookup {
    /// The response.
    Hit(Arc<PublicResponse>),
    /// The response has to be loaded, and may be stored.
    Miss(Miss),
    /// The response has to be loaded, and not to be stored.
    Bypass,
}

/// A response that is being loaded. Others wait for it until it is dropped.
pub struct Miss {
    key: ResponseKey,
    loaded_at: Version,
    /// The position of the database before the load, for other servers.
    position: Option<Position>,
    /// Set for the load that others wait for.
    leader: Option<Leader>,
}

/// Ends the wait of the others when it is dropped.
struct Leader {
    key: ResponseKey,
    loading: Arc<Loading>,
    _sender: watch::Sender<()>,
}

impl Drop for Leader {
    fn drop(&mut self) {
        lock(&self.loading).remove(&self.key);
    }
}

impl ResponseCache {
    /// Creates a cache of at most so many bytes and entries.
    pub fn new(max_bytes: u64, max_entries: u64, watcher: Arc<ChangeWatcher>) -> Self {
        let least = max_bytes.checked_div(max_entries).unwrap_or(max_bytes).max(1);
        let weight = move |key: &ResponseKey, entry: &Arc<Entry>| {
            let body = entry.response.body().len();
            let tags = entry.slots.len() * size_of::<Slot>();
            let bytes =
                ENTRY_BYTES + key.as_str().len() + body + body / COMPRESSED + tags + entry.response.extra_bytes();
            u32::try_from((bytes as u64).max(least)).unwrap_or(u32::MAX)
        };
        let entries = Cache::builder().max_capacity(max_bytes).weigher(weight).build();
        Self(Some(Inner { entries, max_bytes, watcher, loading: Arc::default(), shared: None }))
    }

    /// Shares the responses with other servers, and tells them of changes. Does nothing if the cache is turned off.
    #[must_use]
    pub fn shared_by(self, redis: Redis, responses: SharedResponses) -> Self {
        Self(self.0.map(|inner| {
            let announcements = Announcements::start(redis, &inner.watcher);
            Inner { shared: Some(Shared { responses, announcements }), ..inner }
        }))
    }

    /// Returns whether responses are cached.
    pub fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// Looks a response up. If another request is loading it, waits for that, unless `waits` is false.
    pub async fn lookup(&self, key: ResponseKey, waits: bool) -> Lookup {
        let Some(inner) = self.0.as_ref().filter(|inner| inner.watcher.is_up_to_date()) else { return Lookup::Bypass };
        if let Some(response) = inner.find(&key) {
            return Lookup::Hit(response);
        }
        if !waits {
            return Lookup::Miss(inner.miss(key, None));
        }
        match inner.lead_or_follow(&key) {
            Ok(leader) => match inner.find_shared(&key).await {
                Some(response) => Lookup::Hit(response),
                None => Lookup::Miss(inner.miss(key, Some(leader))),
            },
            Err(mut other) => {
                // An error means that the other load has ended. It may wait for the turn of its client, who has much to do.
                let _ = timeout(MAX_WAIT, other.changed()).await;
                match inner.find_now(&key) {
                    Some(response) => Lookup::Hit(response),
                    None => Lookup::Miss(inner.miss(key, None)),
                }
            }
        }
    }

    /// Stores a response that was missed. It is stored even if something that it depends on has changed meanwhile: the next
    /// lookup finds that out.
    pub fn store(&self, miss: Miss, response: Arc<PublicResponse>) {
        let Some(inner) = &self.0 else { return };
        if let (Some(shared), Some(position)) = (&inner.shared, miss.position) {
            shared.responses.store(&miss.key, position, &response);
        }
        inner.insert(miss.key, inner.entry(response, miss.loaded_at));
        drop(miss.leader);
    }

    /// Waits until the cache knows of everything that was committed before the call, and tells other servers of it.
    pub async fn catch_up(&self) {
        let Some(inner) = &self.0 else { return };
        let before = inner.watcher.versions().now();
        inner.watcher.catch_up().await;
        if let Some(shared) = &inner.shared
            && inner.watcher.versions().now() != before
        {
            shared.announcements.announce();
        }
    }
}

impl Inner {
    fn find(&self, key: &ResponseKey) -> Option<Arc<PublicResponse>> {
        let entry = self.entries.get(key)?;
        if self.is_current(&entry) {
            return Some(Arc::clone(&entry.response));
        }
        self.entries.invalidate(key);
        None
    }

    /// Looks a response up after a wait, during which this server may have lost track of the changes.
    fn find_now(&self, key: &ResponseKey) -> Option<Arc<PublicResponse>> {
        self.watcher.is_up_to_date().then(|| self.find(key)).flatten()
    }

    /// Takes a response that another server loaded, if nothing has changed since.
    async fn find_shared(&self, key: &ResponseKey) -> Option<Arc<PublicResponse>> {
        let (response, position) = self.shared.as_ref()?.responses.find(key).await?;
        let loaded_at = self.watcher.version_at(&position)?;
        let entry = self.entry(Arc::new(response), loaded_at);
        self.insert(key.clone(), Arc::clone(&entry));
        (self.watcher.is_up_to_date() && self.is_current(&entry)).then(|| Arc::clone(&entry.response))
    }

    fn entry(&self, response: Arc<PublicResponse>, loaded_at: Version) -> Arc<Entry> {
        let versions = self.watcher.versions();
        let slots = response.tags().map(|tag| versions.slot_of(tag)).collect();
        Arc::new(Entry { response, loaded_at, slots })
    }

    fn is_current(&self, entry: &Entry) -> bool {
        self.watcher.versions().is_current(entry.loaded_at, &entry.slots)
    }

    fn insert(&self, key: ResponseKey, entry: Arc<Entry>) {
        let Entry { response, .. } = &*entry;
        if (response.body().len() + response.extra_bytes()) as u64 <= self.max_bytes / MAX_SHARE {
            self.entries.insert(key, entry);
        }
    }

    fn miss(&self, key: ResponseKey, leader: Option<Leader>) -> Miss {
        let position = self.shared.as_ref().and_then(|_| self.watcher.position());
        Miss { key, loaded_at: self.watcher.versions().now(), position, leader }
    }

    /// Returns the right to load the response, or what tells when another load of it has ended.
    fn lead_or_follow(&self, key: &ResponseKey) -> Result<Leader, watch::Receiver<()>> {
        let mut loading = lock(&self.loading);
        if let Some(other) = loading.get(key) {
            return Err(other.clone());
        }
        let (sender, receiver) = watch::channel(());
        loading.insert(key.clone(), receiver);
        Ok(Leader { key: key.clone(), loading: Arc::clone(&self.loading), _sender: sender })
    }
}
