//! Relay connections of every list: edges and nodes, page info, and a count that is made only when selected.

use std::{borrow::Cow, sync::Arc};

use async_graphql::{Context, Enum, ObjectType, OutputType, TypeName};
use souk_macros::object;

use super::batching::LoaderValue;
use crate::{
    error::Result,
    ids::RowId,
    paging::{Cursor, MAX_COUNT, MAX_LIMIT, Page, Rows, SortKey},
};

/// What a list costs of the complexity: its rows times what is selected of each.
pub fn cost(first: Option<i32>, last: Option<i32>, child: usize) -> usize {
    let rows = first.or(last).map_or(crate::paging::DEFAULT_LIMIT, i64::from).clamp(1, MAX_LIMIT);
    usize::try_from(rows).unwrap_or(1).saturating_mul(child).saturating_add(1)
}

/// Where a page lies in its list.
pub struct PageInfo {
    has_next: bool,
    has_previous: bool,
    start: Option<String>,
    end: Option<String>,
}

impl PageInfo {
    /// Where the rows lie.
    pub fn new<R>(rows: &Rows<R>, cursor: impl Fn(&R) -> &Cursor) -> Self {
        let text = |row: Option<&R>| row.map(|row| cursor(row).to_string());
        let (start, end) = (text(rows.rows.first()), text(rows.rows.last()));
        Self { has_next: rows.has_next, has_previous: rows.has_previous, start, end }
    }
}

/// Where a page lies in its list.
#[object]
impl PageInfo {
    /// Whether rows follow.
    fn has_next_page(&self) -> bool {
        self.has_next
    }

    /// Whether rows come before.
    fn has_previous_page(&self) -> bool {
        self.has_previous
    }

    /// The cursor of the first row; give it as `before` for the rows before it.
    fn start_cursor(&self) -> Option<&str> {
        self.start.as_deref()
    }

    /// The cursor of the last row; give it as `after` for the rows behind it.
    fn end_cursor(&self) -> Option<&str> {
        self.end.as_deref()
    }
}

/// How exact a count is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum Precision {
    /// There are exactly so many.
    Exact,
    /// There are so many or more: counting stops at 10,000.
    AtLeast,
}

/// How many rows a list has.
#[derive(Clone, Copy)]
pub struct TotalCount {
    /// The count, at most [`MAX_COUNT`].
    pub value: i64,
    /// Whether the list has exactly that many.
    pub is_exact: bool,
}

impl TotalCount {
    /// What was counted up to one more than [`MAX_COUNT`].
    pub fn of(count: i64) -> Self {
        Self { value: count.min(MAX_COUNT), is_exact: count <= MAX_COUNT }
    }
}

/// How many rows a list has, counted up to 10,000.
#[object]
impl TotalCount {
    /// How many.
    fn value(&self) -> i64 {
        self.value
    }

    /// Whether it is exact.
    fn precision(&self) -> Precision {
        if self.is_exact { Precision::Exact } else { Precision::AtLeast }
    }
}

/// A row of a list and its place.
pub struct Edge<T> {
    cursor: Cursor,
    node: T,
}

impl<T: OutputType> TypeName for Edge<T> {
    fn type_name() -> Cow<'static, str> {
        format!("{}Edge", <T as OutputType>::type_name()).into()
    }
}

/// A row of a list and its place.
#[object(name_type)]
impl<T: OutputType + Clone> Edge<T> {
    /// The place of the row; give it as `after` or `before`.
    fn cursor(&self) -> String {
        self.cursor.to_string()
    }

    /// The row.
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
impl<T: OutputType + Clone> Connection<T> {
    /// The rows of the page with their cursors.
    async fn edges(&self) -> Vec<Edge<T>> {
        self.rows.rows.iter().map(|(cursor, node)| Edge { cursor: cursor.clone(), node: node.clone() }).collect()
    }

    /// The rows of the page.
    async fn nodes(&self) -> Vec<T> {
        self.rows.rows.iter().map(|(_, node)| node.clone()).collect()
    }

    /// Where the page lies in the list.
    async fn page_info(&self) -> PageInfo {
        PageInfo::new(&self.rows, |(cursor, _)| cursor)
    }

    /// How many rows the whole list has, counted only when this field is selected.
    async fn total_count(&self) -> TotalCount {
        TotalCount::of(self.total.unwrap_or_default())
    }
}

/// Whether the list's `totalCount` is selected.
fn is_total_count_selected(ctx: &Context<'_>) -> bool {
    ctx.look_ahead().field("totalCount").exists()
}

/// Reads a page of a list, and at the same time its count where that is selected.
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

/// A connection of the rows read.
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

/// A connection of a root list: the page, and at the same time the count where it is selected. `sort_key` gives the sort key
/// and the id of a row.
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

/// A connection of a nested list: its page, and its count if that is selected.
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
