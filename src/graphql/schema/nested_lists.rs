//! Lists of a parent: their pages and counts are loaded in batches, one statement for all parents of the same list.
//! Rule: a domain declares its nested lists with `nested_list!` beside its types.

use std::{collections::HashMap, marker::PhantomData, sync::Arc};

use async_graphql::{Context, OutputType};
use futures_util::future::try_join_all;

use crate::{
    cache::Tag,
    error::{Error, Result},
    graphql::{
        engine::{
            batching::{LoaderKey, LoaderValue},
            connections::{Connection, nested_connection},
            objects::ObjectValue,
            page_key::{PageKey, group_by_list},
        },
        schema::{
            context::ContextExt,
            loaders::{Load, TagsOf},
            resource::LoaderContext,
        },
    },
    paging::{Cursor, Page, Rows},
};

/// A nested list: the rows of a parent. Its pages and its counts are loaded in batches.
pub trait NestedList: 'static {
    /// Type of the parents.
    type Parent: LoaderKey + Copy;

    /// Page, filter and sort order.
    type List: LoaderKey;

    /// Type of the rows.
    type Row: LoaderValue;

    /// What the pages and counts of a parent depend on. Without it, no response with one of them is cached.
    const TAGS: Option<fn(Self::Parent, i64) -> Vec<Tag>> = None;

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

const fn tags_of<P: NestedList, V>() -> Option<TagsOf<PageKey<P::Parent, P::List>, V>> {
    match P::TAGS {
        Some(_) => Some(|key, _| P::TAGS.map_or_else(Vec::new, |tags| tags(key.parent, key.id))),
        None => None,
    }
}

/// Loader of the pages of a nested list.
pub struct NestedListPages<P>(PhantomData<P>);

impl<P: NestedList> Load for NestedListPages<P> {
    type Key = PageKey<P::Parent, P::List>;
    type Value = Arc<Rows<P::Row>>;

    const TAGS: Option<TagsOf<Self::Key, Self::Value>> = tags_of::<P, _>();

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

    const TAGS: Option<TagsOf<Self::Key, Self::Value>> = tags_of::<P, _>();

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

/// Declares a nested list: how the pages and the counts of its parents are read, how the statements are planned, and the tags
/// that a list depends on.
macro_rules! nested_list {
    (
        $(#[doc = $doc:literal])*
        $name:ident of ($parent_type:ty, $list_type:ty) => $row:ty,
        |$conn:ident, $context:pat_param, $parent:pat_param, $list:ident, $ids:ident|
        rows $rows:expr,
        counts $counts:expr,
        plans $plans:expr
        $(, tags |$tagged_parent:pat_param, $tagged_id:pat_param| $tags:expr)?
    ) => {
        $(#[doc = $doc])*
        pub struct $name;

        impl $crate::graphql::schema::nested_lists::NestedList for $name {
            type Parent = $parent_type;
            type List = $list_type;
            type Row = $row;

            $(const TAGS: Option<fn($parent_type, i64) -> Vec<$crate::cache::Tag>> =
                Some(|$tagged_parent, $tagged_id| $tags);)?

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
