//! Relay connections: edges, nodes, page info, and a total count that is computed only if selected.

use std::{borrow::Cow, sync::Arc};

use async_graphql::{Context, Enum, ObjectType, OutputType, TypeName};
use souk_macros::object;

use super::{
    batching::LoaderValue,
    cost::{COUNT, list_complexity},
    objects::ObjectValue,
};
use crate::{
    error::Result,
    ids::RowId,
    paging::{Cursor, MAX_COUNT, MAX_LIMIT, Page, Rows, SortKey},
};

/// Number of items for which a short selection of a short list counts.
const SHORT_LIST: usize = 3;
/// Complexity up to which a selection is short.
const SHORT_SELECTION: usize = 64;

/// Returns the complexity of a list: the page size times the complexity of the selection on each item, and what the list has
/// once.
pub fn cost(first: Option<i32>, last: Option<i32>, child: usize) -> usize {
    list_complexity(child, |each| page_size(first, last).saturating_mul(each))
}

/// Returns the complexity of a list that is rarely full, such as the children of a category. Clients ask for a large
/// page, because they want all items, and get few: so a short selection counts for three items. What a selection has
/// beyond that, such as a list of products, counts for the whole page.
pub fn short_list_cost(first: Option<i32>, last: Option<i32>, child: usize) -> usize {
    let page_size = page_size(first, last);
    list_complexity(child, |each| {
        let short = page_size.min(SHORT_LIST).saturating_mul(each.min(SHORT_SELECTION));
        page_size.saturating_mul(each.saturating_sub(SHORT_SELECTION)).saturating_add(short)
    })
}

fn page_size(first: Option<i32>, last: Option<i32>) -> usize {
    let rows = first.or(last).map_or(crate::paging::DEFAULT_LIMIT, i64::from).clamp(1, MAX_LIMIT);
    usize::try_from(rows).unwrap_or(1)
}

/// Pagination information of a connection.
pub struct PageInfo {
    has_next: bool,
    has_previous: bool,
    start: Option<String>,
    end: Option<String>,
}

impl PageInfo {
    /// Returns the page info of these rows.
    pub fn new<R>(rows: &Rows<R>, cursor: impl Fn(&R) -> &Cursor) -> Self {
        let text = |row: Option<&R>| row.map(|row| cursor(row).to_string());
        let (start, end) = (text(rows.rows.first()), text(rows.rows.last()));
        Self { has_next: rows.has_next, has_previous: rows.has_previous, start, end }
    }
}

/// Information about a page of a connection.
#[object]
impl PageInfo {
    /// Whether there are more items after this page.
    fn has_next_page(&self) -> bool {
        self.has_next
    }

    /// Whether there are more items before this page.
    fn has_previous_page(&self) -> bool {
        self.has_previous
    }

    /// Cursor of the first item of the page. Pass it as `before`, with `last`, to get the previous page. Null if the
    /// page is empty.
    fn start_cursor(&self) -> Option<&str> {
        self.start.as_deref()
    }

    /// Cursor of the last item of the page. Pass it as `after` to get the next page. Null if the page is empty.
    fn end_cursor(&self) -> Option<&str> {
        self.end.as_deref()
    }
}

/// Precision of a total count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum Precision {
    /// The count is exact.
    Exact,
    /// There are at least this many items; counting stops at 10,000.
    AtLeast,
}

/// Total number of items of a list.
#[derive(Clone, Copy)]
pub struct TotalCount {
    /// Number of items, at most [`MAX_COUNT`].
    pub value: i64,
    /// Whether the number is exact.
    pub is_exact: bool,
}

impl TotalCount {
    /// Creates the total of a count that stops at [`MAX_COUNT`] + 1.
    pub fn of(count: i64) -> Self {
        Self { value: count.min(MAX_COUNT), is_exact: count <= MAX_COUNT }
    }
}

/// Total number of items of a list, counted up to 10,000.
#[object]
impl TotalCount {
    /// Number of items, at most 10,000.
    fn value(&self) -> i64 {
        self.value
    }

    /// Whether `value` is exact or a lower bound.
    fn precision(&self) -> Precision {
        if self.is_exact { Precision::Exact } else { Precision::AtLeast }
    }
}

/// An item of a connection and its cursor.
pub struct Edge<T> {
    cursor: Cursor,
    node: T,
}

impl<T: OutputType> TypeName for Edge<T> {
    fn type_name() -> Cow<'static, str> {
        format!("{}Edge", <T as OutputType>::type_name()).into()
    }
}

