//! Loaders of a request: the loads of sibling fields are batched into one statement.
//! Rule: a domain declares its loaders beside its types with `by_key!`, `by_parent!` or `nested_list!`; the loader of
//! rows by id follows from `resource!`. A loader is named for what it loads and by which key, and returns only what the
//! viewer may see.

use std::{
    any::{Any, TypeId},
    collections::HashMap,
    marker::PhantomData,
    sync::{Arc, Mutex, PoisonError},
};

use async_graphql::{Context, OutputType};
use futures_util::future::try_join_all;

use crate::{
    auth::Viewer,
    db::Db,
    error::{Error, Result},
    graphql::{
        engine::{
            batching::{BatchLoader, Dispatcher, LoaderKey, LoaderValue},
            connections::{Connection, nested_connection},
            objects::ObjectValue,
            page_key::{PageKey, group_by_list},
        },
        schema::{
            context::ContextExt,
            resource::{LoaderContext, Resource},
        },
    },
    ids::{self, RowId},
    paging::{Cursor, Page, Rows},
    registry::domains,
};

/// A loader: how a batch of keys is read.
pub trait Load: 'static {
    /// Type of the keys.
    type Key: LoaderKey;

    /// Type of the values.
    type Value: LoaderValue;

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
    /// Loaders that the operation has used so far: a few of all that exist.
    instances: Mutex<Vec<(TypeId, Arc<dyn Any + Send + Sync>)>>,
}

impl Loaders {
    /// Creates the loaders of a viewer for one operation.
    pub fn new(dispatcher: &Dispatcher, db: Db, viewer: &Viewer) -> Self {
        Self {
            dispatcher: dispatcher.clone(),
            context: Arc::new(LoaderContext::new(db, viewer)),
            instances: Mutex::default(),
        }
    }

    /// Returns the viewer of the request.
    pub fn viewer(&self) -> &Viewer {
        &self.context.viewer
    }

    /// Returns the value of a key, or `None` if there is none.
    /// # Errors
    /// The error of the whole batch.
    pub fn load<L: Load>(&self, key: L::Key) -> impl Future<Output = Result<Option<L::Value>>> + Send + use<L> {
        let loader = self.loader::<L>();
        async move { loader.load(key).await }
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
        let (loader, ids) = (self.loader::<ById<I::Resource>>(), ids.into_iter().collect::<Vec<_>>());
        async move { loader.load_many(ids).await }
    }

    fn loader<L: Load>(&self) -> Arc<BatchLoader<L::Key, L::Value>> {
        let mut instances = self.instances.lock().unwrap_or_else(PoisonError::into_inner);
        let this = TypeId::of::<L>();
        let found = instances.iter().find(|(loader, _)| *loader == this).map(|(_, loader)| Arc::clone(loader));
        if let Some(loader) = found.and_then(|loader| loader.downcast().ok()) {
            return loader;
        }
        let context = Arc::clone(&self.context);
        let loader = Arc::new(BatchLoader::new(&self.dispatcher, move |keys| L::load(Arc::clone(&context), keys)));
        instances.push((this, Arc::clone(&loader) as Arc<dyn Any + Send + Sync>));
        loader
    }
}

/// Loader of rows by id.
pub struct ById<R>(PhantomData<R>);

impl<R: Resource + 'static> Load for ById<R> {
    type Key = R::Id;
    type Value = Arc<R::Row>;

    fn load(
        context: Arc<LoaderContext>,
        keys: Vec<R::Id>,
    ) -> impl Future<Output = Result<HashMap<R::Id, Arc<R::Row>>>> + Send + 'static {
        R::rows(context, keys)
    }
}

/// A nested list: the rows of a parent. Its pages and its counts are loaded in batches.
pub trait NestedList: 'static {
    /// Type of the parents.
    type Parent: LoaderKey + Copy;

    /// Page, filter and sort order.
    type List: LoaderKey;

    /// Type of the rows.
    type Row: LoaderValue;

    /// Returns the page of a list.
    fn page(list: &Self::List) -> &Page;

    /// Reads the rows of these parents, each with the key of its parent.
    fn rows(
        context: &LoaderContext,
        parent: Self::Parent,
        list: &Self::List,
        ids: Vec<i64>,
    ) -> impl Future<Output = Result<Vec<(i64, Self::Row)>>> + Send;

    /// Counts the rows of each of these parents.
    fn counts(
        context: &LoaderContext,
        parent: Self::Parent,
        list: &Self::List,
        ids: Vec<i64>,
    ) -> impl Future<Output = Result<Vec<(i64, i64)>>> + Send;
}

/// Loader of the pages of a nested list.
pub struct NestedListPages<P>(PhantomData<P>);

impl<P: NestedList> Load for NestedListPages<P> {
    type Key = PageKey<P::Parent, P::List>;
    type Value = Arc<Rows<P::Row>>;

