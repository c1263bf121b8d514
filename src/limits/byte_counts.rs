//! Bytes that clients hold, such as files in progress or responses that are not sent yet.
//! Rule: bytes are reserved before they are taken, and are free again when their reservation is dropped.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// The bytes that are reserved, in total and by client. Clones share them.
#[derive(Debug)]
pub struct ByteCounts<K>(Arc<Mutex<Counts<K>>>);

#[derive(Debug)]
struct Counts<K> {
    total: u64,
    by_client: HashMap<K, u64>,
}

/// How many bytes may be reserved.
#[derive(Debug, Clone, Copy)]
pub struct ByteLimits {
    /// By all clients.
    pub total: u64,
    /// By one client.
    pub per_client: u64,
}

/// Why bytes cannot be reserved.
#[derive(Debug, PartialEq, Eq)]
pub enum BytesFull {
    /// The client has too many.
    Client,
    /// All clients have too many.
    All,
}

impl<K> Clone for ByteCounts<K> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<K> Default for ByteCounts<K> {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Counts { total: 0, by_client: HashMap::new() })))
    }
}

impl<K: Copy + Eq + Hash> ByteCounts<K> {
    /// Returns an empty reservation of a client.
    pub fn reservation(&self, client: K) -> ReservedBytes<K> {
        ReservedBytes { counts: self.clone(), client, bytes: 0 }
    }

    /// Returns the number of bytes that are reserved in total.
    pub fn total(&self) -> u64 {
        self.lock().total
    }

    fn lock(&self) -> MutexGuard<'_, Counts<K>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Bytes of a client that are reserved until this value is dropped.
#[derive(Debug)]
pub struct ReservedBytes<K: Copy + Eq + Hash> {
    counts: ByteCounts<K>,
    client: K,
    bytes: u64,
}

impl<K: Copy + Eq + Hash> ReservedBytes<K> {
    /// Reserves more bytes.
    /// # Errors
    /// Returns [`BytesFull`] if they exceed a limit; none are reserved then.
    pub fn grow(&mut self, bytes: u64, limits: ByteLimits) -> Result<(), BytesFull> {
        let mut counts = self.counts.lock();
        let total = counts.total.saturating_add(bytes);
        let of_client = counts.by_client.get(&self.client).copied().unwrap_or_default().saturating_add(bytes);
        if of_client > limits.per_client {
            return Err(BytesFull::Client);
        }
        if total > limits.total {
            return Err(BytesFull::All);
        }
        counts.total = total;
        counts.by_client.insert(self.client, of_client);
        self.bytes += bytes;
        Ok(())
    }
}

impl<K: Copy + Eq + Hash> Drop for ReservedBytes<K> {
    fn drop(&mut self) {
        let mut counts = self.counts.lock();
        counts.total = counts.total.saturating_sub(self.bytes);
        match counts.by_client.get_mut(&self.client) {
            Some(of_client) if *of_client > self.bytes => *of_client -= self.bytes,
            _ => _ = counts.by_client.remove(&self.client),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: ByteLimits = ByteLimits { total: 10, per_client: 6 };

    #[test]
    fn bytes_are_limited_per_client_and_in_total_and_are_freed() {
        let counts = ByteCounts::default();
        let (mut one, mut also_one, mut two) = (counts.reservation(1), counts.reservation(1), counts.reservation(2));
        one.grow(4, LIMITS).unwrap();
        one.grow(1, LIMITS).unwrap();
        assert_eq!(also_one.grow(2, LIMITS), Err(BytesFull::Client), "5 of 6 bytes are taken");
        assert_eq!(two.grow(6, LIMITS), Err(BytesFull::All), "5 of 10 bytes are left");
        two.grow(5, LIMITS).unwrap();
        assert_eq!(counts.total(), 10);
        drop(one);
        also_one.grow(5, LIMITS).unwrap();
        drop((also_one, two));
        assert_eq!(counts.total(), 0);
        assert!(counts.lock().by_client.is_empty());
    }
}
