//! Looks up trusted documents for requests.
//! Rule: documents are kept in memory for a minute, because they never change and are rarely removed. An unknown ID is looked up
//! again after a second.

use std::{sync::Arc, time::Duration};

use moka::sync::Cache;

use super::{manifest::is_id, store};
use crate::{db::Db, error::Result};

/// Time for which a document is kept.
const KNOWN_FOR: Duration = Duration::from_secs(60);
/// Time for which an ID counts as unknown.
const UNKNOWN_FOR: Duration = Duration::from_secs(1);
/// Bytes of documents that are kept.
const MAX_BYTES: u64 = 16 * 1024 * 1024;
/// Unknown IDs that are kept.
const MAX_UNKNOWN: u64 = 10_000;

/// The trusted documents of a database, for a server.
pub struct TrustedDocuments {
    db: Db,
    /// Whether requests with other documents are rejected.
    pub is_only: bool,
    known: Cache<Arc<str>, Arc<str>>,
    unknown: Cache<Arc<str>, ()>,
}

impl TrustedDocuments {
    /// Creates the lookup.
    pub fn new(db: Db, is_only: bool) -> Self {
        let bytes = |id: &Arc<str>, text: &Arc<str>| u32::try_from(id.len() + text.len()).unwrap_or(u32::MAX);
        Self {
            db,
            is_only,
            known: Cache::builder().max_capacity(MAX_BYTES).weigher(bytes).time_to_live(KNOWN_FOR).build(),
            unknown: Cache::builder().max_capacity(MAX_UNKNOWN).time_to_live(UNKNOWN_FOR).build(),
        }
    }

    /// Returns the text of the document with this ID.
    /// # Errors
    /// Database errors.
    pub async fn find(&self, id: &str) -> Result<Option<Arc<str>>> {
        if !is_id(id) || self.unknown.contains_key(id) {
            return Ok(None);
        }
        if let Some(text) = self.known.get(id) {
            return Ok(Some(text));
        }
        let found: Option<Arc<str>> = self.db.read(async |conn| store::find(conn, id).await).await?.map(Arc::from);
        match &found {
            Some(text) => self.known.insert(id.into(), Arc::clone(text)),
            None => self.unknown.insert(id.into(), ()),
        }
        Ok(found)
    }
}
