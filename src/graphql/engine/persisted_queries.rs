//! Automatic persisted queries, as Apollo clients send them: a request names its document by the SHA-256 hash of the
//! text, and sends the text again only if the server does not know the hash.
//! Rule: the store only supplies the text. It passes the same checks on every request, and is stored only after it has
//! passed all of them.

use std::{sync::Arc, time::Duration};

use async_graphql::{Request, ServerError, Value};
use moka::sync::Cache;
use redis::Pipeline;
use sha2::{Digest, Sha256};

use crate::{error::ErrorCode, graphql::engine::errors::coded, redis::Redis};

/// SHA-256 hash of a document's text.
pub type DocumentHash = [u8; 32];

/// The extension of a request that names a document by its hash.
pub const EXTENSION: &str = "persistedQuery";

/// Time after which Redis deletes a text.
const SHARED_FOR: Duration = Duration::from_secs(24 * 3600);

/// Bounded store of document texts, which servers share through Redis if there is one.
#[derive(Debug)]
pub struct PersistedQueries {
    store: Option<Cache<DocumentHash, Arc<str>>>,
    redis: Option<Redis>,
}

impl PersistedQueries {
    /// Bytes per unit of cache weight. Longer texts count as several entries, so the number of entries also limits the
    /// memory.
    const BYTES_PER_ENTRY: usize = 16 * 1024;

    /// Creates a store of at most `entries` texts; with 0, requests must send their text.
    pub fn new(entries: u64, redis: Option<Redis>) -> Self {
        let store = || {
            Cache::builder()
                .max_capacity(entries)
                .weigher(|_: &DocumentHash, text: &Arc<str>| {
                    u32::try_from(1 + text.len() / Self::BYTES_PER_ENTRY).unwrap_or(u32::MAX)
                })
                .build()
        };
        Self { store: (entries > 0).then(store), redis }
    }

    /// Sets the text of a request that names it by hash only. Returns the hash of a request that sends both, whose text
    /// is to be stored once it has passed all checks.
    /// # Errors
    /// PERSISTED_QUERY_NOT_FOUND if the hash is unknown; PERSISTED_QUERY_NOT_SUPPORTED if the store is turned off;
    /// BAD_USER_INPUT if the extension is malformed or the hash is not that of the text.
    pub fn resolve(&self, request: &mut Request) -> Result<Option<DocumentHash>, ServerError> {
        let Some(extension) = request.extensions.get(EXTENSION).filter(|value| **value != Value::Null) else {
            return Ok(None);
        };
        let has_text = !request.query.is_empty();
        let Some(store) = &self.store else {
            // The message is part of the protocol: clients compare it.
            let error = coded(ErrorCode::PersistedQueryNotSupported, "PersistedQueryNotSupported");
            return if has_text { Ok(None) } else { Err(error) };
        };
        let hash = parse(extension)?;
        if has_text {
            return if hash_of(&request.query) == hash {
                Ok(Some(hash))
            } else {
                Err(bad_input("it is not the hash of `query`"))
            };
        }
        let text = store.get(&hash);
        let text = text.ok_or_else(|| coded(ErrorCode::PersistedQueryNotFound, "PersistedQueryNotFound"))?;
        request.query = text.to_string();
        Ok(None)
    }

    /// Stores a text that has passed all checks.
    pub fn insert(&self, hash: DocumentHash, text: &str) {
        if let Some(store) = &self.store
            && !store.contains_key(&hash)
        {
            store.insert(hash, text.into());
            self.share(hash, text);
        }
    }

    /// Stores a text in Redis, in the background.
    fn share(&self, hash: DocumentHash, text: &str) {
        let Some(redis) = self.redis.clone().filter(|_| text.len() <= Self::BYTES_PER_ENTRY) else { return };
        let mut commands = Pipeline::with_capacity(1);
        commands.cmd("SET").arg(redis_key(&hash)).arg(text).arg("EX").arg(SHARED_FOR.as_secs()).ignore();
        tokio::spawn(async move { redis.write::<()>(&commands).await });
    }

    /// Loads the text of a request that names it by hash from Redis, if this server does not know it.
    pub async fn load(&self, request: &mut Request) {
        let (Some(store), Some(redis)) = (&self.store, &self.redis) else { return };
        let extension = request.extensions.get(EXTENSION).filter(|_| request.query.is_empty());
        let Some(hash) = extension.and_then(|extension| parse(extension).ok()) else { return };
        if store.contains_key(&hash) {
            return;
        }
        let text: Option<Option<String>> = redis.read(redis::cmd("GET").arg(redis_key(&hash))).await;
        // It goes on as a request that sends both: it is stored here once it has passed all checks.
        if let Some(text) = text.flatten().filter(|text| hash_of(text) == hash) {
            request.query = text;
        }
    }
}

/// Returns the hash of a document's text.
pub fn hash_of(text: &str) -> DocumentHash {
    Sha256::digest(text.as_bytes()).into()
}

fn redis_key(hash: &DocumentHash) -> String {
    format!("souk:document:{}", hex::encode(hash))
}

/// Reads the hash from the extension.
fn parse(extension: &Value) -> Result<DocumentHash, ServerError> {
    let Value::Object(fields) = extension else {
        return Err(coded(ErrorCode::BadUserInput, format!("the extension `{EXTENSION}` must be an object")));
    };
    if fields.get("version").is_none_or(|version| !is_one(version)) {
        return Err(coded(ErrorCode::BadUserInput, format!("`version` of the extension `{EXTENSION}` must be 1")));
    }
    let Some(Value::String(text)) = fields.get("sha256Hash") else { return Err(bad_input("it must be a string")) };
    let mut hash = DocumentHash::default();
    hex::decode_to_slice(text, &mut hash).map_err(|_| bad_input("it must have 64 hexadecimal digits"))?;
    Ok(hash)
}

fn bad_input(reason: &str) -> ServerError {
    coded(ErrorCode::BadUserInput, format!("`sha256Hash` of the extension `{EXTENSION}` is wrong: {reason}"))
}

/// Returns whether a number is 1; some clients write it as `1.0`.
fn is_one(version: &Value) -> bool {
    matches!(version, Value::Number(number) if number.as_f64() == Some(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A request that names a document by its hash only.
    fn by_hash(text: &str) -> Request {
        let mut request = Request::new("");
        let extension = serde_json::json!({ "version": 1, "sha256Hash": hex::encode(hash_of(text)) });
        request.extensions.insert(EXTENSION.to_owned(), Value::from_json(extension).unwrap());
        request
    }

    #[test]
    fn entries_and_bytes_are_bounded() {
        let store = PersistedQueries::new(4, None);
        let cache = store.store.as_ref().unwrap();
        for (length, entries) in [(10, 4), (40 * 1024, 1)] {
            cache.invalidate_all();
            for index in 0..50 {
                let text = format!("{{ me {{ id }} }} # {index:length$}");
                store.insert(hash_of(&text), &text);
                cache.run_pending_tasks();
                assert!(cache.entry_count() <= entries, "{length} bytes: {} entries", cache.entry_count());
            }
        }
    }

    #[test]
    fn store_without_entries_needs_the_text() {
        let store = PersistedQueries::new(0, None);
        store.insert(hash_of("{ me { id } }"), "{ me { id } }");
        let error = store.resolve(&mut by_hash("{ me { id } }")).unwrap_err();
        assert_eq!(error.message, "PersistedQueryNotSupported");
        let mut whole = by_hash("{ me { id } }");
        whole.query = "{ me { id } }".to_owned();
        assert_eq!(store.resolve(&mut whole).unwrap(), None);
    }
}
