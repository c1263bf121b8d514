//! Pages of hits, their count, and snippets.

use chrono::{DateTime, Utc};
use diesel::sql_types::{BigInt, Float, Text};
use diesel_async::RunQueryDsl;
use rust_decimal::Decimal;

use super::{
    super::model::{DocumentKind, FullTextQuery, Hit, HitCount, MAX_RANKED, MAX_SCANNED, Search, SearchOrderField},
    bounds::{SortColumns, push_bounds, push_limit, sort_columns},
    browse, push_filter_conditions, push_from_documents, push_from_hits, push_rank, push_ranking_query,
};
use crate::{
    db::{
        Conn,
        dynamic_query::{DynamicQuery, Value},
    },
    error::{Error, Result},
    paging::{Cursor, MAX_COUNT, SortKey},
};

/// Type, primary key of the entity, primary key of the document, score, sort key as text, tie-breaker.
type Row = (DocumentKind, i64, i64, f32, String, i64);
type RowType = (Text, BigInt, BigInt, Float, Text, BigInt);

/// Returns a page of hits.
/// # Errors
/// Database errors.
pub async fn page(mut conn: &Conn, search: &Search, full_text: Option<&FullTextQuery>) -> Result<Vec<Hit>> {
    let mut statement = DynamicQuery::<RowType>::default();
    match (full_text, search.order) {
        (None, _) => browse::push_page(&mut statement, search),
        (Some(full_text), SearchOrderField::Relevance) => push_by_relevance(&mut statement, search, full_text),
        (Some(full_text), _) => push_by_column(&mut statement, search, full_text),
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

/// Ranks at most [`MAX_RANKED`] hits; of more, the best-selling ones. A very common word is a weak signal, and ranking
/// every match would take time proportional to the catalog. The rank includes the sales, which clients may not read; the
/// score, which they do read, has everything else.
///
/// A code as a whole ranks before longer codes that begin with it, of which it is a part: as the SKU in any spelling, as a
/// SKU beside other words, unless it is so short that it may mean something else, or in the name.
fn push_by_relevance(out: &mut DynamicQuery<RowType>, search: &Search, full_text: &FullTextQuery) {
    out.sql("WITH d AS MATERIALIZED (SELECT d.id, d.kind, d.node_id, d.language, d.document, d.popularity");
    push_from_hits(out, search, full_text);
    out.sql(" ORDER BY d.popularity DESC, d.id DESC LIMIT ").bind(Value::Int(MAX_RANKED));
    out.sql(
        "), s AS (SELECT m.kind, m.node_id, m.id, (m.exact + m.match * (1 + 0.1 * m.boost))::real AS score,
            (m.exact + m.match * (1 + 0.1 * (least(m.popularity, 9) / 3 + m.boost)))::real AS rank
         FROM (SELECT d.kind, d.node_id, d.id, d.popularity, CASE
            WHEN lower(p.sku) = t.typed OR p.barcode = t.typed THEN 100
            WHEN translate(lower(p.sku), ' -/._+:#,()=&*', '') = t.code THEN 50
            WHEN lower(CASE d.kind WHEN 'product' THEN p.name WHEN 'brand' THEN (SELECT b.name FROM brands b WHERE b.id = d.node_id)
                WHEN 'category' THEN (SELECT c.name FROM categories c WHERE c.id = d.node_id) END) = t.typed THEN 10
            WHEN p.sku ~ '[0-9]' AND char_length(p.sku) >= 5 AND strpos(' ' || t.typed || ' ', ' ' || lower(p.sku) || ' ') > 0 THEN 5
            WHEN t.typed ~ '[0-9]' AND strpos(' ' || translate(lower(p.name), '(),;:', '     ') || ' ', ' ' || t.typed || ' ') > 0 THEN 1
            ELSE 0 END AS exact, (",
    );
    push_rank(out, full_text);
    // A small boost for short documents; then up to 3 for sales, 1 for availability and 1 for rating. A match that is
    // half again as good ranks first whatever these are.
    out.sql(
        ") * (1 + 0.3 / (1 + length(d.document))) AS match, CASE WHEN p.availability <> 'out_of_stock' THEN 1 ELSE 0 END
                  + CASE WHEN p.rating_count > 0 THEN p.rating_average::real / 5 ELSE 0 END AS boost
         FROM d LEFT JOIN products p ON d.kind = 'product' AND p.id = d.node_id, (SELECT typed, translate(typed, ' -/._+:#,()=&*', '') AS code FROM lower(",
    );
    out.bind(Value::Text(search.text.trim().to_owned()));
    out.sql(") AS typed OFFSET 0) t OFFSET 0) m) SELECT s.kind, s.node_id, s.id, s.score, s.rank::text, s.id FROM s WHERE true");
    push_bounds(out, search, "s.rank", "s.id");
    push_limit(out, search, "s.rank", "s.id");
}

fn push_by_column(out: &mut DynamicQuery<RowType>, search: &Search, full_text: &FullTextQuery) {
    let SortColumns { column, text, tie } = sort_columns(search);
    out.sql("SELECT d.kind, d.node_id, d.id, (");
    push_rank(out, full_text);
    out.sql(")::real, ").sql(text).sql(", ").sql(tie);
    push_from_hits(out, search, full_text);
    push_bounds(out, search, column, tie);
    push_limit(out, search, column, tie);
}

/// Returns the number of hits, counted up to [`MAX_COUNT`]. With a filter, only [`MAX_SCANNED`] matching documents are
/// scanned, so that the time for a common word is bounded.
/// # Errors
/// Database errors.
pub async fn count(mut conn: &Conn, search: &Search, full_text: Option<&FullTextQuery>) -> Result<HitCount> {
    let Some(full_text) = full_text else { return browse::count(conn, search).await };
    let limit = if search.filter.is_empty() { MAX_COUNT + 1 } else { MAX_SCANNED };
    let mut statement = DynamicQuery::<(BigInt, BigInt)>::default();
    statement.sql("SELECT count(*)");
    if !search.filter.is_empty() {
        statement.sql(" FILTER (WHERE ");
        push_filter_conditions(&mut statement, search);
        statement.sql(")");
    }
    statement.sql(", count(*) FROM (SELECT d.node_id");
    push_from_documents(&mut statement, search, full_text);
    statement.sql(" LIMIT ").bind(Value::Int(limit)).sql(") AS d");
    if !search.filter.is_empty() {
        statement.sql(" JOIN products p ON p.id = d.node_id");
    }
    let (hits, scanned): (i64, i64) = statement.get_result(&mut conn).await?;
    Ok(HitCount { hits: hits.min(MAX_COUNT), is_exact: scanned < limit && hits <= MAX_COUNT })
}

/// Start and end of a matched word in a snippet: control characters that no stored text contains.
pub const HIGHLIGHT_MARKS: [char; 2] = ['\u{2}', '\u{3}'];

/// Returns the snippets, by document ID.
/// # Errors
/// Database errors.
pub async fn snippets(mut conn: &Conn, documents: &[i64], full_text: &FullTextQuery) -> Result<Vec<(i64, String)>> {
    let mut statement = DynamicQuery::<(BigInt, Text)>::default();
    statement.sql("SELECT d.id, ts_headline(");
    push_config(&mut statement, full_text);
    statement.sql(", concat_ws(' – ', coalesce(p.name, c.name, b.name, s.name),");
    statement.sql(" nullif(coalesce(p.description, c.description, b.description, ''), '')), ");
    push_ranking_query(&mut statement, full_text);
    statement.sql(", 'MaxWords=30, MinWords=10, StartSel=' || chr(2) || ', StopSel=' || chr(3))");
    statement.sql(" FROM search_documents d LEFT JOIN products p ON d.kind = 'product' AND p.id = d.node_id");
    statement.sql(" LEFT JOIN categories c ON d.kind = 'category' AND c.id = d.node_id");
    statement.sql(" LEFT JOIN brands b ON d.kind = 'brand' AND b.id = d.node_id");
    statement.sql(" LEFT JOIN suppliers s ON d.kind = 'supplier' AND s.id = d.node_id WHERE d.id = ANY (");
    statement.bind(Value::Ints(documents.to_vec())).sql(")");
    Ok(statement.load(&mut conn).await?)
}

/// Writes the text search configuration of a document `d`; documents with language `all` use the first language.
fn push_config<R>(out: &mut DynamicQuery<R>, full_text: &FullTextQuery) {
    let first = full_text.0.as_slice().first().map(|(language, _)| *language).unwrap_or_default();
    out.sql("CASE d.language");
    for (language, _) in &full_text.0 {
        out.sql(" WHEN '").sql(language.as_str()).sql("' THEN 'souk_").sql(language.as_str()).sql("'::regconfig");
    }
    out.sql(" ELSE 'souk_").sql(first.as_str()).sql("'::regconfig END");
}
