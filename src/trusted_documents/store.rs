//! Every statement on trusted documents.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::manifest::TrustedDocument;
use crate::{
    db::{Conn, tables::trusted_documents},
    error::Result,
};

/// Returns the text of the document with this ID.
/// # Errors
/// Returns the error of the database.
pub async fn find(mut conn: &Conn, id: &str) -> Result<Option<String>> {
    let query = trusted_documents::table.find(id).select(trusted_documents::document);
    Ok(query.first(&mut conn).await.optional()?)
}

/// Returns the IDs and texts of those of these documents that are stored.
/// # Errors
/// Returns the error of the database.
pub async fn texts(mut conn: &Conn, ids: &[&str]) -> Result<Vec<(String, String)>> {
    let query = trusted_documents::table.filter(trusted_documents::id.eq_any(ids));
    Ok(query.select((trusted_documents::id, trusted_documents::document)).load(&mut conn).await?)
}

/// Returns the ID, the name and the time of each document, in the order of the IDs.
/// # Errors
/// Returns the error of the database.
pub async fn all(mut conn: &Conn) -> Result<Vec<(String, Option<String>, DateTime<Utc>)>> {
    let columns = (trusted_documents::id, trusted_documents::name, trusted_documents::created_at);
    Ok(trusted_documents::table.select(columns).order(trusted_documents::id).load(&mut conn).await?)
}

/// Inserts documents that are not stored yet.
/// # Errors
/// Returns the error of the database.
pub async fn insert(mut conn: &Conn, documents: &[&TrustedDocument]) -> Result<usize> {
    let rows: Vec<_> = documents
        .iter()
        .map(|document| {
            (
                trusted_documents::id.eq(&document.id),
                trusted_documents::document.eq(&document.text),
                trusted_documents::name.eq(&document.name),
            )
        })
        .collect();
    let query = diesel::insert_into(trusted_documents::table).values(rows).on_conflict_do_nothing();
    Ok(query.execute(&mut conn).await?)
}

/// Deletes documents, and returns their number.
/// # Errors
/// Returns the error of the database.
pub async fn delete(mut conn: &Conn, ids: &[String]) -> Result<usize> {
    let query = diesel::delete(trusted_documents::table.filter(trusted_documents::id.eq_any(ids)));
    Ok(query.execute(&mut conn).await?)
}
