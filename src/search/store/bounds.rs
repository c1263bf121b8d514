//! Keyset pagination of searches: the columns of a sort order, the conditions of the cursors, and order and limit of a page.

use super::{
    super::model::{Bound, Search, SearchOrderField},
    name_column,
};
use crate::{
    db::dynamic_query::{DynamicQuery, Value},
    paging::Direction,
};

/// The columns of a sort order, of a product `p` or its document `d`.
pub(super) struct SortColumns {
    /// The sort column.
    pub column: &'static str,
    /// The sort key as text.
    pub text: &'static str,
    /// The tie-breaker.
    pub tie: &'static str,
}

/// Returns the columns of a search's sort order; for relevance, which is none without words, those of popularity.
pub(super) fn sort_columns(search: &Search) -> SortColumns {
    let (column, text, tie) = match search.order {
        SearchOrderField::Price => ("p.price", "p.price::text", "p.id"),
        SearchOrderField::Newest => ("p.created_at", "to_json(p.created_at) #>> '{}'", "p.id"),
        SearchOrderField::Rating => ("p.rating_average", "p.rating_average::text", "p.id"),
        SearchOrderField::Name => (name_column(search), "p.name", "p.id"),
        SearchOrderField::Relevance | SearchOrderField::Popularity => ("d.popularity", "d.popularity::text", "d.id"),
    };
    SortColumns { column, text, tie }
}

/// Writes the conditions of the cursors.
pub(super) fn push_bounds<R>(out: &mut DynamicQuery<R>, search: &Search, column: &'static str, tie: &'static str) {
    let (after, before) = match search.direction {
        Direction::Asc => (" > (", " < ("),
        Direction::Desc => (" < (", " > ("),
    };
    for (cursor, compared) in [(&search.page.after, after), (&search.page.before, before)] {
        let Some(cursor) = cursor else { continue };
        // Cursors of another sort order were rejected before.
        let Some(bound) = search.bound(cursor) else { continue };
        out.sql(" AND (").sql(column).sql(", ").sql(tie).sql(")").sql(compared);
        out.bind(match bound {
            Bound::Real(number) => Value::Real(number),
            Bound::Number(number) => Value::Number(number),
            Bound::Time(at) => Value::Time(at),
            Bound::Text(text) => Value::Text(text),
        });
        out.sql(", ").bind(Value::Int(cursor.id)).sql(")");
    }
}

/// Writes order and limit of the page.
pub(super) fn push_limit<R>(out: &mut DynamicQuery<R>, search: &Search, column: &'static str, tie: &'static str) {
    let is_descending = (search.direction == Direction::Desc) != search.page.backward;
    let way = if is_descending { " DESC" } else { " ASC" };
    out.sql(" ORDER BY ").sql(column).sql(way).sql(", ").sql(tie).sql(way);
    out.sql(" LIMIT ").bind(Value::Int(search.page.fetch_limit()));
}
