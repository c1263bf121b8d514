//! Loaders of a request: the loads of sibling fields are batched into one statement.
//! Rule: a domain declares its loaders beside its types with `by_key!` or `by_parent!`; the loader of rows by id follows
//! from `resource!`. A loader is named for what it loads and by which key, and returns only what the viewer may see.

use std::{
    any::{Any, TypeId},
    collections::HashMap,
    marker::PhantomData,
    sync::{Arc, Mutex, PoisonError},
};

use futures_util::{
    FutureExt,
    future::{BoxFuture, try_join_all},
};

use crate::{
    auth::Viewer,
    cache::{Dependencies, Tag},
    db::{Db, recorder::tagged},
    error::Result,
    graphql::{
        engine::{
            batching::{BatchLoader, Dispatcher, LoaderKey, LoaderValue},
            shared_loads::SharedLoads,
        },
        schema::{
            entities::{Caching, Entities},
            resource::{LoaderContext, Resource},
        },
    },
    ids::{self, RowId},
    registry::domains,
};

/// Returns the tags that the value of a key depends on; the value is none if there is none.
pub type TagsOf<K, V> = fn(&K, Option<&V>) -> Vec<Tag>;

/// A loader: how a batch of keys is read.
pub trait Load: 'static {
    /// Type of the keys.
    type Key: LoaderKey;

    /// Type of the values.
    type Value: LoaderValue;

    /// Whether concurrent operations of equal viewers may share a statement. Only for bounded reads: expensive ones wait
    /// for their client's turn.
    const IS_SHARED: bool = false;

    /// What the values depend on. Without it, no response with one of them is cached.
    const TAGS: Option<TagsOf<Self::Key, Self::Value>> = None;

    /// How the values are kept in memory; none if they are not. The tags must name everything that they depend on.
    const CACHING: Option<Caching<Self::Key, Self::Value>> = None;

    /// Reads the values of these keys; keys without a value are left out.
    fn load(
        context: Arc<LoaderContext>,
        keys: Vec<Self::Key>,
    ) -> impl Future<Output = Result<HashMap<Self::Key, Self::Value>>> + Send + 'static;
}

/// Rows of one parent, shared.
pub type Group<R> = Arc<[Arc<R>]>;

/// Id of a resource.
pub trait ResourceId: RowId + LoaderKey {
    /// Type of the resource.
    type Resource: Resource<Id = Self> + 'static;
}

macro_rules! resource_ids {
    ($($type:ident($id:ident) at $domain:ident $($module:ident)?;)*) => {
        $(impl ResourceId for ids::$id {
            type Resource = super::$domain::$($module::)?$type;
        })*
    };
}

domains!(objects => resource_ids);

/// Loaders of one request, which read with the viewer's scope.
pub struct Loaders {
    dispatcher: Dispatcher,
    context: Arc<LoaderContext>,
    shared: Arc<SharedLoads<Viewer>>,
    /// Collects what the values depend on, if the response may be cached.
    dependencies: Option<Dependencies>,
    /// The rows in memory that the operation may use.
    entities: Option<Entities>,
    /// Loaders that the operation has used so far: a few of all that exist.
    instances: Mutex<Vec<(TypeId, Arc<dyn Any + Send + Sync>)>>,
}

impl Loaders {
    /// Creates the loaders of a viewer for one operation.
    pub fn new(dispatcher: &Dispatcher, db: Db, shared: Arc<SharedLoads<Viewer>>, viewer: &Viewer) -> Self {
        Self {
            dispatcher: dispatcher.clone(),
            context: Arc::new(LoaderContext::new(db, viewer)),
            shared,
            dependencies: None,
            entities: None,
            instances: Mutex::default(),
        }
    }

    /// Collects what the loaded values depend on.
    #[must_use]
    pub fn collecting(self, dependencies: Option<Dependencies>) -> Self {
        Self { dependencies, ..self }
    }

    /// Takes rows from memory.
    #[must_use]
    pub fn using(self, entities: Option<Entities>) -> Self {
        Self { entities, ..self }
    }

    /// Returns the viewer of the request.
    pub fn viewer(&self) -> &Viewer {
        &self.context.viewer
    }

    /// Returns the value of a key, or `None` if there is none.
    /// # Errors
    /// The error of the whole batch.
    pub fn load<L: Load>(&self, key: L::Key) -> impl Future<Output = Result<Option<L::Value>>> + Send + use<L> {
        let (loader, dependencies) = (self.loader::<L>(), self.dependencies.clone());
        async move {
            let Some(dependencies) = dependencies else { return loader.load(key).await };
            let found = loader.load(key.clone()).await?;
            match L::TAGS {
                Some(tags) => dependencies.add(tags(&key, found.as_ref())),
                None => dependencies.add_unknown(),
            }
            Ok(found)
        }
    }

