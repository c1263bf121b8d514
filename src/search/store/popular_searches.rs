//! Popular searches with results, for suggestions.

use diesel::{
    prelude::*,
    sql_types::{BigInt, Bool},
};
use diesel_async::RunQueryDsl;

use crate::{
    db::{
        Conn,
        dynamic_query::{DynamicQuery, Value},
        tables::search_popular,
    },
    error::Result,
    ids::{SearchRuleId, WebsiteId},
};

/// Number of popular searches whose products are looked up in one statement.
const LOOKUP_SIZE: usize = 100;
/// Maximum number of products that are looked at for a popular search and a language.
const MAX_PRODUCTS: i64 = 1_000;

/// Maximum number of rows per statement: each takes four of the 65,535 parameters.
const ROWS_PER_INSERT: usize = 5_000;
/// Sorts after every other character in UTF-8.
const LAST_CHAR: char = char::MAX;

/// A search text that many people searched and that had results.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = search_popular, check_for_backend(diesel::pg::Pg))]
pub struct PopularSearch {
    /// The website; none for all websites together.
    pub website_id: Option<WebsiteId>,
    /// The normalized text.
    pub query: String,
    /// Number of different people who searched it recently.
    pub people: i32,
    /// Number of searches.
    pub searches: i32,
}

/// Replaces all popular searches.
pub async fn replace(mut conn: &Conn, rows: &[PopularSearch]) -> Result<()> {
    diesel::delete(search_popular::table).execute(&mut conn).await?;
    for rows in rows.chunks(ROWS_PER_INSERT) {
        diesel::insert_into(search_popular::table).values(rows).execute(&mut conn).await?;
    }
    Ok(())
}

/// Returns those of the popular searches whose words are together in products of several sellers, or in one of the shop
/// itself. A seller alone could plant anything in the texts of their own products.
pub async fn sold_by_several(conn: &Conn, rows: Vec<PopularSearch>) -> Result<Vec<PopularSearch>> {
    let mut kept = Vec::with_capacity(rows.len());
    for rows in rows.chunks(LOOKUP_SIZE) {
        let are_sold = are_sold_by_several(conn, rows).await?;
        kept.extend(rows.iter().zip(are_sold).filter(|(_, is_sold)| *is_sold).map(|(row, _)| row.clone()));
    }
    Ok(kept)
}

async fn are_sold_by_several(mut conn: &Conn, rows: &[PopularSearch]) -> Result<Vec<bool>> {
    let mut statement = DynamicQuery::<(BigInt, Bool)>::default();
    statement.sql("SELECT s.number, coalesce(bool_or(p.seller_id IS NULL) FILTER (WHERE p.id IS NOT NULL), false) OR count(DISTINCT p.seller_id) > 1 FROM unnest(");
    statement.bind(Value::Texts(rows.iter().map(|row| row.query.clone()).collect())).sql("::text[], ");
    // No website has the id 0.
    let websites = rows.iter().map(|row| row.website_id.map_or(0, |id| id.0)).collect();
    statement.bind(Value::Ints(websites)).sql(
        "::bigint[]) WITH ORDINALITY s (query, website_id, number)
         LEFT JOIN LATERAL (
             SELECT d.node_id FROM search_languages() l (language)
             CROSS JOIN LATERAL (
                 SELECT string_agg('(' || q::text || ')', ' & ')::tsquery AS query
                 FROM unnest(string_to_array(s.query, ' ')) word, search_query(l.language, word) q
                 WHERE numnode(q) > 0 AND NOT search_is_stop_word(l.language, word)
             ) q
             CROSS JOIN LATERAL (
                 SELECT d.node_id FROM search_documents d
                 WHERE d.kind = 'product' AND d.is_public AND d.language IN ('all', l.language)
                     AND (s.website_id = 0 OR d.website_id = s.website_id) AND d.document @@ q.query
                 LIMIT ",
    );
    statement.bind(Value::Int(MAX_PRODUCTS)).sql(
        ") d
         ) d ON true
         LEFT JOIN products p ON p.id = d.node_id
         GROUP BY s.number ORDER BY s.number",
    );
    let rows: Vec<(i64, bool)> = statement.load(&mut conn).await?;
    Ok(rows.into_iter().map(|(_, is_sold)| is_sold).collect())
}

/// Deletes the popular searches that contain a word of a rule that blocks suggestions: of this rule, or of all. A rule of a
/// website also applies to those of all websites together.
pub async fn delete_blocked(mut conn: &Conn, rule: Option<SearchRuleId>) -> Result<()> {
    let mut statement = DynamicQuery::<BigInt>::default();
    statement.sql(
        "WITH blocked AS (
             SELECT r.website_id, split_part(key, ':', 1) AS language, substr(key, strpos(key, ':') + 1)::tsquery AS query
             FROM search_rules r, unnest(r.keys) key WHERE r.blocks_suggestions",
    );
    if let Some(rule) = rule {
        statement.sql(" AND r.id = ").bind(Value::Int(rule.0));
    }
    statement.sql(
        "), text AS MATERIALIZED (
             SELECT p.id, p.website_id, l.language, search_part(l.language, 'A', p.query) AS document
             FROM search_popular p, (SELECT DISTINCT language FROM blocked) l
         )
         DELETE FROM search_popular WHERE id IN (
             SELECT t.id FROM text t JOIN blocked b
                 ON b.language = t.language AND (t.website_id IS NULL OR t.website_id = b.website_id) AND t.document @@ b.query)",
    );
    statement.execute(&mut conn).await?;
    Ok(())
}

/// Returns the popular searches that start with the prefix, by number of people, descending: of a website, or of all
/// together. The prefix must be normalized by [`crate::text::normalize_search_query`].
pub async fn by_prefix(
    mut conn: &Conn,
    website: Option<WebsiteId>,
    prefix: &str,
    limit: i64,
) -> Result<Vec<PopularSearch>> {
    let query = search_popular::table
        .filter(search_popular::query.ge(prefix.to_owned()))
        .filter(search_popular::query.lt(format!("{prefix}{LAST_CHAR}")))
        .order((search_popular::people.desc(), search_popular::query))
        .limit(limit)
        .select(PopularSearch::as_select())
        .into_boxed();
    let query = match website {
        Some(website) => query.filter(search_popular::website_id.assume_not_null().eq(website)),
        None => query.filter(search_popular::website_id.is_null()),
    };
    Ok(query.load(&mut conn).await?)
}
