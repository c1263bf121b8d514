//! The loaders of a request: what sibling fields ask for at the same time is one statement.
//! Rule: a domain declares its loaders beside its types, by `by_key!`, `by_parent!` or `pages!`; the loader of rows by
//! their id follows from `resource!`. A loader is named for what it loads and by what, and sees what its viewer sees.

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
            batching::{Batched, Key, Loaded, Steps},
            connections::{Connection, nested},
            paged::{PageKey, by_list},
        },
        schema::{
            context::ContextExt,
            resource::{Resource, View},
        },
    },
    ids::{self, RowId},
    paging::{Cursor, Page, Rows},
    registry::domains,
};

/// A loader: what one batch reads.
pub trait Load: 'static {
    /// What is asked for.
    type Key: Key;

    /// What is found.
    type Value: Loaded;

    /// Reads the values of these keys; a key without a value is left out.
    fn load(
        view: Arc<View>,
        keys: Vec<Self::Key>,
    ) -> impl Future<Output = Result<HashMap<Self::Key, Self::Value>>> + Send + 'static;
}

/// Rows of one parent, shared.
pub type Group<R> = Arc<[Arc<R>]>;

/// An id of a resource.
pub trait Identifies: RowId + Key {
    /// The resource.
    type Of: Resource<Id = Self> + 'static;
}

macro_rules! identify {
    ($($type:ident($id:ident) at $domain:ident $($module:ident)?;)*) => {
        $(impl Identifies for ids::$id {
            type Of = super::$domain::$($module::)?$type;
        })*
    };
}

domains!(objects => identify);

/// The loaders of one request, each with the viewer's scope.
pub struct Loaders {
    steps: Steps,
    view: Arc<View>,
    /// The loaders that the operation has asked so far: a few of all there are.
    asked: Mutex<Vec<(TypeId, Arc<dyn Any + Send + Sync>)>>,
}

impl Loaders {
    /// Loaders for what this viewer may see, in the steps of one operation.
    pub fn new(steps: &Steps, db: Db, viewer: &Viewer) -> Self {
        Self { steps: steps.clone(), view: Arc::new(View::new(db, viewer)), asked: Mutex::default() }
    }

    /// The value of a key; `None` if there is none.
    /// # Errors
    /// That of the whole batch.
    pub fn load<L: Load>(&self, key: L::Key) -> impl Future<Output = Result<Option<L::Value>>> + Send + use<L> {
        let loader = self.of::<L>();
        async move { loader.load(key).await }
    }

    /// The rows of a parent.
    /// # Errors
    /// That of the whole batch.
    pub fn group<L: Load<Value = Group<R>>, R: Send + Sync + 'static>(
        &self,
        parent: L::Key,
    ) -> impl Future<Output = Result<Group<R>>> + Send + use<L, R> {
        let group = self.load::<L>(parent);
        async move { Ok(group.await?.unwrap_or_else(|| Arc::from([]))) }
    }

    /// The row with an id; `None` if there is none or the viewer may not see it.
    /// # Errors
    /// That of the whole batch.
    pub fn row<I: Identifies>(
        &self,
        id: I,
    ) -> impl Future<Output = Result<Option<Arc<<I::Of as Resource>::Row>>>> + Send + use<I> {
        self.load::<ById<I::Of>>(id)
    }

    /// The rows with these ids, in their order, without those that there are not.
    /// # Errors
    /// That of the whole batch.
    pub fn rows<I: Identifies>(
        &self,
        ids: impl IntoIterator<Item = I>,
    ) -> impl Future<Output = Result<Vec<Arc<<I::Of as Resource>::Row>>>> + Send {
        let (loader, ids) = (self.of::<ById<I::Of>>(), ids.into_iter().collect::<Vec<_>>());
        async move { loader.load_many(ids).await }
    }

    fn of<L: Load>(&self) -> Arc<Batched<L::Key, L::Value>> {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let this = TypeId::of::<L>();
        let found = asked.iter().find(|(loader, _)| *loader == this).map(|(_, loader)| Arc::clone(loader));
        if let Some(loader) = found.and_then(|loader| loader.downcast().ok()) {
            return loader;
        }
        let view = Arc::clone(&self.view);
        let loader = Arc::new(Batched::new(&self.steps, move |keys| L::load(Arc::clone(&view), keys)));
        asked.push((this, Arc::clone(&loader) as Arc<dyn Any + Send + Sync>));
        loader
    }
}