    /// Returns the rows of a parent.
    /// # Errors
    /// The error of the whole batch.
    pub fn group<L: Load<Value = Group<R>>, R: Send + Sync + 'static>(
        &self,
        parent: L::Key,
    ) -> impl Future<Output = Result<Group<R>>> + Send + use<L, R> {
        let group = self.load::<L>(parent);
        async move { Ok(group.await?.unwrap_or_else(|| Arc::from([]))) }
    }

    /// Returns the row with this id, or `None` if it does not exist or the viewer may not see it.
    /// # Errors
    /// The error of the whole batch.
    pub fn row<I: ResourceId>(
        &self,
        id: I,
    ) -> impl Future<Output = Result<Option<Arc<<I::Resource as Resource>::Row>>>> + Send + use<I> {
        self.load::<ById<I::Resource>>(id)
    }

    /// Returns the rows with these ids in the order of the ids; missing rows are left out.
    /// # Errors
    /// The error of the whole batch.
    pub fn rows<I: ResourceId>(
        &self,
        ids: impl IntoIterator<Item = I>,
    ) -> impl Future<Output = Result<Vec<Arc<<I::Resource as Resource>::Row>>>> + Send {
        let loads = try_join_all(ids.into_iter().map(|id| self.row(id)).collect::<Vec<_>>());
        async move { Ok(loads.await?.into_iter().flatten().collect()) }
    }

    fn loader<L: Load>(&self) -> Arc<BatchLoader<L::Key, L::Value>> {
        let mut instances = self.instances.lock().unwrap_or_else(PoisonError::into_inner);
        let this = TypeId::of::<L>();
        let found = instances.iter().find(|(loader, _)| *loader == this).map(|(_, loader)| Arc::clone(loader));
        if let Some(loader) = found.and_then(|loader| loader.downcast().ok()) {
            return loader;
        }
        let (context, shared, entities) = (Arc::clone(&self.context), Arc::clone(&self.shared), self.entities.clone());
        let fetch = move |keys| {
            let (context, shared) = (Arc::clone(&context), Arc::clone(&shared));
            let read = move |keys| read_shared::<L>(context, shared, keys);
            match entities.as_ref().and_then(|entities| Some((entities.clone(), entities.caching::<L>()?))) {
                Some((entities, caching)) => async move { entities.read::<L, _>(caching, keys, read).await }.boxed(),
                None => read(keys),
            }
        };
        let loader = Arc::new(BatchLoader::new(&self.dispatcher, fetch));
        instances.push((this, Arc::clone(&loader) as Arc<dyn Any + Send + Sync>));
        loader
    }
}

/// Reads the values of these keys, together with other operations if the loader allows it.
fn read_shared<L: Load>(
    context: Arc<LoaderContext>,
    shared: Arc<SharedLoads<Viewer>>,
    keys: Vec<L::Key>,
) -> BoxFuture<'static, Result<HashMap<L::Key, L::Value>>> {
    if !L::IS_SHARED {
        return read::<L>(context, keys);
    }
    let viewer = context.viewer.clone();
    shared.load::<L, _, _>(viewer, keys, |keys| read::<L>(context, keys)).boxed()
}

/// Reads the values of these keys.
fn read<L: Load>(
    context: Arc<LoaderContext>,
    keys: Vec<L::Key>,
) -> BoxFuture<'static, Result<HashMap<L::Key, L::Value>>> {
    let load = L::load(context, keys);
    if L::TAGS.is_some() { tagged(load).boxed() } else { load.boxed() }
}

/// Loader of rows by id.
pub struct ById<R>(PhantomData<R>);

impl<R: Resource + 'static> Load for ById<R> {
    type Key = R::Id;
    type Value = Arc<R::Row>;

    const IS_SHARED: bool = true;

    const TAGS: Option<TagsOf<R::Id, Self::Value>> = match R::TAG {
        Some(_) => Some(|id, _| R::TAG.map(|tag| Tag::of(tag, id.key())).into_iter().collect()),
        None => None,
    };

    const CACHING: Option<Caching<R::Id, Self::Value>> = match R::CACHING {
        Some((audience, text_bytes)) => Some(Caching::by_id(audience, text_bytes)),
        None => None,
    };

    fn load(
        context: Arc<LoaderContext>,
        keys: Vec<R::Id>,
    ) -> impl Future<Output = Result<HashMap<R::Id, Arc<R::Row>>>> + Send + 'static {
        R::rows(context, keys)
    }
}

