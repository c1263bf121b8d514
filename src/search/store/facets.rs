//! Facet counts.
//! Rule: a facet is counted under all filters but its own, so that the other values of a filtered facet still show
//! their counts.

use diesel::sql_types::{BigInt, Nullable, Numeric, Text};
use diesel_async::RunQueryDsl;
use rust_decimal::Decimal;

use super::{
    super::{
        facets::{FacetKind, FacetRow},
        model::{FullTextQuery, MAX_FACETED, MAX_OPTIONS, Search},
    },
    FilterPart, push_match,
};
use crate::{
    db::{
        Conn,
        dynamic_query::{DynamicQuery, Value},
    },
    error::Result,
};

type RowType = (Text, Nullable<Text>, Nullable<Text>, BigInt, Nullable<Numeric>, Nullable<Numeric>);
type Row = (String, Option<String>, Option<String>, i64, Option<Decimal>, Option<Decimal>);

/// Maximum number of values per facet.
const MAX_VALUES: i64 = 100;

/// Returns the rows of the requested facets, and a row `all` with the number of counted hits.
/// # Errors
/// Database errors.
pub async fn facets(
    mut conn: &Conn,
    search: &Search,
    full_text: &FullTextQuery,
    kinds: &[FacetKind],
) -> Result<Vec<FacetRow>> {
    let mut statement = DynamicQuery::<RowType>::default();
    push_hits(&mut statement, search, full_text);
    statement.sql(" SELECT 'all', NULL::text, NULL::text, count(*), NULL::numeric, NULL::numeric FROM m");
    for kind in kinds {
        statement.sql(" UNION ALL ");
        push_facet(&mut statement, search, *kind);
    }
    let rows: Vec<Row> = statement.load(&mut conn).await?;
    let row = |(facet, name, value, count, min, max)| FacetRow { facet, name, value, count, min, max };
    Ok(rows.into_iter().map(row).collect())
}

/// Writes the CTE `m`: the products that match the words, with one boolean column per filter.
fn push_hits(out: &mut DynamicQuery<RowType>, search: &Search, full_text: &FullTextQuery) {
    out.sql(
        "WITH m AS MATERIALIZED (SELECT p.id, p.category_id, p.brand_id, p.source_website_id, p.price, p.rating_count,
            p.rating_average, p.availability, p.group_id, p.option_values",
    );
    for (part, name) in FilterPart::all(&search.filter).into_iter().zip(FILTER_COLUMNS) {
        out.sql(", (");
        part.push_condition(out, &search.filter);
        out.sql(") IS TRUE AS ").sql(name);
    }
    out.sql(" FROM (SELECT d.node_id FROM search_documents d WHERE ");
    push_match(out, full_text);
    out.sql(" AND d.kind = 'product' AND d.is_public LIMIT ").bind(Value::Int(MAX_FACETED));
    out.sql(") h JOIN products p ON p.id = h.node_id)");
}

/// Names of the columns that tell whether a product matches a filter, in the order of the filters: seven, and the
/// options.
const FILTER_COLUMNS: [&str; 27] = [
    "h0", "h1", "h2", "h3", "h4", "h5", "h6", "h7", "h8", "h9", "h10", "h11", "h12", "h13", "h14", "h15", "h16", "h17",
    "h18", "h19", "h20", "h21", "h22", "h23", "h24", "h25", "h26",
];
const _: () = assert!(FILTER_COLUMNS.len() == 7 + MAX_OPTIONS);

/// Writes `WHERE` with all filters but this one.
fn push_other_filters(out: &mut DynamicQuery<RowType>, search: &Search, own: Option<FilterPart>) {
    out.sql(" WHERE true");
    for (part, name) in FilterPart::all(&search.filter).into_iter().zip(FILTER_COLUMNS) {
        if Some(part) != own {
            out.sql(" AND m.").sql(name);
        }
    }
}

