//! Reindexing of products in the languages of their websites.

use diesel::{
    define_sql_function,
    prelude::*,
    sql_types::{Array, BigInt},
};
use diesel_async::RunQueryDsl;

use crate::{
    db::{
        Conn,
        sql::Void,
        tables::{products, search_websites, websites},
    },
    error::Result,
    ids::{ProductId, WebsiteId},
    websites::language::Language,
};

define_sql_function! {
    /// Writes the search documents of products; see the migration.
    fn search_put_products(ids: Array<BigInt>) -> Void;
}

/// Returns the websites whose products are not all indexed in the website's language, with that language.
/// # Errors
/// Database errors.
pub async fn stale_websites(mut conn: &Conn) -> Result<Vec<(WebsiteId, Language)>> {
    let query = search_websites::table
        .inner_join(websites::table)
        .filter(websites::language.ne(search_websites::language))
        .order(websites::id)
        .select((websites::id, websites::language));
    Ok(query.load(&mut conn).await?)
}

/// Reindexes the next products of a website; returns the last of them, none if there are no more.
/// # Errors
/// Database errors.
pub async fn index_next(
    mut conn: &Conn,
    website: WebsiteId,
    after: ProductId,
    limit: i64,
) -> Result<Option<ProductId>> {
    let ids: Vec<i64> = products::table
        .filter(products::source_website_id.eq(website).and(products::id.gt(after)))
        .order(products::id)
        .limit(limit)
        .select(products::id)
        .load::<ProductId>(&mut conn)
        .await?
        .into_iter()
        .map(|id| id.0)
        .collect();
    let Some(last) = ids.last().copied() else { return Ok(None) };
    diesel::select(search_put_products(ids)).execute(&mut conn).await?;
    Ok(Some(ProductId(last)))
}

/// Records that all products of a website are indexed in a language.
/// # Errors
/// Database errors.
pub async fn update_indexed(mut conn: &Conn, website: WebsiteId, language: Language) -> Result<()> {
    let website = search_websites::table.find(website);
    diesel::update(website).set(search_websites::language.eq(language)).execute(&mut conn).await?;
    Ok(())
}
