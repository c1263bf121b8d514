//! Caches of what the public sees, and how they learn of changes.
//! Rule: a cached value knows the tags of what it was made of, and is used only while none of them has changed since it was
//! loaded, and while this server knows of all changes but those of the last second.

mod dependencies;
mod tag;
mod versions;
mod watcher;

pub use self::{
    dependencies::{Dependencies, Effect},
    tag::{Tag, Tags},
    versions::{Slot, Version, Versions},
    watcher::ChangeWatcher,
};
