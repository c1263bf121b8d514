//! The products that are counted: their number, and the values that facets count.
//! Rule: at most [`MAX_FACETED`] products and one more are read per base, so that the time is bounded.

use diesel::sql_types::{BigInt, Binary, Nullable, Text};
use diesel_async::RunQueryDsl;

use super::{
    super::{
        facets::{CountedProducts, FacetBase, PRODUCT_SEPARATOR},
        model::{FilterPart, FullTextQuery, MAX_FACETED, Search},
    },
    filter_parts::{Filtered, push_filter},
    push_from_documents,
};
use crate::{
    db::{
        Conn,
        dynamic_query::{DynamicQuery, Value},
    },
    error::Result,
};

/// Number of a base, number of products, their values and their terms.
type Row = (i64, i64, Option<Vec<u8>>, Option<String>);
type RowType = (BigInt, BigInt, Nullable<Binary>, Nullable<Text>);

/// Returns the products of each base.
/// # Errors
/// Database errors.
pub async fn counted_products(
    mut conn: &Conn,
    search: &Search,
    full_text: Option<&FullTextQuery>,
    bases: &[FacetBase],
) -> Result<Vec<CountedProducts>> {
    let mut statement = DynamicQuery::<RowType>::default();
    for (number, base) in bases.iter().enumerate() {
        statement.sql(if number == 0 { "SELECT " } else { " UNION ALL SELECT " });
        statement.bind(Value::Int(number as i64)).sql(", ");
        push_totals(&mut statement, base);
        statement.sql(" FROM (SELECT d.facets, d.terms");
        push_from_counted(&mut statement, search, full_text, base.without);
        statement.sql(" LIMIT ").bind(Value::Int(MAX_FACETED + 1)).sql(") AS h");
    }
    let mut rows: Vec<Row> = statement.load(&mut conn).await?;
    rows.sort_unstable_by_key(|(number, ..)| *number);
    Ok(rows.into_iter().map(|(_, count, values, terms)| counted(count, values, terms)).collect())
}

/// Writes the columns of the totals of documents `h`: their number, and the values and terms that the facets need.
pub(super) fn push_totals<R>(out: &mut DynamicQuery<R>, base: &FacetBase) {
    out.sql("count(*), ");
    out.sql(if base.has_values() { "string_agg(h.facets, ''), " } else { "NULL::bytea, " });
    if base.has_terms() {
        out.sql("string_agg(h.terms, ").bind(Value::Text(PRODUCT_SEPARATOR.to_string())).sql(")");
    } else {
        out.sql("NULL::text");
    }
}

/// Returns the totals.
pub(super) fn counted(count: i64, values: Option<Vec<u8>>, terms: Option<String>) -> CountedProducts {
    CountedProducts { count, values: values.unwrap_or_default(), terms: terms.unwrap_or_default() }
}

/// Writes `FROM` and `WHERE` for the counted documents `d`. Without words, and with conditions that only indexes of the
/// products have, these find the products.
fn push_from_counted(
    out: &mut DynamicQuery<RowType>,
    search: &Search,
    full_text: Option<&FullTextQuery>,
    without: Option<FilterPart>,
) {
    let parts: Vec<_> = search.filter.parts().into_iter().filter(|part| Some(*part) != without).collect();
    let has_product_index = |part: &FilterPart| !part.is_key() && *part != FilterPart::Availability;
    if full_text.is_some() || parts.iter().any(|part| part.is_key()) || !parts.iter().any(has_product_index) {
        return push_from_documents(out, search, full_text, without);
    }
    out.sql(" FROM (SELECT p.id FROM products p WHERE p.is_active");
    push_filter(out, &search.filter, Filtered::Products, without);
    out.sql(" LIMIT ").bind(Value::Int(MAX_FACETED + 1));
    out.sql(") p JOIN search_documents d ON d.kind = 'product' AND d.node_id = p.id");
}
