//! Subscriptions to events: the feed of a server, the events of one subscription, and the cleanup.

pub mod cleanup;
pub mod feed;
mod registry;
pub mod stream;

pub use self::registry::Wanted;
