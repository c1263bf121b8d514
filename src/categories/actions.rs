//! What can be done with categories.

use super::{
    model::{CategoryPatch, CategoryRow, NewCategory, SiblingPosition, allocate_position, position_after},
    store,
};
use crate::{
    auth::{Permission, Viewer},
    db::{Conn, Db},
    error::{Error, Result, UserErrorCode},
    ids::CategoryId,
};

/// Makes a category, the last of its siblings unless its position is given.
/// # Errors
/// FORBIDDEN without [`Permission::ManageCatalogue`]; user errors of the fields.
pub async fn create(db: &Db, viewer: &Viewer, new: NewCategory, position: Option<i32>) -> Result<CategoryRow> {
    viewer.require_any(&[Permission::ManageCatalogue])?;
    new.check()?;
    db.transaction(async |conn| {
        // The lock that the insert takes in any case: nobody else gets the same place.
        store::lock_moves(conn).await?;
        let position = match position {
            Some(position) => position,
            None => position_after(store::last_position(conn, new.parent_id).await?),
        };
        store::insert(conn, &NewCategory { position, ..new.clone() }).await
    })
    .await
}

/// Changes a category, or moves it with all that is below it.
/// # Errors
/// FORBIDDEN without [`Permission::ManageCatalogue`]; user errors of the fields; CYCLE for a move below itself.
pub async fn update(db: &Db, viewer: &Viewer, id: CategoryId, patch: CategoryPatch) -> Result<CategoryRow> {
    viewer.require_any(&[Permission::ManageCatalogue])?;
    patch.check()?;
    let updated = db.transaction(async |conn| store::update(conn, id, &patch).await).await?;
    updated.ok_or_else(|| Error::not_found("id", "category"))
}

/// Moves a category, with all that is below it, to a place among its siblings to be. Of those nobody moves who need not.
/// # Errors
/// FORBIDDEN without [`Permission::ManageCatalogue`]; NOT_FOUND for the category, and for the one that names the place; CYCLE
/// for a move below itself, INVALID for a place beside itself.
pub async fn relocate(db: &Db, viewer: &Viewer, id: CategoryId, target: SiblingPosition) -> Result<CategoryRow> {
    viewer.require_any(&[Permission::ManageCatalogue])?;
    let moved = db.transaction(async |conn| {
        store::lock_moves(conn).await?;
        let (parent, sibling) = match target {
            SiblingPosition::Last(parent) => (parent, None),
            SiblingPosition::Before(sibling) => (parent_of(conn, sibling, "before").await?, Some((sibling, "before"))),
            SiblingPosition::After(sibling) => (parent_of(conn, sibling, "after").await?, Some((sibling, "after"))),
        };
        if let Some((_, field)) = sibling.filter(|(sibling, _)| *sibling == id) {
            return Err(Error::user(UserErrorCode::Invalid, field, "a category is not beside itself"));
        }
        let mut siblings = store::positions(conn, parent).await?;
        siblings.retain(|(sibling, _)| *sibling != id);
        let index = match sibling.and_then(|(sibling, _)| siblings.iter().position(|(id, _)| *id == sibling)) {
            Some(index) if matches!(target, SiblingPosition::Before(_)) => index,
            Some(index) => index + 1,
            None => siblings.len(),
        };
        let (position, pushed) = allocate_position(&siblings, index);
        store::update_positions(conn, &pushed).await?;
        let patch = CategoryPatch { parent_id: Some(parent), position: Some(position), ..CategoryPatch::default() };
        store::update(conn, id, &patch).await
    });
    moved.await?.ok_or_else(|| Error::not_found("id", "category"))
}

async fn parent_of(conn: &Conn, sibling: CategoryId, field: &'static str) -> Result<Option<CategoryId>> {
    let row = store::by_ids(conn, &[sibling]).await?.pop();
    Ok(row.ok_or_else(|| Error::not_found(field, "category"))?.parent_id)
}
