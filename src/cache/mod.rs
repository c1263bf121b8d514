//! Caches of what the public sees, and how they learn of changes.
//! Rule: a cached value knows the tags of what it was made of, and is used only while none of them has changed since it was
//! loaded, and while this server knows of all changes but those of the last second.

mod announcements;
mod bookmarks;
mod dependencies;
mod entities;
mod tag;
mod timeline;
mod versions;
mod watcher;

pub use self::{
    announcements::Announcements,
    dependencies::{Dependencies, Effect},
    entities::EntityCache,
    tag::{Tag, Tags},
    versions::{Slot, Version, Versions},
    watcher::ChangeWatcher,
};
