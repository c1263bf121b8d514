//! Browsing: the products that match a filter, without words.
//! Rule: a page is read from the index of its sort order, or found by the index of a filter and sorted, whichever reads
//! fewer products; only popularity needs the search documents.

use diesel::sql_types::{BigInt, Float, Text};
use diesel_async::RunQueryDsl;

use super::{
    FilterPart,
    bounds::{SortColumns, push_bounds, push_limit, sort_columns},
    push_filter_conditions,
};
use crate::{
    db::{
        Conn,
        dynamic_query::{DynamicQuery, Value},
    },
    error::Result,
    paging::MAX_COUNT,
    search::model::{HitCount, MAX_SCANNED, Search},
};

/// Writes the statement for a page of products, with the columns of a hit.
pub(super) fn push_page(out: &mut DynamicQuery<(Text, BigInt, BigInt, Float, Text, BigInt)>, search: &Search) {
    let SortColumns { column, text, tie } = sort_columns(search);
    let is_by_popularity = tie == "d.id";
    out.sql("SELECT 'product'::text, ").sql(if is_by_popularity { "d.node_id" } else { "p.id" });
    out.sql(", 0::bigint, 0::real, ").sql(text).sql(", ").sql(tie);
    let has_filter = !search.filter.is_empty();
    out.sql(match (is_by_popularity, has_filter) {
        (false, _) => " FROM products p WHERE p.is_active",
        (true, false) => " FROM search_documents d WHERE d.kind = 'product' AND d.is_public",
        (true, true) => {
            " FROM search_documents d JOIN products p ON p.id = d.node_id WHERE d.kind = 'product' AND p.is_active"
        }
    });
    if has_filter {
        out.sql(" AND ");
        push_filter_conditions(out, search);
    }
    push_bounds(out, search, column, tie);
    push_limit(out, search, column, tie);
}

/// Writes a subquery `p` of at most `limit` products with these columns that match the indexed conditions of the
/// filter but one. The other conditions are left to the caller, so that the number of rows that they are checked on is
/// bounded.
pub(super) fn push_products<R>(
    out: &mut DynamicQuery<R>,
    search: &Search,
    but: Option<FilterPart>,
    columns: &'static str,
    limit: i64,
) {
    out.sql("(SELECT ").sql(columns).sql(" FROM products p WHERE p.is_active");
    for part in FilterPart::all(&search.filter).into_iter().filter(|part| part.has_index() && Some(*part) != but) {
        out.sql(" AND ");
        part.push_condition(out, &search.filter);
    }
    out.sql(" LIMIT ").bind(Value::Int(limit)).sql(") p");
}

/// Returns the number of products, counted up to [`MAX_COUNT`].
pub(super) async fn count(mut conn: &Conn, search: &Search) -> Result<HitCount> {
    let others: Vec<_> = FilterPart::all(&search.filter).into_iter().filter(|part| !part.has_index()).collect();
    let limit = if others.is_empty() { MAX_COUNT + 1 } else { MAX_SCANNED };
    let mut statement = DynamicQuery::<(BigInt, BigInt)>::default();
    statement.sql("SELECT count(*)");
    for (number, part) in others.iter().enumerate() {
        statement.sql(if number == 0 { " FILTER (WHERE " } else { " AND " });
        part.push_condition(&mut statement, &search.filter);
    }
    statement.sql(if others.is_empty() { "" } else { ")" }).sql(", count(*) FROM ");
    let columns = if others.is_empty() { "" } else { "p.availability, p.group_id, p.option_values" };
    push_products(&mut statement, search, None, columns, limit);
    let (hits, scanned): (i64, i64) = statement.get_result(&mut conn).await?;
    Ok(HitCount { hits: hits.min(MAX_COUNT), is_exact: scanned < limit && hits <= MAX_COUNT })
}
