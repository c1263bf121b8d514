//! Maps Relay paging to keyset paging: `first/after/last/before` become a [`Page`], rows become cursors.
//! Rule: a page reads `limit + 1` rows starting at a key and never uses OFFSET, so pages stay correct while rows are
//! inserted.

mod seal;

pub use self::seal::CursorSeal;

use std::{borrow::Cow, fmt};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::{
    db::filter::Filter,
    error::{Error, Result, UserErrorCode},
};

/// Page size if neither `first` nor `last` is given.
pub const DEFAULT_LIMIT: i64 = 20;
/// Maximum page size.
pub const MAX_LIMIT: i64 = 100;
/// Maximum exact total count; larger counts are reported as "at least".
pub const MAX_COUNT: i64 = 10_000;

/// Direction in which a list is sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, async_graphql::Enum)]
#[graphql(name = "SortDirection")]
pub enum Direction {
    /// Ascending: smallest, oldest or alphabetically first value first.
    #[default]
    Asc,
    /// Descending: largest, newest or alphabetically last value first.
    Desc,
}

/// The value of the sort column in one row.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SortKey {
    /// No sort column: the list is sorted by id alone.
    #[serde(rename = "i")]
    Id,
    /// A text column.
    #[serde(rename = "t")]
    Text(String),
    /// An amount of money.
    #[serde(rename = "n")]
    Number(Decimal),
    /// A timestamp.
    #[serde(rename = "d")]
    Time(DateTime<Utc>),
    /// A whole number.
    #[serde(rename = "z")]
    Int(i32),
    /// A rank that clients may not read, see [`CursorSeal`].
    #[serde(rename = "s")]
    Sealed(String),
}

/// A position in a list: the list's name, and the sort key and id of a row.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Cursor {
    list: Cow<'static, str>,
    /// Sort key of the row.
    pub key: SortKey,
    /// Id of the row, which breaks ties.
    pub id: i64,
}

impl Cursor {
    /// Creates the cursor of a row in the named list.
    pub fn new(list: &'static str, key: SortKey, id: i64) -> Self {
        Self { list: Cow::Borrowed(list), key, id }
    }

    fn parse(argument: &'static str, list: &str, text: &str) -> Result<Self> {
        let wrong = |why: &str| Error::bad_input(argument, format!("not a valid cursor for this list{why}"));
        if text.len() > 4000 {
            return Err(wrong(""));
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| wrong(""))?;
        let cursor: Self = serde_json::from_slice(&bytes).map_err(|_| wrong(""))?;
        if cursor.list != list {
            return Err(wrong(
                ": it was returned by another list, with another `orderBy`, or in the name order of another language",
            ));
        }
        if matches!(&cursor.key, SortKey::Text(text) if text.contains('\0')) {
            return Err(wrong(""));
        }
        Ok(cursor)
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let json = serde_json::to_vec(self).map_err(|_| fmt::Error)?;
        f.write_str(&URL_SAFE_NO_PAD.encode(json))
    }
}

/// The paging arguments as given by the client.
#[derive(Debug, Clone, Default)]
pub struct PageArgs {
    /// Number of rows from the start.
    pub first: Option<i32>,
    /// Return rows after this cursor.
    pub after: Option<String>,
    /// Number of rows from the end.
    pub last: Option<i32>,
    /// Return rows before this cursor.
    pub before: Option<String>,
}

/// The validated page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Page {
    /// Name of the list, including its sort order; stored in each cursor.
    pub list: &'static str,
    /// Number of rows requested, 1 to [`MAX_LIMIT`].
    pub limit: i64,
    /// Whether the page is read from the end (`last`).
    pub backward: bool,
    /// Only rows after this cursor.
    pub after: Option<Cursor>,
    /// Only rows before this cursor.
    pub before: Option<Cursor>,
}

impl Page {
    /// Validates the paging arguments of the named list.
    /// # Errors
    /// Returns a user error for the argument: `first` together with `last`, a value outside 1 to [`MAX_LIMIT`], or a
    /// cursor of another list.
    pub fn new(list: &'static str, args: PageArgs) -> Result<Self> {
        let (limit, backward) = match (args.first, args.last) {
            (Some(_), Some(_)) => return Err(Error::bad_input("last", "first and last cannot be combined")),
            (Some(first), None) => (Self::check("first", first)?, false),
            (None, Some(last)) => (Self::check("last", last)?, true),
            (None, None) => (DEFAULT_LIMIT, args.before.is_some() && args.after.is_none()),
        };
        let cursor = |argument, text: Option<String>| text.map(|t| Cursor::parse(argument, list, &t)).transpose();
        Ok(Self { list, limit, backward, after: cursor("after", args.after)?, before: cursor("before", args.before)? })
    }

    /// Returns the page with the first rows of a list, for callers inside the server.
    pub fn first(list: &'static str, limit: i64) -> Self {
        Self { list, limit, backward: false, after: None, before: None }
    }

    fn check(argument: &'static str, value: i32) -> Result<i64> {
        let value = i64::from(value);
        if (1..=MAX_LIMIT).contains(&value) {
            Ok(value)
        } else {
            Err(Error::user(
                UserErrorCode::OutOfRange,
                argument,
                format!("{argument} must be between 1 and {MAX_LIMIT}"),
            ))
        }
    }

    /// Returns the number of rows to read: one more than requested, to detect whether there are more.
    pub fn fetch_limit(&self) -> i64 {
        self.limit + 1
    }

    /// Puts the rows read (at most [`Page::fetch_limit`], in reading direction) into list order and determines whether
    /// there are rows before and after them.
    pub fn finish<T>(&self, mut rows: Vec<T>) -> Rows<T> {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        if self.backward {
            rows.reverse();
            Rows { rows, has_previous: more || self.after.is_some(), has_next: self.before.is_some() }
        } else {
            Rows { rows, has_next: more || self.before.is_some(), has_previous: self.after.is_some() }
        }
    }
}

