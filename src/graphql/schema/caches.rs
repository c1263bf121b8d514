//! The caches of a server, as its settings say.
//! Rule: all caches learn of changes from one watcher.

use std::sync::Arc;

use super::analytics::parse_recording;
use crate::{
    analytics::recorder::SearchRecorder,
    cache::{ChangeWatcher, EntityCache},
    db::Db,
    graphql::engine::{response_cache::ResponseCache, shared_responses::SharedResponses},
    redis::Redis,
};

/// Fraction of the bytes that rows may take; the rest is for responses.
const ENTITY_SHARE: u64 = 8;

/// The caches of a server.
#[derive(Default)]
pub struct Caches {
    /// Responses that are the same for everyone.
    pub responses: ResponseCache,
    /// Rows that many operations read; none if the cache is turned off.
    pub entities: Option<Arc<EntityCache>>,
}

impl Caches {
    /// Opens caches of at most so many bytes together, with at most so many responses; turned off with 0 bytes. Searches that come
    /// from the cache are recorded by this recorder.
    pub fn open(
        bytes: u64,
        max_responses: u64,
        db: Db,
        recorder: &SearchRecorder,
        shared: Option<(Redis, String)>,
    ) -> Self {
        if bytes == 0 {
            return Self::default();
        }
        let watcher = ChangeWatcher::start(db, shared.as_ref().map(|(redis, _)| redis.clone()));
        let entities = EntityCache::new(bytes / ENTITY_SHARE, Arc::clone(&watcher));
        let responses = ResponseCache::new(bytes - bytes / ENTITY_SHARE, max_responses, watcher);
        let responses = match shared {
            None => responses,
            Some((redis, build)) => {
                let recorder = recorder.clone();
                let parse_effect = Box::new(move |text: &str| parse_recording(text, &recorder));
                responses.shared_by(redis.clone(), SharedResponses::new(redis, build, parse_effect))
            }
        };
        Self { responses, entities: Some(Arc::new(entities)) }
    }
}