    async fn load(context: Arc<LoaderContext>, keys: Vec<Self::Key>) -> Result<HashMap<Self::Key, Self::Value>> {
        let groups = group_by_list(keys).into_iter().map(|((parent, list), ids)| {
            let context = &context;
            async move {
                let mut rows_by_parent: HashMap<i64, Vec<_>> = ids.iter().map(|id| (*id, Vec::new())).collect();
                for (id, row) in P::rows(context, parent, &list, ids).await? {
                    rows_by_parent.entry(id).or_default().push(row);
                }
                Ok::<_, Error>(rows_by_parent.into_iter().map(move |(id, rows)| {
                    let rows = Arc::new(P::page(&list).finish(rows));
                    (PageKey { parent, id, list: Arc::clone(&list) }, rows)
                }))
            }
        });
        Ok(try_join_all(groups).await?.into_iter().flatten().collect())
    }
}

/// Loader of the counts of a nested list.
pub struct NestedListCounts<P>(PhantomData<P>);

impl<P: NestedList> Load for NestedListCounts<P> {
    type Key = PageKey<P::Parent, P::List>;
    type Value = i64;

    async fn load(context: Arc<LoaderContext>, keys: Vec<Self::Key>) -> Result<HashMap<Self::Key, i64>> {
        let groups = group_by_list(keys).into_iter().map(|((parent, list), ids)| {
            let context = &context;
            async move {
                let counts = P::counts(context, parent, &list, ids).await?;
                let count = move |(id, count)| (PageKey { parent, id, list: Arc::clone(&list) }, count);
                Ok::<_, Error>(counts.into_iter().map(count))
            }
        });
        Ok(try_join_all(groups).await?.into_iter().flatten().collect())
    }
}

/// Returns the connection of a parent's nested list: its page and, if selected, its count, batched over all parents.
/// # Errors
/// Those of the statements.
pub async fn connection_of<P: NestedList, T: OutputType + ObjectValue + Clone>(
    ctx: &Context<'_>,
    parent: P::Parent,
    id: i64,
    list: P::List,
    cursor: impl Fn(&P::List, &P::Row) -> Cursor,
    node: impl Fn(P::Row) -> T,
) -> Result<Connection<T>> {
    let (loaders, list) = (ctx.loaders(), Arc::new(list));
    let key = PageKey { parent, id, list: Arc::clone(&list) };
    let page = loaders.load::<NestedListPages<P>>(key.clone());
    let count = async { loaders.load::<NestedListCounts<P>>(key).await };
    nested_connection(ctx, page, count, |row| cursor(&list, row), node).await
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

/// Declares a loader of one row per key.
macro_rules! by_key {
    (
        $(#[doc = $doc:literal])*
        $loader:ident by $key:ty => $row:ty,
        |$conn:ident, $context:pat_param, $keys:ident| $read:expr, $found:ident => $key_of:expr
    ) => {
        $(#[doc = $doc])*
        pub struct $loader;

        impl $crate::graphql::schema::loaders::Load for $loader {
            type Key = $key;
            type Value = std::sync::Arc<$row>;

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

/// Declares a loader of all rows per parent.
macro_rules! by_parent {
    (
        $(#[doc = $doc:literal])*
        $loader:ident by $key:ty => $row:ty,
        |$conn:ident, $context:pat_param, $keys:ident| $read:expr, $found:ident => $key_of:expr
    ) => {
        $(#[doc = $doc])*
        pub struct $loader;

        impl $crate::graphql::schema::loaders::Load for $loader {
            type Key = $key;
            type Value = $crate::graphql::schema::loaders::Group<$row>;

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

/// Declares a nested list: how the pages and the counts of its parents are read, and how the statements are planned.
macro_rules! nested_list {
    (
        $(#[doc = $doc:literal])*
        $name:ident of ($parent_type:ty, $list_type:ty) => $row:ty,
        |$conn:ident, $context:pat_param, $parent:pat_param, $list:ident, $ids:ident|
        rows $rows:expr,
        counts $counts:expr,
        plans $plans:expr
    ) => {
        $(#[doc = $doc])*
        pub struct $name;

        impl $crate::graphql::schema::loaders::NestedList for $name {
            type Parent = $parent_type;
            type List = $list_type;
            type Row = $row;

            fn page(list: &$list_type) -> &$crate::paging::Page {
                &list.page
            }

            async fn rows(
                context: &$crate::graphql::schema::resource::LoaderContext,
                $parent: $parent_type,
                $list: &$list_type,
                ids: Vec<i64>,
            ) -> $crate::error::Result<Vec<(i64, $row)>> {
                let $context = context;
                context.db.read_with($plans, async |$conn| {
                    let $ids = ids.clone();
                    $rows.await
                }).await
            }

            async fn counts(
                context: &$crate::graphql::schema::resource::LoaderContext,
                $parent: $parent_type,
                $list: &$list_type,
                ids: Vec<i64>,
            ) -> $crate::error::Result<Vec<(i64, i64)>> {
                let ($context, _) = (context, $list);
                context.db.read_with($plans, async |$conn| {
                    let $ids = ids.clone();
                    $counts.await
                }).await
            }
        }
    };
}
pub(crate) use nested_list;
