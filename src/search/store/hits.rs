//! Pages of hits.

use chrono::{DateTime, Utc};
use diesel::sql_types::{BigInt, Binary, Float, Nullable, Text};
use diesel_async::RunQueryDsl;
use rust_decimal::Decimal;

use super::{
    super::{
        facets::{CountedProducts, FacetBase},
        model::{DocumentKind, FullTextQuery, Hit, MAX_FACETED, MAX_RANKED, Search, SearchOrderField},
    },
    bounds::{SortColumns, push_bounds, push_limit, sort_columns},
    browse,
    counted::{counted, push_totals},
    push_from_documents, push_rank,
};
use crate::{
    db::{
        Conn,
        dynamic_query::{DynamicQuery, Value},
    },
    error::{Error, Result},
    paging::{Cursor, SortKey},
};

/// Type, primary key of the entity, primary key of the document, score, sort key as text, tie-breaker.
type Row = (DocumentKind, i64, i64, f32, String, i64);
type RowType = (Text, BigInt, BigInt, Float, Text, BigInt);

/// Returns a page of hits: of all products without words, else in an order other than relevance.
/// # Errors
/// Database errors.
pub async fn page(mut conn: &Conn, search: &Search, full_text: Option<&FullTextQuery>) -> Result<Vec<Hit>> {
    let mut statement = DynamicQuery::<RowType>::default();
    match full_text {
        None => browse::push_page(&mut statement, search),
        Some(full_text) => push_by_column(&mut statement, search, full_text),
    }
    let rows: Vec<Row> = statement.load(&mut conn).await?;
    rows.into_iter().map(|row| hit(search, row)).collect()
}

fn hit(search: &Search, (kind, node_id, document_id, score, key, tie): Row) -> Result<Hit> {
    use SearchOrderField as F;
    let wrong = || Error::Internal(format!("invalid sort key of a search: {key:?}"));
    let list = search.page.list;
    let cursor = match search.order {
        // Both tell how many units were sold.
        F::Relevance | F::Popularity => search.cursor_seal.cursor(list, key.parse::<f32>().map_err(|_| wrong())?, tie),
        F::Price | F::Rating => Cursor::new(list, SortKey::Number(key.parse::<Decimal>().map_err(|_| wrong())?), tie),
        F::Newest => Cursor::new(list, SortKey::Time(key.parse::<DateTime<Utc>>().map_err(|_| wrong())?), tie),
        F::Name => Cursor::new(list, SortKey::Text(key), tie),
    };
    Ok(Hit { kind, node_id, document_id, score, cursor })
}

fn push_by_column(out: &mut DynamicQuery<RowType>, search: &Search, full_text: &FullTextQuery) {
    let SortColumns { column, text, tie } = sort_columns(search);
    out.sql("SELECT d.kind, d.node_id, d.id, (");
    push_rank(out, full_text);
    out.sql(")::real, ").sql(text).sql(", ").sql(tie).sql(" FROM (SELECT d.*");
    push_from_documents(out, search, Some(full_text), None);
    out.sql(") d JOIN products p ON p.id = d.node_id WHERE true");
    push_bounds(out, search, column, tie);
    push_limit(out, search, column, tie);
}

/// The columns of a hit, all null in the row of the totals, and those of the totals.
type RankedRow = (
    Option<DocumentKind>,
    Option<i64>,
    Option<i64>,
    Option<f32>,
    Option<String>,
    Option<i64>,
    i64,
    Option<Vec<u8>>,
    Option<String>,
);
type RankedRowType = (
    Nullable<Text>,
    Nullable<BigInt>,
    Nullable<BigInt>,
    Nullable<Float>,
    Nullable<Text>,
    Nullable<BigInt>,
    BigInt,
    Nullable<Binary>,
    Nullable<Text>,
);

/// Returns a page of hits by relevance and, in the same pass, the totals of the hits for a base with all filters.
/// # Errors
/// Database errors.
pub async fn ranked(
    mut conn: &Conn,
    search: &Search,
    full_text: &FullTextQuery,
    base: &FacetBase,
) -> Result<(Vec<Hit>, CountedProducts)> {
    let mut statement = DynamicQuery::<RankedRowType>::default();
    push_ranked(&mut statement, search, full_text, base);
    statement.sql(" UNION ALL SELECT NULL, NULL, NULL, NULL, NULL, NULL, ");
    push_totals(&mut statement, base);
    statement.sql(" FROM h");
    let rows: Vec<RankedRow> = statement.load(&mut conn).await?;
    let (mut hits, mut totals) = (Vec::new(), CountedProducts::default());
    for (kind, node_id, document_id, score, key, tie, count, values, terms) in rows {
        match (kind, node_id, document_id, score, key, tie) {
            (Some(kind), Some(node_id), Some(document_id), Some(score), Some(key), Some(tie)) => {
                hits.push(hit(search, (kind, node_id, document_id, score, key, tie))?);
            }
            _ => totals = counted(count, values, terms),
        }
    }
    Ok((hits, totals))
}

