//! SQL statements on searches and clicks.
//! Scopes: `All` includes all searches, `Websites` the searches on these websites, any other scope none.

mod reports;

use diesel::{
    prelude::*,
    sql_types::{BigInt, Integer, Nullable, Text},
};
use diesel_async::RunQueryDsl;

pub use self::reports::{click_through, count, terms, trends, visitors};
use super::model::{NewClick, NewSearch, UserSearchRow};
use crate::{
    db::{
        Conn,
        dynamic_query::{DynamicQuery, Value},
        tables::{search_clicks, searches},
    },
    error::{Error, Result},
    ids::{RowId, SearchId, UserId, WebsiteId},
    search::store::popular_searches::PopularSearch,
};

/// Maximum number of rows deleted per statement.
pub const MAX_DELETED: i64 = 10_000;

fn json<T: serde::Serialize>(rows: &[T]) -> Result<Value> {
    let text = serde_json::to_string(rows)
        .map_err(|error| Error::Internal(format!("cannot convert a row to JSON: {error}")))?;
    Ok(Value::Text(text))
}

/// Inserts searches; existing ones are left unchanged. A deleted website becomes null, and so does an erased user. The
/// user rows are locked FOR SHARE, so that a concurrent erasure waits and then anonymizes these searches too.
pub async fn insert_searches(mut conn: &Conn, rows: &[NewSearch]) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let mut statement = DynamicQuery::<BigInt>::default();
    statement.sql("WITH new AS MATERIALIZED (SELECT * FROM jsonb_to_recordset(").bind(json(rows)?).sql(
        "::jsonb) AS n (id bigint, website_id bigint, user_id bigint, visitor text, network text, query text, corrected text, filters jsonb,
                        results integer, results_exact boolean, is_shareable boolean, took_ms real, searched_at timestamptz)
         ), known AS MATERIALIZED (
             SELECT u.id FROM users u WHERE u.id = ANY (ARRAY(SELECT user_id FROM new WHERE user_id IS NOT NULL))
                 AND u.erased_at IS NULL ORDER BY u.id FOR SHARE
         )
         INSERT INTO searches (id, website_id, user_id, visitor, query, corrected, filters, results, results_exact,
                               is_shareable, took_ms, searched_at, network)
         SELECT n.id, w.id, k.id, decode(n.visitor, 'hex'), n.query, n.corrected, n.filters, n.results, n.results_exact,
                n.is_shareable, n.took_ms, n.searched_at,
                CASE WHEN k.id IS NOT NULL OR n.user_id IS NULL THEN decode(n.network, 'hex') END
         FROM new n LEFT JOIN websites w ON w.id = n.website_id LEFT JOIN known k ON k.id = n.user_id ORDER BY n.id
         ON CONFLICT DO NOTHING",
    );
    statement.execute(&mut conn).await?;
    Ok(())
}

/// Inserts clicks. Duplicates and clicks on unknown products are ignored.
pub async fn insert_clicks(mut conn: &Conn, rows: &[NewClick]) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let mut statement = DynamicQuery::<BigInt>::default();
    statement.sql("INSERT INTO search_clicks (search_id, product_id, position, clicked_at)");
    statement
        .sql(" SELECT n.search_id, p.id, n.position, n.clicked_at FROM jsonb_to_recordset(")
        .bind(json(rows)?)
        .sql(
            "::jsonb) AS n (search_id bigint, product_id bigint, position integer, clicked_at timestamptz)
         JOIN products p ON p.id = n.product_id ORDER BY n.search_id, p.id, n.clicked_at
         ON CONFLICT DO NOTHING",
        );
    statement.execute(&mut conn).await?;
    Ok(())
}

/// Returns the searches of a user, oldest first.
pub async fn all_by_user(mut conn: &Conn, user: UserId) -> Result<Vec<UserSearchRow>> {
    let own = searches::user_id.is_not_null().and(searches::user_id.assume_not_null().eq(user));
    Ok(searches::table.filter(own).order(searches::id).select(UserSearchRow::as_select()).load(&mut conn).await?)
}

