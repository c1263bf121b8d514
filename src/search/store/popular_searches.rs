//! Popular searches with results, for suggestions.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use crate::{
    db::{Conn, tables::search_popular},
    error::Result,
    ids::WebsiteId,
};

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