/// The loader of rows by their id.
pub struct ById<R>(PhantomData<R>);

impl<R: Resource + 'static> Load for ById<R> {
    type Key = R::Id;
    type Value = Arc<R::Row>;

    fn load(
        view: Arc<View>,
        keys: Vec<R::Id>,
    ) -> impl Future<Output = Result<HashMap<R::Id, Arc<R::Row>>>> + Send + 'static {
        R::rows(view, keys)
    }
}

/// A nested list: which rows each parent has. Its pages and its counts are loaded in batches.
pub trait Pages: 'static {
    /// The kind of the parents.
    type Parent: Key + Copy;

    /// Which rows in which order.
    type List: Key;

    /// A row.
    type Row: Loaded;

    /// The page of a list.
    fn page(list: &Self::List) -> &Page;

    /// The rows of these parents, each with the key of its parent.
    fn rows(
        view: &View,
        parent: Self::Parent,
        list: &Self::List,
        ids: Vec<i64>,
    ) -> impl Future<Output = Result<Vec<(i64, Self::Row)>>> + Send;

    /// How many rows each of these parents has.
    fn counts(
        view: &View,
        parent: Self::Parent,
        list: &Self::List,
        ids: Vec<i64>,
    ) -> impl Future<Output = Result<Vec<(i64, i64)>>> + Send;
}

/// The loader of the pages of a nested list.
pub struct PagesOf<P>(PhantomData<P>);

impl<P: Pages> Load for PagesOf<P> {
    type Key = PageKey<P::Parent, P::List>;
    type Value = Arc<Rows<P::Row>>;

    async fn load(view: Arc<View>, keys: Vec<Self::Key>) -> Result<HashMap<Self::Key, Self::Value>> {
        let groups = by_list(keys).into_iter().map(|((parent, list), ids)| {
            let view = &view;
            async move {
                let mut of: HashMap<i64, Vec<_>> = ids.iter().map(|id| (*id, Vec::new())).collect();
                for (id, row) in P::rows(view, parent, &list, ids).await? {
                    of.entry(id).or_default().push(row);
                }
                Ok::<_, Error>(of.into_iter().map(move |(id, rows)| {
                    let rows = Arc::new(P::page(&list).finish(rows));
                    (PageKey { parent, id, list: Arc::clone(&list) }, rows)
                }))
            }
        });
        Ok(try_join_all(groups).await?.into_iter().flatten().collect())
    }
}

/// The loader of the counts of a nested list.
pub struct CountsOf<P>(PhantomData<P>);

impl<P: Pages> Load for CountsOf<P> {
    type Key = PageKey<P::Parent, P::List>;
    type Value = i64;

    async fn load(view: Arc<View>, keys: Vec<Self::Key>) -> Result<HashMap<Self::Key, i64>> {
        let groups = by_list(keys).into_iter().map(|((parent, list), ids)| {
            let view = &view;
            async move {
                let counts = P::counts(view, parent, &list, ids).await?;
                let count = move |(id, count)| (PageKey { parent, id, list: Arc::clone(&list) }, count);
                Ok::<_, Error>(counts.into_iter().map(count))
            }
        });
        Ok(try_join_all(groups).await?.into_iter().flatten().collect())
    }
}

/// The connection of a parent's nested list: its page, and its count if that is selected, batched over all parents.
/// # Errors
/// Those of the statements.
pub async fn connection_of<P: Pages, T: OutputType + Clone>(
    ctx: &Context<'_>,
    parent: P::Parent,
    id: i64,
    list: P::List,
    cursor: impl Fn(&P::List, &P::Row) -> Cursor,
    node: impl Fn(P::Row) -> T,
) -> Result<Connection<T>> {
    let (loaders, list) = (ctx.loaders(), Arc::new(list));
    let key = PageKey { parent, id, list: Arc::clone(&list) };
    let page = loaders.load::<PagesOf<P>>(key.clone());
    let count = async { loaders.load::<CountsOf<P>>(key).await };
    nested(ctx, page, count, |row| cursor(&list, row), node).await
}

