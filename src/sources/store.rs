//! Every statement on sources, but those of transfers.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::model::{NewSource, SourceNoun, SourceRow};
use crate::{
    db::{Conn, tables::sources},
    error::{Error, Result, UserError, UserErrorCode},
    ids::WebsiteId,
};

/// The sources of these things, each thing's in the order of the websites' ids; those of other kinds with the same keys may
/// come along.
pub async fn by_nouns(mut conn: &Conn, things: &[(SourceNoun, i64)]) -> Result<Vec<SourceRow>> {
    let kinds = SourceNoun::ALL.iter().copied().filter(|noun| things.iter().any(|(of, _)| of == noun));
    let (kinds, keys): (Vec<_>, Vec<_>) = (kinds.collect(), things.iter().map(|(_, id)| *id).collect());
    let query = sources::table.filter(sources::noun.eq_any(kinds)).filter(sources::noun_id.eq_any(keys));
    Ok(query.order((sources::noun_id, sources::website_id)).select(SourceRow::as_select()).load(&mut conn).await?)
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
            .on_constraint("sources_noun_website_id_external_id_key", || {
                UserError::new(UserErrorCode::Taken, "externalId", "the website calls another one so")
            })
            .on_constraint("sources_website_id_fkey", || {
                UserError::new(UserErrorCode::NotFound, "websiteId", "there is no such website")
            })
    })
}

/// Deletes a source; false where there is none.
pub async fn delete(mut conn: &Conn, noun: SourceNoun, id: i64, website: WebsiteId) -> Result<bool> {
    Ok(diesel::delete(sources::table.find((noun, id, website))).execute(&mut conn).await? == 1)
}