/// The parameters of a list query: filter, sort order and page.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct List<C, O> {
    /// Which rows to return.
    pub filter: Filter<C>,
    /// The sort column; the id breaks ties.
    pub order: O,
    /// The sort direction.
    pub direction: Direction,
    /// The page to return.
    pub page: Page,
}

/// The parameters of an unfiltered list, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct NewestFirst {
    /// The page to return.
    pub page: Page,
}

/// The rows of one page.
#[derive(Debug, Clone)]
pub struct Rows<T> {
    /// The rows in list order.
    pub rows: Vec<T>,
    /// Whether there are rows after these.
    pub has_next: bool,
    /// Whether there are rows before these.
    pub has_previous: bool,
}

/// A column type that can be read from a sort key. A genuine cursor always holds the key type of its list.
pub trait FromSortKey: Sized {
    /// Returns the value, or `None` if the key has another type (a forged cursor).
    fn from_sort_key(key: &SortKey) -> Option<Self>;
}

macro_rules! from_sort_key {
    ($($type:ty: $pattern:pat => $value:expr;)*) => {$(
        impl FromSortKey for $type {
            fn from_sort_key(key: &SortKey) -> Option<Self> {
                match key { $pattern => Some($value), _ => None }
            }
        }
    )*};
}
from_sort_key! {
    String: SortKey::Text(value) => value.clone();
    Decimal: SortKey::Number(value) => *value;
    DateTime<Utc>: SortKey::Time(value) => *value;
    i32: SortKey::Int(value) => *value;
}

/// Returns the sort key of a cursor as the type of the sort column.
/// # Errors
/// Returns a user error for the argument if the cursor was forged with a key of another type.
pub fn cursor_value<T: FromSortKey>(argument: &'static str, cursor: &Cursor) -> Result<T> {
    T::from_sort_key(&cursor.key).ok_or_else(|| Error::bad_input(argument, "not a valid cursor for this list"))
}

/// Applies a page to a boxed diesel query: the keyset conditions, the order and the limit.
///
/// Without a column the rows are ordered by `$id` alone. `$column` must be NOT NULL and `$id` must be the table's key.
/// The condition is `(c, id) > (v, i)`, so an index on `(c, id)` seeks directly to the position, however many rows
/// share the value.
#[macro_export]
macro_rules! paged {
    ($query:expr, $page:expr, $direction:expr, $column:expr, $type:ty, $id:expr) => {{
        use diesel::prelude::*;
        let page: &$crate::paging::Page = $page;
        let ascending = $direction == $crate::paging::Direction::Asc;
        let mut query = $query;
        let (after, before) = (("after", &page.after), ("before", &page.before));
        let (lower, upper) = if ascending { (after, before) } else { (before, after) };
        if let (argument, Some(cursor)) = lower {
            let value: $type = $crate::paging::cursor_value(argument, cursor)?;
            query = query.filter($crate::db::keyset::pair($column, $id).gt((value, cursor.id)));
        }
        if let (argument, Some(cursor)) = upper {
            let value: $type = $crate::paging::cursor_value(argument, cursor)?;
            query = query.filter($crate::db::keyset::pair($column, $id).lt((value, cursor.id)));
        }
        let query = if ascending != page.backward {
            query.order(($column.asc(), $id.asc()))
        } else {
            query.order(($column.desc(), $id.desc()))
        };
        query.limit(page.fetch_limit())
    }};
    ($query:expr, $page:expr, $direction:expr, $id:expr) => {{
        use diesel::prelude::*;
        let page: &$crate::paging::Page = $page;
        let ascending = $direction == $crate::paging::Direction::Asc;
        let mut query = $query;
        let (lower, upper) = if ascending { (&page.after, &page.before) } else { (&page.before, &page.after) };
        if let Some(cursor) = lower {
            query = query.filter($id.gt(cursor.id));
        }
        if let Some(cursor) = upper {
            query = query.filter($id.lt(cursor.id));
        }
        let query = if ascending != page.backward { query.order($id.asc()) } else { query.order($id.desc()) };
        query.limit(page.fetch_limit())
    }};
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(first: Option<i32>, last: Option<i32>) -> PageArgs {
        PageArgs { first, last, ..PageArgs::default() }
    }

    #[test]
    fn first_and_last_are_checked() {
        assert!(Page::new("products", args(Some(1), Some(1))).is_err());
        assert!(Page::new("products", args(Some(0), None)).is_err());
        assert!(Page::new("products", args(None, Some(101))).is_err());
        assert_eq!(Page::new("products", args(Some(100), None)).unwrap().fetch_limit(), 101);
        assert_eq!(Page::new("products", args(None, None)).unwrap().limit, DEFAULT_LIMIT);
    }

    #[test]
    fn a_cursor_belongs_to_its_list() {
        let cursor = Cursor::new("products:name", SortKey::Text("Lantern".into()), 7).to_string();
        let with =
            |list, after: &str| Page::new(list, PageArgs { after: Some(after.to_owned()), ..PageArgs::default() });
        assert_eq!(with("products:name", &cursor).unwrap().after.unwrap().id, 7);
        assert!(with("orders:placed_at", &cursor).is_err());
        assert!(with("products:name", "nonsense").is_err());
    }

    #[test]
    fn backward_pages_are_in_list_order() {
        let page = Page { backward: true, limit: 2, ..Page::first("x", 2) };
        let rows = page.finish(vec![9, 8, 7]);
        assert_eq!(rows.rows, [8, 9]);
        assert!(rows.has_previous && !rows.has_next);
    }
}
