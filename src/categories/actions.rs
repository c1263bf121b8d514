//! Use cases of categories.

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

/// Creates a category; without a position it becomes the last of its siblings.
/// # Errors
/// FORBIDDEN without [`Permission::ManageCatalogue`]; user errors for invalid fields.
pub async fn create(db: &Db, viewer: &Viewer, new: NewCategory, position: Option<i32>) -> Result<CategoryRow> {
    viewer.require_any(&[Permission::ManageCatalogue])?;
    new.check()?;
    db.transaction(async |conn| {
        // The insert takes this lock anyway; taken now, no concurrent insert gets the same position.
        store::lock_moves(conn).await?;
        let position = match position {
            Some(position) => position,
            None => position_after(store::last_position(conn, new.parent_id).await?),
        };
        store::insert(conn, &NewCategory { position, ..new.clone() }).await
    })
    .await
}

/// Updates a category, or moves it with its descendants.
/// # Errors
/// FORBIDDEN without [`Permission::ManageCatalogue`]; user errors for invalid fields; CYCLE if its new parent is itself
/// or a descendant.
pub async fn update(db: &Db, viewer: &Viewer, id: CategoryId, patch: CategoryPatch) -> Result<CategoryRow> {
    viewer.require_any(&[Permission::ManageCatalogue])?;
    patch.check()?;
    let updated = db.transaction(async |conn| store::update(conn, id, &patch).await).await?;
    updated.ok_or_else(|| Error::not_found("id", "category"))
}

/// Moves a category with its descendants to a position among its new siblings, and shifts as few siblings as possible.
/// # Errors
/// FORBIDDEN without [`Permission::ManageCatalogue`]; NOT_FOUND for the category or the sibling; CYCLE if its new
/// parent is itself or a descendant; INVALID if the sibling is the category itself.
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
            return Err(Error::user(UserErrorCode::Invalid, field, "a category cannot be its own sibling"));
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
