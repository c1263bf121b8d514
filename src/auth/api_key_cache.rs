//! The API keys that this server has seen of late, so that a request with one asks the database for nothing.
//! Rule: what is known of a key is a second old at most, and forgotten at once where this server changes anything.

use std::{
    collections::HashSet,
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chrono::{DateTime, Utc};
use moka::sync::Cache;

use super::Identity;
use crate::ids::ApiKeyId;

/// Most keys that are remembered, unknown ones among them.
const CAPACITY: u64 = 10_000;

/// How long one is remembered.
const TTL: Duration = Duration::from_secs(1);

/// What a good key makes of its bearer.
#[derive(Debug, Clone)]
pub struct CachedApiKey {
    /// Whom it acts for, with its own permissions and websites: what the owner's role gives now is not looked at yet.
    pub identity: Identity,
    /// From then on it is refused.
    pub expires_at: Option<DateTime<Utc>>,
}

/// The keys by their hashes.
pub struct ApiKeyCache {
    /// None for what is no good key.
    entries: Cache<Vec<u8>, Option<Arc<CachedApiKey>>>,
    /// How often all was forgotten.
    generation: Mutex<u64>,
    /// Keys whose use has to be noted.
    used: Mutex<HashSet<ApiKeyId>>,
}

impl Default for ApiKeyCache {
    fn default() -> Self {
        let entries = Cache::builder().max_capacity(CAPACITY).time_to_live(TTL).build();
        Self { entries, generation: Mutex::default(), used: Mutex::default() }
    }
}

impl ApiKeyCache {
    /// What is known of a hash: nothing, that it is no good key, or what it makes of its bearer.
    pub fn get(&self, hash: &[u8]) -> Option<Option<Arc<CachedApiKey>>> {
        self.entries.get(hash)
    }

    /// To be asked before the database is, for [`insert`](Self::insert).
    pub fn generation(&self) -> u64 {
        *lock(&self.generation)
    }

    /// Remembers what the database said, unless something has changed since it was asked.
    pub fn insert(&self, generation: u64, hash: Vec<u8>, key: Option<Arc<CachedApiKey>>) {
        let current = lock(&self.generation);
        if *current == generation {
            self.entries.insert(hash, key);
        }
    }

    /// Forgets all of it.
    pub fn clear(&self) {
        let mut generation = lock(&self.generation);
        *generation += 1;
        self.entries.invalidate_all();
    }

    /// Keeps in mind that a key was used.
    pub fn record_use(&self, id: ApiKeyId) {
        lock(&self.used).insert(id);
    }

    /// The keys that were used since this was asked last.
    pub fn take_used(&self) -> Vec<ApiKeyId> {
        mem::take(&mut *lock(&self.used)).into_iter().collect()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
