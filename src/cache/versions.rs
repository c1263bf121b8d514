//! The versions of tags: when each of them changed last.
//! Rule: tags share a fixed number of slots. Two tags in one slot change together, which costs a value, never correctness.

use std::{
    hash::{BuildHasher, BuildHasherDefault, DefaultHasher},
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::sync::lock;

/// Number of slots, of 8 bytes each: so many that the changes of an hour, at 20 products a second, meet few other tags.
const SLOTS: usize = 1 << 19;

/// A count of the changes that this server knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(u64);

impl Version {
    /// Returns the version after this one.
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// The slot of a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot(u32);

/// When each tag changed last.
#[derive(Debug)]
pub struct Versions {
    now: AtomicU64,
    /// Held by whoever makes the next version.
    changing: Mutex<()>,
    /// Values that were loaded before this version are void.
    void_before: AtomicU64,
    slots: Box<[AtomicU64]>,
}

impl Default for Versions {
    fn default() -> Self {
        Self::with_slots(SLOTS)
    }
}

impl Versions {
    fn with_slots(count: usize) -> Self {
        let slots = (0..count).map(|_| AtomicU64::new(0)).collect();
        Self { now: AtomicU64::new(1), changing: Mutex::default(), void_before: AtomicU64::new(0), slots }
    }

    /// Returns the current version, to be read before a value is loaded.
    pub fn now(&self) -> Version {
        Version(self.now.load(Ordering::Acquire))
    }

    /// Returns the slot of the tag with this name.
    pub fn slot_of(&self, tag: &str) -> Slot {
        let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(tag);
        Slot(u32::try_from(hash % self.slots.len() as u64).unwrap_or_default())
    }

    /// Returns whether a value with these tags that was loaded at a version is still right, as far as this server knows.
    pub fn is_current(&self, loaded_at: Version, slots: &[Slot]) -> bool {
        let is_unchanged = |slot: &Slot| {
            let changed_at = self.slots.get(slot.0 as usize).map(|slot| slot.load(Ordering::Acquire));
            changed_at.is_some_and(|changed_at| changed_at <= loaded_at.0)
        };
        loaded_at.0 >= self.void_before.load(Ordering::Acquire) && slots.iter().all(is_unchanged)
    }

    /// Notes that these tags changed, and returns the new version. Values that are being loaded count as loaded before.
    pub fn change<'a>(&self, tags: impl IntoIterator<Item = &'a str>) -> Version {
        self.advance(|version| {
            for tag in tags {
                let Slot(slot) = self.slot_of(tag);
                if let Some(slot) = self.slots.get(slot as usize) {
                    slot.store(version, Ordering::Release);
                }
            }
        })
    }

    /// Notes that everything may have changed, and returns the new version.
    pub fn change_all(&self) -> Version {
        self.advance(|version| self.void_before.store(version, Ordering::Release))
    }

    /// Runs a change, which becomes the current version when it is complete: who reads the version sees all of it.
    fn advance(&self, change: impl FnOnce(u64)) -> Version {
        let _changing = lock(&self.changing);
        let version = self.now.load(Ordering::Acquire) + 1;
        change(version);
        self.now.store(version, Ordering::Release);
        Version(version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MUG: &str = "product:17";

    #[test]
    fn values_are_current_until_one_of_their_tags_changes() {
        let versions = Versions::default();
        let slots = [versions.slot_of(MUG), versions.slot_of("list:products")];
        let loaded_at = versions.now();
        versions.change(["product:18", "brand:17"]);
        assert!(versions.is_current(loaded_at, &slots));
        versions.change(["product:17"]);
        assert!(!versions.is_current(loaded_at, &slots));
        assert!(versions.is_current(versions.now(), &slots));
        let loaded_at = versions.now();
        versions.change_all();
        assert!(!versions.is_current(loaded_at, &slots));
        assert!(!versions.is_current(loaded_at, &[]));
        assert!(versions.is_current(versions.now(), &slots));
    }

    #[test]
    fn tags_in_one_slot_change_together() {
        let versions = Versions::with_slots(1);
        let (slots, loaded_at) = ([versions.slot_of(MUG)], versions.now());
        versions.change(["brand:3"]);
        assert!(!versions.is_current(loaded_at, &slots));
    }
}
