//! Rows in memory, in front of the loaders.
//! Rule: a loader says for which viewers its values are the same. Mutations and documents that select what changes without a tag
//! read from the database.

use std::{any::TypeId, collections::HashMap, sync::Arc};

use async_graphql::parser::types::OperationType;

use crate::{
    auth::Viewer,
    cache::EntityCache,
    error::Result,
    graphql::{engine::documents::Document, schema::loaders::Load},
    ids::RowId,
};

/// Field of products and images whose value changes without a tag.
const UNTAGGED_FIELD: &str = "updatedAt";

/// For which viewers the values of a loader are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// All viewers.
    Everyone,
    /// Viewers that are not logged in.
    Public,
}

/// How the values of a loader are cached.
pub struct Caching<K, V> {
    /// For which viewers the values are the same.
    pub audience: Audience,
    /// Returns the ID in a key.
    pub id: fn(&K) -> i64,
    /// Returns the size of the long texts of a value, in bytes.
    pub text_bytes: fn(&V) -> usize,
}

impl<K: RowId, V> Caching<K, V> {
    /// Caches by the ID that is the key.
    pub const fn by_id(audience: Audience, text_bytes: fn(&V) -> usize) -> Self {
        Self { audience, id: |id| id.key(), text_bytes }
    }
}

/// The rows in memory that an operation may use.
#[derive(Clone)]
pub struct Entities {
    cache: Arc<EntityCache>,
    is_public: bool,
}

impl Entities {
    /// Returns the rows that an operation of a document may use for a viewer; none for mutations.
    pub fn new(cache: &Arc<EntityCache>, kind: OperationType, document: &Document, viewer: &Viewer) -> Option<Self> {
        let is_public = || viewer.identity().is_none() && !document.has_field(UNTAGGED_FIELD);
        (kind == OperationType::Query).then(|| Self { cache: Arc::clone(cache), is_public: is_public() })
    }

    /// Returns how the values of a loader are cached; none if they are not, or not for this operation.
    pub fn caching<L: Load>(&self) -> Option<Caching<L::Key, L::Value>> {
        L::CACHING.filter(|caching| caching.audience == Audience::Everyone || self.is_public)
    }

    /// Returns the values of these keys, and reads those that are not in memory.
    /// # Errors
    /// The error of the statement.
    pub async fn read<L: Load, F: Future<Output = Result<HashMap<L::Key, L::Value>>>>(
        &self,
        caching: Caching<L::Key, L::Value>,
        keys: Vec<L::Key>,
        read: impl FnOnce(Vec<L::Key>) -> F,
    ) -> Result<HashMap<L::Key, L::Value>> {
        let (Some(version), Some(tags)) = (self.cache.begin(), L::TAGS) else { return read(keys).await };
        let (mut values, mut missing) = (HashMap::with_capacity(keys.len()), Vec::new());
        let entity = |key: &L::Key| (TypeId::of::<L>(), (caching.id)(key));
        for key in keys {
            match self.cache.get(entity(&key)) {
                Some(value) => drop(values.insert(key, value)),
                None => missing.push(key),
            }
        }
        if missing.is_empty() {
            return Ok(values);
        }
        for (key, value) in read(missing).await? {
            let bytes = (caching.text_bytes)(&value);
            self.cache.insert(entity(&key), value.clone(), bytes, version, &tags(&key, Some(&value)));
            values.insert(key, value);
        }
        Ok(values)
    }
}