/// Removes the user and their network from all their searches.
pub async fn update_anonymized(mut conn: &Conn, user: UserId) -> Result<()> {
    let own = searches::table.filter(searches::user_id.is_not_null().and(searches::user_id.assume_not_null().eq(user)));
    let set = (searches::user_id.eq(None::<UserId>), searches::network.eq(None::<Vec<u8>>));
    diesel::update(own).set(set).execute(&mut conn).await?;
    Ok(())
}

/// Returns the queries with results that at least `min_people` people have searched since this key: up to `limit` per
/// website and `limit` across all websites, ordered by the number of people. A user who ordered something is a person; all
/// others on one network are one, because anyone can make up visitors and accounts.
pub async fn popular_since(
    mut conn: &Conn,
    since: SearchId,
    min_people: i64,
    limit: i64,
) -> Result<Vec<PopularSearch>> {
    let mut statement = DynamicQuery::<(Nullable<BigInt>, Text, Integer, Integer)>::default();
    statement.sql(
        "WITH recent AS (
             SELECT coalesce(s.corrected, s.query) AS query, s.website_id, s.user_id, s.network
             FROM searches s
             WHERE s.is_shareable AND s.results > 0 AND (s.user_id IS NOT NULL OR s.visitor IS NOT NULL) AND s.id >= ",
    );
    statement.bind(Value::Int(since.key())).sql(
        "), buyer AS (
             SELECT DISTINCT o.user_id FROM orders o
             WHERE o.user_id = ANY (ARRAY(SELECT DISTINCT user_id FROM recent WHERE user_id IS NOT NULL))
                 AND o.status <> 'cancelled'
         ), person AS (
             SELECT r.query, r.website_id, b.user_id, CASE WHEN b.user_id IS NULL THEN r.network END AS network,
                    count(*) AS searches
             FROM recent r LEFT JOIN buyer b ON b.user_id = r.user_id
             WHERE b.user_id IS NOT NULL OR r.network IS NOT NULL
             GROUP BY 1, 2, 3, 4
         ), place AS (
             SELECT website_id, query, searches FROM person WHERE website_id IS NOT NULL
             UNION ALL SELECT NULL, query, sum(searches) FROM person GROUP BY query, user_id, network
         ), shared AS (
             SELECT website_id, query, count(*) AS people, sum(searches) AS searches
             FROM place GROUP BY website_id, query HAVING count(*) >= ",
    );
    statement.bind(Value::Int(min_people)).sql(
        "), ranked AS (
             SELECT *, row_number() OVER (PARTITION BY website_id ORDER BY people DESC, searches DESC, query) AS place FROM shared
         )
         SELECT website_id, query, people::integer, searches::integer FROM ranked WHERE place <= ",
    );
    statement.bind(Value::Int(limit)).sql(" ORDER BY website_id, place");
    let rows: Vec<(Option<WebsiteId>, String, i32, i32)> = statement.load(&mut conn).await?;
    let popular = |(website_id, query, people, searches)| PopularSearch { website_id, query, people, searches };
    Ok(rows.into_iter().map(popular).collect())
}

/// Deletes searches before this key, at most [`MAX_DELETED`]. Returns their number.
pub async fn delete_searches_before(mut conn: &Conn, before: SearchId) -> Result<usize> {
    let old = searches::table.filter(searches::id.lt(before)).select(searches::id).order(searches::id);
    let old: Vec<SearchId> = old.limit(MAX_DELETED).load(&mut conn).await?;
    let Some(last) = old.last() else { return Ok(0) };
    Ok(diesel::delete(searches::table.filter(searches::id.le(*last))).execute(&mut conn).await?)
}

/// Deletes clicks on searches before this key, about [`MAX_DELETED`] at most. Returns their number.
pub async fn delete_clicks_before(mut conn: &Conn, before: SearchId) -> Result<usize> {
    let old = search_clicks::table.filter(search_clicks::search_id.lt(before)).select(search_clicks::search_id);
    let old: Vec<SearchId> = old.order(search_clicks::search_id).limit(MAX_DELETED).load(&mut conn).await?;
    let Some(last) = old.last() else { return Ok(0) };
    Ok(diesel::delete(search_clicks::table.filter(search_clicks::search_id.le(*last))).execute(&mut conn).await?)
}