/// Rows by their key.
pub fn keyed<K: Key, R>(rows: Vec<R>, key: impl Fn(&R) -> K) -> HashMap<K, Arc<R>> {
    rows.into_iter().map(|row| (key(&row), Arc::new(row))).collect()
}

/// Rows by their parent, in their order; a parent without rows has an empty group.
pub fn grouped<K: Key, R>(parents: Vec<K>, rows: Vec<R>, parent: impl Fn(&R) -> K) -> HashMap<K, Group<R>> {
    let mut groups: HashMap<K, Vec<Arc<R>>> = parents.into_iter().map(|key| (key, Vec::new())).collect();
    for row in rows {
        groups.entry(parent(&row)).or_default().push(Arc::new(row));
    }
    groups.into_iter().map(|(key, rows)| (key, Arc::from(rows))).collect()
}

/// Declares a loader of one row for each key.
macro_rules! by_key {
    (
        $(#[doc = $doc:literal])*
        $loader:ident by $key:ty => $row:ty,
        |$conn:ident, $view:pat_param, $keys:ident| $read:expr, $found:ident => $key_of:expr
    ) => {
        $(#[doc = $doc])*
        pub struct $loader;

        impl $crate::graphql::schema::loaders::Load for $loader {
            type Key = $key;
            type Value = std::sync::Arc<$row>;

            async fn load(
                view: std::sync::Arc<$crate::graphql::schema::resource::View>,
                $keys: Vec<$key>,
            ) -> $crate::error::Result<std::collections::HashMap<$key, Self::Value>> {
                let $view = &*view;
                let rows = view.db.read(async |$conn| $read.await).await?;
                Ok($crate::graphql::schema::loaders::keyed(rows, |$found| $key_of))
            }
        }
    };
}
pub(crate) use by_key;

/// Declares a loader of all rows of each parent.
macro_rules! by_parent {
    (
        $(#[doc = $doc:literal])*
        $loader:ident by $key:ty => $row:ty,
        |$conn:ident, $view:pat_param, $keys:ident| $read:expr, $found:ident => $key_of:expr
    ) => {
        $(#[doc = $doc])*
        pub struct $loader;

        impl $crate::graphql::schema::loaders::Load for $loader {
            type Key = $key;
            type Value = $crate::graphql::schema::loaders::Group<$row>;

            async fn load(
                view: std::sync::Arc<$crate::graphql::schema::resource::View>,
                $keys: Vec<$key>,
            ) -> $crate::error::Result<std::collections::HashMap<$key, Self::Value>> {
                let $view = &*view;
                let rows = view.db.read(async |$conn| $read.await).await?;
                Ok($crate::graphql::schema::loaders::grouped($keys, rows, |$found| $key_of))
            }
        }
    };
}
pub(crate) use by_parent;

/// Declares a nested list: how the pages and the counts of its parents are read, and how the statements are planned.
macro_rules! pages {
    (
        $(#[doc = $doc:literal])*
        $pages:ident of ($parent_type:ty, $list_type:ty) => $row:ty,
        |$conn:ident, $view:pat_param, $parent:pat_param, $list:ident, $ids:ident|
        rows $rows:expr,
        counts $counts:expr,
        plans $plans:expr
    ) => {
        $(#[doc = $doc])*
        pub struct $pages;

        impl $crate::graphql::schema::loaders::Pages for $pages {
            type Parent = $parent_type;
            type List = $list_type;
            type Row = $row;

            fn page(list: &$list_type) -> &$crate::paging::Page {
                &list.page
            }

            async fn rows(
                view: &$crate::graphql::schema::resource::View,
                $parent: $parent_type,
                $list: &$list_type,
                ids: Vec<i64>,
            ) -> $crate::error::Result<Vec<(i64, $row)>> {
                let $view = view;
                view.db.read_with($plans, async |$conn| {
                    let $ids = ids.clone();
                    $rows.await
                }).await
            }

            async fn counts(
                view: &$crate::graphql::schema::resource::View,
                $parent: $parent_type,
                $list: &$list_type,
                ids: Vec<i64>,
            ) -> $crate::error::Result<Vec<(i64, i64)>> {
                let ($view, _) = (view, $list);
                view.db.read_with($plans, async |$conn| {
                    let $ids = ids.clone();
                    $counts.await
                }).await
            }
        }
    };
}
pub(crate) use pages;
