//! What many people have searched with success, so that it may be suggested to others.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use crate::{
    db::{Conn, tables::search_popular},
    error::Result,
    ids::WebsiteId,
};

/// Most rows of one statement: each takes four parameters of the 65,535 that there are.
const ROWS_PER_INSERT: usize = 5_000;
/// What no text in UTF-8 lies behind.
const LAST_CHAR: char = char::MAX;

/// A text that many people have searched, and found something by.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = search_popular, check_for_backend(diesel::pg::Pg))]
pub struct PopularSearch {
    /// At which website; anywhere without.
    pub website_id: Option<WebsiteId>,
    /// The text as it is kept of a search: in lower case.
    pub query: String,
    /// How many different people have searched it lately.
    pub people: i32,
    /// How often they have.
    pub searches: i32,
}

/// Puts these in the place of all that there are.
pub async fn replace(mut conn: &Conn, rows: &[PopularSearch]) -> Result<()> {
    diesel::delete(search_popular::table).execute(&mut conn).await?;
    for rows in rows.chunks(ROWS_PER_INSERT) {
        diesel::insert_into(search_popular::table).values(rows).execute(&mut conn).await?;
    }
    Ok(())
}

/// Those that begin so, what most people searched first: at this website, or anywhere. The prefix is in the form of
/// [`crate::text::normalize_search_query`].
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