/// Indexes rows by their key.
pub fn keyed<K: LoaderKey, R>(rows: Vec<R>, key: impl Fn(&R) -> K) -> HashMap<K, Arc<R>> {
    rows.into_iter().map(|row| (key(&row), Arc::new(row))).collect()
}

/// Groups rows by their parent and keeps their order; a parent without rows has an empty group. A row without a parent is
/// left out.
pub fn grouped<K: LoaderKey, R, P: Into<Option<K>>>(
    parents: Vec<K>,
    rows: Vec<R>,
    parent: impl Fn(&R) -> P,
) -> HashMap<K, Group<R>> {
    let mut groups: HashMap<K, Vec<Arc<R>>> = parents.into_iter().map(|key| (key, Vec::new())).collect();
    for row in rows {
        if let Some(key) = parent(&row).into() {
            groups.entry(key).or_default().push(Arc::new(row));
        }
    }
    groups.into_iter().map(|(key, rows)| (key, Arc::from(rows))).collect()
}

/// Declares a loader of one row per key, and the tags that the value of a key depends on.
macro_rules! by_key {
    (
        $(#[doc = $doc:literal])*
        $loader:ident by $key:ty => $row:ty,
        |$conn:ident, $context:pat_param, $keys:ident| $read:expr, $found:ident => $key_of:expr
        $(, tags |$tagged_key:pat_param, $tagged_value:pat_param| $tags:expr)?
        $(, cached $audience:ident, |$cached:pat_param| $text_bytes:expr)?
    ) => {
        $(#[doc = $doc])*
        pub struct $loader;

        impl $crate::graphql::schema::loaders::Load for $loader {
            type Key = $key;
            type Value = std::sync::Arc<$row>;

            const IS_SHARED: bool = true;

            $(const TAGS: Option<$crate::graphql::schema::loaders::TagsOf<$key, Self::Value>> =
                Some(|$tagged_key, $tagged_value| $tags);)?

            $(const CACHING: Option<$crate::graphql::schema::entities::Caching<$key, Self::Value>> =
                Some($crate::graphql::schema::entities::Caching::by_id(
                    $crate::graphql::schema::entities::Audience::$audience,
                    |$cached| $text_bytes,
                ));)?

            async fn load(
                context: std::sync::Arc<$crate::graphql::schema::resource::LoaderContext>,
                $keys: Vec<$key>,
            ) -> $crate::error::Result<std::collections::HashMap<$key, Self::Value>> {
                let $context = &*context;
                let rows = context.db.read(async |$conn| $read.await).await?;
                Ok($crate::graphql::schema::loaders::keyed(rows, |$found| $key_of))
            }
        }
    };
}
pub(crate) use by_key;

/// Declares a loader of all rows per parent, and the tags that they depend on.
macro_rules! by_parent {
    (
        $(#[doc = $doc:literal])*
        $loader:ident by $key:ty => $row:ty,
        |$conn:ident, $context:pat_param, $keys:ident| $read:expr, $found:ident => $key_of:expr
        $(, tags |$tagged_key:pat_param, $tagged_value:pat_param| $tags:expr)?
        $(, cached $audience:ident, |$cached:pat_param| $text_bytes:expr)?
    ) => {
        $(#[doc = $doc])*
        pub struct $loader;

        impl $crate::graphql::schema::loaders::Load for $loader {
            type Key = $key;
            type Value = $crate::graphql::schema::loaders::Group<$row>;

            const IS_SHARED: bool = true;

            $(const TAGS: Option<$crate::graphql::schema::loaders::TagsOf<$key, Self::Value>> =
                Some(|$tagged_key, $tagged_value| $tags);)?

            $(const CACHING: Option<$crate::graphql::schema::entities::Caching<$key, Self::Value>> =
                Some($crate::graphql::schema::entities::Caching::by_id(
                    $crate::graphql::schema::entities::Audience::$audience,
                    |$cached| $text_bytes,
                ));)?

            async fn load(
                context: std::sync::Arc<$crate::graphql::schema::resource::LoaderContext>,
                $keys: Vec<$key>,
            ) -> $crate::error::Result<std::collections::HashMap<$key, Self::Value>> {
                let $context = &*context;
                let rows = context.db.read(async |$conn| $read.await).await?;
                Ok($crate::graphql::schema::loaders::grouped($keys, rows, |$found| $key_of))
            }
        }
    };
}
pub(crate) use by_parent;
