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
const LIFE: Duration = Duration::from_secs(1);

/// What a good key makes of its bearer.
#[derive(Debug, Clone)]
pub struct KnownKey {
    /// Whom it acts for, with its own permissions and websites: what the owner's role gives now is not looked at yet.
    pub identity: Identity,
    /// From then on it is refused.
    pub expires_at: Option<DateTime<Utc>>,
}

/// The keys by their hashes.
pub struct KnownKeys {
    /// None for what is no good key.
    known: Cache<Vec<u8>, Option<Arc<KnownKey>>>,
    /// How often all was forgotten.
    turn: Mutex<u64>,
    /// Keys whose use has to be noted.
    used: Mutex<HashSet<ApiKeyId>>,
}

impl Default for KnownKeys {
    fn default() -> Self {
        let known = Cache::builder().max_capacity(CAPACITY).time_to_live(LIFE).build();
        Self { known, turn: Mutex::default(), used: Mutex::default() }
    }
}

impl KnownKeys {
    /// What is known of a hash: nothing, that it is no good key, or what it makes of its bearer.
    pub fn get(&self, hash: &[u8]) -> Option<Option<Arc<KnownKey>>> {
        self.known.get(hash)
    }

    /// To be asked before the database is, for [`keep`](Self::keep).
    pub fn turn(&self) -> u64 {
        *lock(&self.turn)
    }

    /// Remembers what the database said, unless something has changed since it was asked.
    pub fn keep(&self, turn: u64, hash: Vec<u8>, key: Option<Arc<KnownKey>>) {
        let now = lock(&self.turn);
        if *now == turn {
            self.known.insert(hash, key);
        }
    }

    /// Forgets all of it.
    pub fn forget(&self) {
        let mut turn = lock(&self.turn);
        *turn += 1;
        self.known.invalidate_all();
    }

    /// Keeps in mind that a key was used.
    pub fn note_use(&self, id: ApiKeyId) {
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
