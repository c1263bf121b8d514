//! Browsing: the products that match a filter, without words.
//! Rule: a page is read from the index of its sort order, or found by the index of a filter and sorted, whichever reads
//! fewer rows; only popularity needs the search documents.

use diesel::sql_types::{BigInt, Float, Text};

use super::{
    bounds::{SortColumns, push_bounds, push_limit, sort_columns},
    filter_parts::{Filtered, push_filter},
    push_from_documents,
};
use crate::{db::dynamic_query::DynamicQuery, search::model::Search};

/// Writes the statement for a page of products, with the columns of a hit.
pub(super) fn push_page(out: &mut DynamicQuery<(Text, BigInt, BigInt, Float, Text, BigInt)>, search: &Search) {
    let SortColumns { column, text, tie } = sort_columns(search);
    let is_by_popularity = tie == "d.id";
    out.sql("SELECT 'product'::text, ").sql(if is_by_popularity { "d.node_id" } else { "p.id" });
    out.sql(", 0::bigint, 0::real, ").sql(text).sql(", ").sql(tie);
    if is_by_popularity {
        push_from_documents(out, search, None, None);
    } else {
        out.sql(" FROM products p WHERE p.is_active");
        push_filter(out, &search.filter, Filtered::Products, None);
    }
    push_bounds(out, search, column, tie);
    push_limit(out, search, column, tie);
}
