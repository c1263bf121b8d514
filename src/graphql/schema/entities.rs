//! Rows in memory, in front of the loaders.
//! Rule: a loader says for which viewers its values are the same. Mutations and documents that select what changes without a tag
//! read from the database.

use std::{any::TypeId, collections::HashMap, sync::Arc};

use async_graphql::{Context, parser::types::OperationType};

use crate::{
    auth::Viewer,
    cache::EntityCache,
    error::Result,
    graphql::{engine::documents::Document, schema::loaders::Load},
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

/// Which rows in memory an operation may use.
#[derive(Debug, Clone, Copy)]
pub struct EntityAccess {
    is_query: bool,
    is_public: bool,
}

impl EntityAccess {
    /// Returns what an operation of a document may use for a viewer.
    pub fn of(kind: OperationType, document: &Document, viewer: &Viewer) -> Self {
        let is_query = kind == OperationType::Query;
        let is_public = is_query && viewer.identity().is_none() && !document.has_field(UNTAGGED_FIELD);
        Self { is_query, is_public }
    }
}

/// The rows in memory that an operation may use.
#[derive(Clone)]
pub struct Entities {
    cache: Arc<EntityCache>,
    is_public: bool,
}

impl Entities {
    /// Returns the rows that the current operation may use; none for mutations.
    pub fn of(ctx: &Context<'_>, cache: &Arc<EntityCache>) -> Option<Self> {
        let access = ctx.data_opt::<EntityAccess>()?;
        access.is_query.then(|| Self { cache: Arc::clone(cache), is_public: access.is_public })
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
