//! Keyset pagination of searches: the conditions of the cursors, and order and limit of a page.

use super::super::model::{Bound, Search};
use crate::{
    db::dynamic_query::{DynamicQuery, Value},
    paging::Direction,
};

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
