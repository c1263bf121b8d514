//! What can be done with categories.

use super::{
    model::{CategoryPatch, CategoryRow, NewCategory},
    store,
};
use crate::{
    auth::{Permission, Viewer},
    db::Db,
    error::{Error, Result},
    ids::CategoryId,
};

/// Makes a category.
/// # Errors
/// FORBIDDEN without [`Permission::ManageCatalogue`]; user errors of the fields.
pub async fn create(db: &Db, viewer: &Viewer, new: NewCategory) -> Result<CategoryRow> {
    viewer.require_any(&[Permission::ManageCatalogue])?;
    new.check()?;
    db.transaction(async |conn| store::insert(conn, &new).await).await
}

/// Changes a category, or moves it with all that is below it.
/// # Errors
/// FORBIDDEN without [`Permission::ManageCatalogue`]; user errors of the fields; CYCLE for a move below itself.
pub async fn update(db: &Db, viewer: &Viewer, id: CategoryId, patch: CategoryPatch) -> Result<CategoryRow> {
    viewer.require_any(&[Permission::ManageCatalogue])?;
    patch.check()?;
    let updated = db
        .transaction(async |conn| match patch.is_empty() {
            true => Ok(store::by_ids(conn, &[id]).await?.pop()),
            false => store::update(conn, id, &patch).await,
        })
        .await?;
    updated.ok_or_else(|| Error::not_found("id", "category"))
}

/// Deletes a category that holds nothing.
/// # Errors
/// FORBIDDEN without [`Permission::ManageCatalogue`]; IN_USE while it has children or products.
pub async fn delete(db: &Db, viewer: &Viewer, id: CategoryId) -> Result<()> {
    viewer.require_any(&[Permission::ManageCatalogue])?;
    match db.transaction(async |conn| store::delete(conn, id).await).await? {
        true => Ok(()),
        false => Err(Error::not_found("id", "category")),
    }
}
