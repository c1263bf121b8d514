//! Every statement on sources.

use diesel::{
    prelude::*,
    sql_query,
    sql_types::{Array, BigInt, Nullable, Text},
};
use diesel_async::RunQueryDsl;

use super::model::{NewSource, SourceRow, SourceType};
use crate::{
    db::{Conn, tables::sources},
    error::{Error, Result, UserError, UserErrorCode},
    ids::{TransferId, WebsiteId},
};

/// The sources of these things, each thing's in the order of the websites' ids; those of other kinds with the same keys may
/// come along.
pub async fn by_resources(mut conn: &Conn, things: &[(SourceType, i64)]) -> Result<Vec<SourceRow>> {
    let kinds =
        SourceType::ALL.iter().copied().filter(|resource_type| things.iter().any(|(of, _)| of == resource_type));
    let (kinds, keys): (Vec<_>, Vec<_>) = (kinds.collect(), things.iter().map(|(_, id)| *id).collect());
    let query = sources::table.filter(sources::resource_type.eq_any(kinds)).filter(sources::resource_id.eq_any(keys));
    Ok(query.order((sources::resource_id, sources::website_id)).select(SourceRow::as_select()).load(&mut conn).await?)
}

/// Adds a source.
/// # Errors
/// TAKEN where the website knows the thing already, or calls another one so; NOT_FOUND for the website.
pub async fn insert(mut conn: &Conn, new: &NewSource) -> Result<SourceRow> {
    let query = diesel::insert_into(sources::table).values(new).returning(SourceRow::as_returning());
    query.get_result(&mut conn).await.map_err(|error| {
        Error::from(error)
            .on_constraint("sources_pkey", || {
                UserError::new(UserErrorCode::Taken, "websiteId", "the website knows them already: remove that first")
            })
            .on_constraint("sources_resource_type_website_id_external_id_key", || {
                UserError::new(UserErrorCode::Taken, "externalId", "the website calls another one so")
            })
            .on_constraint("sources_website_id_fkey", || {
                UserError::new(UserErrorCode::NotFound, "websiteId", "there is no such website")
            })
    })
}

/// Deletes a source; false where there is none.
pub async fn delete(mut conn: &Conn, resource_type: SourceType, id: i64, website: WebsiteId) -> Result<bool> {
    Ok(diesel::delete(sources::table.find((resource_type, id, website))).execute(&mut conn).await? == 1)
}

/// Records that a transfer found these things at a website: the key and, if the file has one, the external id of each.
pub async fn upsert_seen(
    mut conn: &Conn,
    website: WebsiteId,
    transfer: TransferId,
    resource_type: SourceType,
    seen: &[(i64, Option<&str>)],
) -> Result<()> {
    if seen.is_empty() {
        return Ok(());
    }
    // A thing that was created at the website itself has been known there since then.
    let since = match resource_type {
        SourceType::Product => {
            "coalesce((SELECT n.created_at FROM products n WHERE n.id = k.id AND n.source_website_id = $2), now())"
        }
        SourceType::User => {
            "coalesce((SELECT n.created_at FROM users n WHERE n.id = k.id AND n.source_website_id = $2), now())"
        }
        SourceType::Order | SourceType::Category => "now()",
    };
    let query = sql_query(format!(
        "INSERT INTO sources (resource_type, resource_id, website_id, external_id, last_transfer_id, first_seen)
         SELECT $1, k.id, $2, k.external_id, $3, {since} FROM unnest($4, $5) AS k (id, external_id) ORDER BY k.id
         ON CONFLICT ON CONSTRAINT sources_pkey DO UPDATE
         SET last_seen = EXCLUDED.last_seen, last_transfer_id = EXCLUDED.last_transfer_id,
             external_id = coalesce(EXCLUDED.external_id, sources.external_id)"
    ));
    let ids: Vec<i64> = seen.iter().map(|(id, _)| *id).collect();
    let names: Vec<Option<&str>> = seen.iter().map(|(_, name)| *name).collect();
    query
        .bind::<Text, _>(resource_type.as_str())
        .bind::<BigInt, _>(website)
        .bind::<BigInt, _>(transfer)
        .bind::<Array<BigInt>, _>(ids)
        .bind::<Array<Nullable<Text>>, _>(names)
        .execute(&mut conn)
        .await?;
    Ok(())
}