fn push_facet(out: &mut DynamicQuery<RowType>, search: &Search, kind: FacetKind) {
    match kind {
        FacetKind::Categories => {
            // Few categories contain many hits: count per category first, then sum up along the tree.
            out.sql("(SELECT 'category', NULL, a.id::text, sum(k.hits)::bigint, NULL, NULL FROM (SELECT m.category_id, count(*) AS hits FROM m");
            push_other_filters(out, search, Some(FilterPart::Category));
            out.sql(" GROUP BY m.category_id) k JOIN categories c ON c.id = k.category_id CROSS JOIN unnest(c.path) AS a (id)");
            push_top_values(out, "sum(k.hits)", "a.id");
        }
        FacetKind::Brands => {
            out.sql("(SELECT 'brand', NULL, m.brand_id::text, count(*), NULL, NULL FROM m");
            push_other_filters(out, search, Some(FilterPart::Brand));
            out.sql(" AND m.brand_id IS NOT NULL");
            push_top_values(out, "count(*)", "m.brand_id");
        }
        FacetKind::Websites => {
            out.sql("(SELECT 'website', NULL, m.source_website_id::text, count(*), NULL, NULL FROM m");
            push_other_filters(out, search, Some(FilterPart::Website));
            push_top_values(out, "count(*)", "m.source_website_id");
        }
        FacetKind::Ratings => {
            out.sql("(SELECT 'rating', NULL, floor(m.rating_average)::text, count(*), NULL, NULL FROM m");
            push_other_filters(out, search, Some(FilterPart::Rating));
            out.sql(" AND m.rating_count > 0");
            push_top_values(out, "count(*)", "floor(m.rating_average)");
        }
        FacetKind::Availability => {
            out.sql("(SELECT 'availability', NULL, m.availability, count(*), NULL, NULL FROM m");
            push_other_filters(out, search, Some(FilterPart::Availability));
            push_top_values(out, "count(*)", "m.availability");
        }
        FacetKind::Prices => {
            // Quintiles of the hits. A price belongs to one range only, so that there are fewer ranges if many prices
            // are equal.
            out.sql("(SELECT 'price', NULL, NULL, count(*), min(r.price), max(r.price) FROM (SELECT m.price,");
            out.sql(" width_bucket(m.price, q.cuts) AS fifth");
            out.sql(" FROM m CROSS JOIN (SELECT percentile_disc('{0.2,0.4,0.6,0.8}'::float[]) WITHIN GROUP (ORDER BY m.price) AS cuts FROM m");
            push_other_filters(out, search, Some(FilterPart::Price));
            out.sql(") q");
            push_other_filters(out, search, Some(FilterPart::Price));
            out.sql(") r GROUP BY r.fifth ORDER BY r.fifth)");
        }
        FacetKind::Options => {
            out.sql("(SELECT 'option', o.name, o.value, count(*), NULL, NULL FROM m JOIN product_groups g ON g.id = m.group_id");
            out.sql(" CROSS JOIN unnest(g.varies_by, m.option_values) AS o (name, value) WHERE true");
            for (part, name) in FilterPart::all(&search.filter).into_iter().zip(FILTER_COLUMNS) {
                out.sql(" AND (m.").sql(name);
                if let FilterPart::Option(index) = part {
                    out.sql(" OR o.name = ").bind(Value::Text(search.filter.options[index].0.clone()));
                }
                out.sql(")");
            }
            push_top_values(out, "count(*)", "o.name, o.value");
        }
    }
}

/// Writes grouping, order and limit: the values with the most hits.
fn push_top_values(out: &mut DynamicQuery<RowType>, hits: &'static str, by: &'static str) {
    out.sql(" GROUP BY ").sql(by).sql(" ORDER BY ").sql(hits).sql(" DESC, ").sql(by);
    out.sql(" LIMIT ").bind(Value::Int(MAX_VALUES)).sql(")");
}
