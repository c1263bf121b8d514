//! Values that loaders read by the ID of a resource, kept in memory for further operations.
//! Rule: a value is used only while nothing that it was made of has changed since it was loaded, as with responses.

use std::{
    any::{Any, TypeId},
    sync::Arc,
};

use moka::sync::Cache;

use super::{ChangeWatcher, Slot, Tag, Version};

/// Size of an entry without its long texts and its slots, in bytes: that of a product, which is the largest.
const ENTRY_BYTES: usize = 1_000;

/// A loader, and the ID of a resource.
pub type EntityKey = (TypeId, i64);

struct Entry {
    value: Box<dyn Any + Send + Sync>,
    text_bytes: usize,
    loaded_at: Version,
    slots: Box<[Slot]>,
}

/// Bounded cache of values by the ID of a resource.
pub struct EntityCache {
    entries: Cache<EntityKey, Arc<Entry>>,
    watcher: Arc<ChangeWatcher>,
}

impl EntityCache {
    /// Creates a cache of at most so many bytes.
    pub fn new(max_bytes: u64, watcher: Arc<ChangeWatcher>) -> Self {
        let weight = |_: &EntityKey, entry: &Arc<Entry>| {
            u32::try_from(ENTRY_BYTES + entry.text_bytes + size_of_val(&*entry.slots)).unwrap_or(u32::MAX)
        };
        Self { entries: Cache::builder().max_capacity(max_bytes).weigher(weight).build(), watcher }
    }

    /// Returns the version at which a load begins; none if this server may not know of all changes.
    pub fn begin(&self) -> Option<Version> {
        self.watcher.is_up_to_date().then(|| self.watcher.versions().now())
    }

    /// Returns a value, if it is cached and nothing has changed. Call [`begin`](Self::begin) before.
    pub fn get<V: Clone + 'static>(&self, key: EntityKey) -> Option<V> {
        let entry = self.entries.get(&key)?;
        let is_current = self.watcher.versions().is_current(entry.loaded_at, &entry.slots);
        is_current.then(|| entry.value.downcast_ref().cloned()).flatten()
    }

    /// Caches a value with long texts of this size, which was loaded at a version and depends on these tags.
    pub fn insert<V: Send + Sync + 'static>(
        &self,
        key: EntityKey,
        value: V,
        text_bytes: usize,
        loaded_at: Version,
        tags: &[Tag],
    ) {
        let versions = self.watcher.versions();
        let slots = tags.iter().map(|tag| versions.slot_of(&tag.to_string())).collect();
        self.entries.insert(key, Arc::new(Entry { value: Box::new(value), text_bytes, loaded_at, slots }));
    }
}
