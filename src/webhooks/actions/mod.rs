//! Use cases of webhooks.

pub mod cleanup;
pub mod deliver;
mod manual;
pub mod send;
mod subscriptions;

pub use self::{
    manual::{redeliver, test},
    subscriptions::{CheckQuery, create, delete, update},
};

use serde_json::{Value, json};

use super::store;
use crate::{
    auth::{Permission, Scope, Viewer},
    db::Conn,
    error::Result,
    ids::{RowId, UserId},
};

/// Returns the subscriptions that a viewer sees.
pub fn scope(viewer: &Viewer) -> Scope {
    viewer.scope(Permission::ManageWebhooks)
}

fn required_scope(viewer: &Viewer) -> Result<Scope> {
    viewer.require_any(&[Permission::ManageWebhooks])?;
    Ok(scope(viewer))
}

/// Returns the subscriptions of a user, for the export of their personal data.
/// # Errors
/// Returns the error of the database.
pub async fn personal_data(conn: &Conn, _: &Scope, user: UserId) -> Result<Value> {
    let shown = store::all_by_user(conn, user).await?.into_iter().map(|row| {
        let events: Vec<_> = row.events.iter().map(|event| event.as_str().to_uppercase()).collect();
        json!({
            "id": row.id.to_global_id(),
            "url": row.url,
            "events": events,
            "createdAt": row.created_at,
            "updatedAt": row.updated_at,
        })
    });
    Ok(shown.collect())
}

/// Deletes the subscriptions of a user.
/// # Errors
/// Returns the error of the database.
pub async fn erase_personal_data(conn: &Conn, user: UserId) -> Result<()> {
    store::delete_by_user(conn, user).await
}