/// An item of a connection and its cursor.
#[object(name_type)]
impl<T: OutputType + ObjectValue + Clone> Edge<T> {
    /// Cursor of the item. Pass it as `after` or `before`.
    fn cursor(&self) -> String {
        self.cursor.to_string()
    }

    /// The item.
    async fn node(&self) -> T {
        self.node.clone()
    }
}

/// A page of a list.
pub struct Connection<T> {
    rows: Rows<(Cursor, T)>,
    total: Option<i64>,
}

impl<T: OutputType> TypeName for Connection<T> {
    fn type_name() -> Cow<'static, str> {
        format!("{}Connection", <T as OutputType>::type_name()).into()
    }
}

/// A page of a list.
#[object(name_type)]
impl<T: OutputType + ObjectValue + Clone> Connection<T> {
    /// Items of the page with their cursors.
    async fn edges(&self) -> Vec<Edge<T>> {
        self.rows.rows.iter().map(|(cursor, node)| Edge { cursor: cursor.clone(), node: node.clone() }).collect()
    }

    /// Items of the page.
    async fn nodes(&self) -> Vec<T> {
        self.rows.rows.iter().map(|(_, node)| node.clone()).collect()
    }

    /// Pagination information of the page.
    async fn page_info(&self) -> PageInfo {
        PageInfo::new(&self.rows, |(cursor, _)| cursor)
    }

    /// Number of items in the whole list that match the filter. Computed only if selected.
    #[graphql(complexity = "COUNT + child_complexity")]
    async fn total_count(&self) -> TotalCount {
        TotalCount::of(self.total.unwrap_or_default())
    }
}

/// Checks whether the list's `totalCount` is selected.
fn is_total_count_selected(ctx: &Context<'_>) -> bool {
    ctx.look_ahead().field("totalCount").exists()
}

/// Reads a page of a list and, if `totalCount` is selected, its count concurrently.
/// # Errors
/// Those of the statements.
pub async fn read_page<R>(
    ctx: &Context<'_>,
    page: &Page,
    rows: impl Future<Output = Result<Vec<R>>>,
    count: impl Future<Output = Result<i64>>,
) -> Result<(Rows<R>, Option<i64>)> {
    if !is_total_count_selected(ctx) {
        return Ok((page.finish(rows.await?), None));
    }
    let (rows, total) = futures_util::future::try_join(rows, count).await?;
    Ok((page.finish(rows), Some(total)))
}

/// Builds a connection from the rows of a page.
pub fn connection<R, T>(
    rows: Rows<R>,
    total: Option<i64>,
    cursor: impl Fn(&R) -> Cursor,
    node: impl Fn(R) -> T,
) -> Connection<T>
where
    Connection<T>: ObjectType,
{
    let Rows { rows, has_next, has_previous } = rows;
    let rows = rows.into_iter().map(|row| (cursor(&row), node(row))).collect();
    Connection { rows: Rows { rows, has_next, has_previous }, total }
}

/// Returns the connection of a root list: its page and, if selected, its count, read concurrently. `sort_key` returns
/// the sort key and the id of a row.
/// # Errors
/// Those of the statements.
pub async fn root_connection<R, I: RowId, T>(
    ctx: &Context<'_>,
    page: &Page,
    rows: impl Future<Output = Result<Vec<R>>>,
    count: impl Future<Output = Result<i64>>,
    sort_key: impl Fn(&R) -> (SortKey, I),
    node: impl Fn(R) -> T,
) -> Result<Connection<T>>
where
    Connection<T>: ObjectType,
{
    let (rows, total) = read_page(ctx, page, rows, count).await?;
    let cursor = |row: &R| {
        let (key, id) = sort_key(row);
        Cursor::new(page.list, key, id.key())
    };
    Ok(connection(rows, total, cursor, node))
}

/// Returns the connection of a nested list: its page and, if selected, its count.
/// # Errors
/// Those of the statements.
pub async fn nested_connection<R: LoaderValue, T>(
    ctx: &Context<'_>,
    page: impl Future<Output = Result<Option<Arc<Rows<R>>>>>,
    count: impl Future<Output = Result<Option<i64>>>,
    cursor: impl Fn(&R) -> Cursor,
    node: impl Fn(R) -> T,
) -> Result<Connection<T>>
where
    Connection<T>: ObjectType,
{
    let count = async { if is_total_count_selected(ctx) { count.await } else { Ok(None) } };
    let (page, total) = futures_util::future::try_join(page, count).await?;
    let rows =
        page.map_or_else(|| Rows { rows: Vec::new(), has_next: false, has_previous: false }, Arc::unwrap_or_clone);
    Ok(connection(rows, total, cursor, node))
}
