//! SQL statements that find the categories of a batch.
//! Rule: the writes are in `categories::store`.

use std::collections::HashMap;

use diesel::{
    sql_query,
    sql_types::{Array, BigInt, Text},
};
use diesel_async::RunQueryDsl;

use super::{super::super::record::CategoryRecord, model::CategoryState};
use crate::{db::Conn, error::Result, ids::WebsiteId};

const COLUMNS: &str =
    "SELECT c.id, s.external_id, c.parent_id, c.name, c.slug, c.description, c.position FROM categories c";

/// Returns the categories of a website with the external IDs of these rows, by external ID.
pub async fn by_external_id(
    mut conn: &Conn,
    website: WebsiteId,
    records: &[&CategoryRecord],
) -> Result<HashMap<String, CategoryState>> {
    let query = sql_query(format!(
        "{COLUMNS} JOIN sources s ON s.resource_type = 'Category' AND s.resource_id = c.id
         WHERE s.website_id = $1 AND s.external_id = ANY ($2)"
    ));
    let ids: Vec<&str> = records.iter().filter_map(|record| record.external_id.as_deref()).collect();
    let rows: Vec<CategoryState> = query.bind::<BigInt, _>(website).bind::<Array<Text>, _>(ids).load(&mut conn).await?;
    Ok(rows.into_iter().filter_map(|row| Some((row.external_id.clone()?, row))).collect())
}

/// Returns the categories with these IDs and their external IDs at a website, by ID.
pub async fn by_ids(mut conn: &Conn, website: WebsiteId, ids: &[i64]) -> Result<HashMap<i64, CategoryState>> {
    let query = sql_query(format!(
        "{COLUMNS} LEFT JOIN sources s ON s.resource_type = 'Category' AND s.resource_id = c.id AND s.website_id = $1
         WHERE c.id = ANY ($2)"
    ));
    let rows: Vec<CategoryState> =
        query.bind::<BigInt, _>(website).bind::<Array<BigInt>, _>(ids).load(&mut conn).await?;
    Ok(rows.into_iter().map(|row| (row.id, row)).collect())
}
