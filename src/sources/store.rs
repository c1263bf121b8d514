//! All statements on sources.

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

/// Returns the sources of these resources, those of each resource in order of website IDs. The result may include
/// sources of other requested types with the same keys.
pub async fn by_resources(mut conn: &Conn, resources: &[(SourceType, i64)]) -> Result<Vec<SourceRow>> {
    let types =
        SourceType::ALL.iter().copied().filter(|resource_type| resources.iter().any(|(of, _)| of == resource_type));
    let (types, keys): (Vec<_>, Vec<_>) = (types.collect(), resources.iter().map(|(_, id)| *id).collect());
    let query = sources::table.filter(sources::resource_type.eq_any(types)).filter(sources::resource_id.eq_any(keys));
    Ok(query.order((sources::resource_id, sources::website_id)).select(SourceRow::as_select()).load(&mut conn).await?)
}

/// Inserts a source.
/// # Errors
/// Returns TAKEN if the resource already has a source at the website, or if another resource has the external ID;
/// NOT_FOUND for the website.
pub async fn insert(mut conn: &Conn, new: &NewSource) -> Result<SourceRow> {
    let query = diesel::insert_into(sources::table).values(new).returning(SourceRow::as_returning());
    query.get_result(&mut conn).await.map_err(|error| {
        Error::from(error)
            .on_constraint("sources_pkey", || {
                UserError::new(
                    UserErrorCode::Taken,
                    "websiteId",
                    "the user already has an identity at this website. Remove it first.",
                )
            })
            .on_constraint("sources_resource_type_website_id_external_id_key", || {
                UserError::new(UserErrorCode::Taken, "externalId", "another user has this external ID at the website")
            })
            .on_constraint("sources_website_id_fkey", || {
                UserError::new(UserErrorCode::NotFound, "websiteId", "there is no such website")
            })
    })
}

/// Deletes a source. Returns false if there is none.
pub async fn delete(mut conn: &Conn, resource_type: SourceType, id: i64, website: WebsiteId) -> Result<bool> {
    Ok(diesel::delete(sources::table.find((resource_type, id, website))).execute(&mut conn).await? == 1)
}

/// Records that a transfer saw these resources at a website: the key of each and, if the file has one, its external ID.
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
    // A resource that was created at this website has been known there since its creation.
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
