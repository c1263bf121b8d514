//! A cache of recently used API keys, so that requests with an API key do not query the database.
//! Rule: an entry is at most one second old; a change on this server clears the cache at once.

use std::{
    collections::HashSet,
    mem,
    sync::{Arc, Mutex},
    time::Duration,
};

use chrono::{DateTime, Utc};
use moka::sync::Cache;

use super::Identity;
use crate::{ids::ApiKeyId, sync::lock};

/// Maximum number of cached keys, including unknown ones.
const CAPACITY: u64 = 10_000;

/// Lifetime of an entry.
const TTL: Duration = Duration::from_secs(1);

/// A valid API key.
#[derive(Debug, Clone)]
pub struct CachedApiKey {
    /// The user that the key acts for, with the permissions and websites of the key. They are not yet limited to those
    /// of the user's role.
    pub identity: Identity,
    /// When the key expires.
    pub expires_at: Option<DateTime<Utc>>,
}

/// API keys by hash.
pub struct ApiKeyCache {
    /// None for keys that are unknown or invalid.
    entries: Cache<Vec<u8>, Option<Arc<CachedApiKey>>>,
    /// Number of times the cache was cleared.
    generation: Mutex<u64>,
    /// Keys whose use has not been recorded in the database yet.
    used: Mutex<HashSet<ApiKeyId>>,
}

impl Default for ApiKeyCache {
    fn default() -> Self {
        let entries = Cache::builder().max_capacity(CAPACITY).time_to_live(TTL).build();
        Self { entries, generation: Mutex::default(), used: Mutex::default() }
    }
}

impl ApiKeyCache {
    /// Returns the entry for a hash: nothing if it is not cached, `Some(None)` if the key is invalid, or the valid key.
    pub fn get(&self, hash: &[u8]) -> Option<Option<Arc<CachedApiKey>>> {
        self.entries.get(hash)
    }

    /// Returns the generation of the cache, to be read before querying the database and passed to
    /// [`insert`](Self::insert).
    pub fn generation(&self) -> u64 {
        *lock(&self.generation)
    }

    /// Caches what the database returned, unless the cache was cleared since this generation was read.
    pub fn insert(&self, generation: u64, hash: Vec<u8>, key: Option<Arc<CachedApiKey>>) {
        let current = lock(&self.generation);
        if *current == generation {
            self.entries.insert(hash, key);
        }
    }

    /// Clears the cache.
    pub fn clear(&self) {
        let mut generation = lock(&self.generation);
        *generation += 1;
        self.entries.invalidate_all();
    }

    /// Records that a key was used.
    pub fn record_use(&self, id: ApiKeyId) {
        lock(&self.used).insert(id);
    }

    /// Returns the keys that were used since the last call.
    pub fn take_used(&self) -> Vec<ApiKeyId> {
        mem::take(&mut *lock(&self.used)).into_iter().collect()
    }
}