/// Writes the hits `h`, at most [`MAX_FACETED`] and one more, with what the facets of the base need, and a page of those that are ranked.
///
/// At most [`MAX_RANKED`] hits are ranked; of more, the best-selling ones. A very common word is a weak signal, and ranking
/// every match would take time proportional to the catalog. The rank includes the sales, which clients may not read; the
/// score, which they do read, has everything else.
///
/// A code as a whole ranks before longer codes that begin with it, of which it is a part: as the SKU in any spelling, as a
/// SKU beside other words, unless it is so short that it may mean something else, or in the name.
fn push_ranked(out: &mut DynamicQuery<RankedRowType>, search: &Search, full_text: &FullTextQuery, base: &FacetBase) {
    out.sql("WITH h AS MATERIALIZED (SELECT d.ctid AS at, d.id, d.popularity");
    // Not read for nothing: most of the time of a frequent word goes into reading its rows.
    out.sql(if base.has_values() { ", d.facets" } else { "" }).sql(if base.has_terms() { ", d.terms" } else { "" });
    push_from_documents(out, search, Some(full_text), None);
    out.sql(" LIMIT ").bind(Value::Int(MAX_FACETED + 1)).sql("), ");
    push_best_sellers(out, search, full_text);
    // The rows are fetched by their places: within one statement these do not change.
    out.sql(
        ", d AS (SELECT d.* FROM (SELECT c.at FROM (
            SELECT b.at, b.id, b.popularity FROM b
            UNION ALL SELECT h.at, h.id, h.popularity FROM h WHERE h.id NOT IN (SELECT b.id FROM b)) c
            ORDER BY c.popularity DESC, c.id DESC LIMIT ",
    );
    out.bind(Value::Int(MAX_RANKED)).sql(") c JOIN search_documents d ON d.ctid = c.at)");
    out.sql(
        ", s AS (SELECT m.kind, m.node_id, m.id, (m.exact + m.match * (1 + 0.1 * m.boost))::real AS score,
            (m.exact + m.match * (1 + 0.1 * (least(m.popularity, 9) / 3 + m.boost)))::real AS rank
         FROM (SELECT d.kind, d.node_id, d.id, d.popularity, CASE
            WHEN lower(d.sku) = t.typed OR d.barcode = t.typed THEN 100
            WHEN translate(lower(d.sku), ' -/._+:#,()=&*', '') = t.code THEN 50
            WHEN d.kind <> 'supplier' AND lower(d.name) = t.typed THEN 10
            WHEN NOT t.has_digit THEN 0
            WHEN d.sku ~ '[0-9]' AND char_length(d.sku) >= 5 AND strpos(' ' || t.typed || ' ', ' ' || lower(d.sku) || ' ') > 0 THEN 5
            WHEN d.kind = 'product' AND strpos(' ' || translate(lower(d.name), '(),;:', '     ') || ' ', ' ' || t.typed || ' ') > 0 THEN 1
            ELSE 0 END AS exact, (",
    );
    push_rank(out, full_text);
    // A small boost for short documents; then up to 3 for sales, 1 for availability and 1 for rating. A match that is
    // half again as good ranks first whatever these are.
    out.sql(
        ") * (1 + 0.3 / (1 + length(d.document))) AS match,
            CASE WHEN d.availability <> 'out_of_stock' THEN 1 ELSE 0 END + coalesce(d.rating::real / 5, 0) AS boost
         FROM d, (SELECT typed, translate(typed, ' -/._+:#,()=&*', '') AS code, typed ~ '[0-9]' AS has_digit FROM lower(",
    );
    out.bind(Value::Text(search.text.trim().to_owned()));
    out.sql(") AS typed OFFSET 0) t OFFSET 0) m)");
    out.sql(" (SELECT s.kind, s.node_id, s.id, s.score, s.rank::text, s.id, 0::bigint, NULL::bytea, NULL::text FROM s WHERE true");
    push_bounds(out, search, "s.rank", "s.id");
    push_limit(out, search, "s.rank", "s.id");
    out.sql(")");
}

/// Writes the best-selling hits `b`, if there are more hits than `h` has: tier by tier, until there are enough of them.
fn push_best_sellers(out: &mut DynamicQuery<RankedRowType>, search: &Search, full_text: &FullTextQuery) {
    out.sql(
        "b AS MATERIALIZED (SELECT b.* FROM (VALUES (1::smallint), (2::smallint)) AS t (tier) CROSS JOIN LATERAL (
            SELECT d.ctid AS at, d.id, d.popularity",
    );
    push_from_documents(out, search, Some(full_text), None);
    out.sql(" AND d.sales_tier = t.tier ORDER BY d.popularity DESC, d.id DESC LIMIT ").bind(Value::Int(MAX_RANKED));
    out.sql(") b WHERE (SELECT count(*) FROM h) > ").bind(Value::Int(MAX_FACETED));
    out.sql(" LIMIT ").bind(Value::Int(MAX_RANKED)).sql(")");
}
