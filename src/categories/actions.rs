//! Use cases of categories.

use super::{
    model::{CategoryPatch, CategoryRow, NewCategory, SiblingPosition, allocate_position, claim_position},
    store,
};
use crate::{
    auth::{Permission, Viewer},
    db::{Conn, Db},
    error::{Error, Result, UserErrorCode},
    ids::CategoryId,
    text::slug_candidates,
};

/// Creates a category; without a position it becomes the last of its siblings, and without a slug one is derived from
/// the name.
/// # Errors
/// FORBIDDEN without [`Permission::ManageCatalogue`]; user errors for invalid fields.
pub async fn create(db: &Db, viewer: &Viewer, new: NewCategory) -> Result<CategoryRow> {
    viewer.require_any(&[Permission::ManageCatalogue])?;
    let new = new.checked()?;
    db.transaction(async |conn| {
        let mut new = new.clone();
        if let Some(position) = new.position {
            // The insert takes this lock anyway; taken now, no concurrent insert gets the same position.
            store::lock_moves(conn).await?;
            new.position = Some(make_room(conn, new.parent_id, None, Some(position)).await?);
        }
        if !new.slug.is_empty() {
            return store::insert(conn, &new).await;
        }
        new.slug = store::free_slug(conn, slug_candidates(&new.name, "2")).await?;
        store::insert(conn, &new).await.map_err(Error::retry_if_slug_taken)
    })
    .await
}

/// Updates a category, or moves it with its descendants; without a position it becomes the last child of a new parent.
/// # Errors
/// FORBIDDEN without [`Permission::ManageCatalogue`]; user errors for invalid fields; CYCLE if its new parent is itself
/// or a descendant.
pub async fn update(db: &Db, viewer: &Viewer, id: CategoryId, patch: CategoryPatch) -> Result<CategoryRow> {
    viewer.require_any(&[Permission::ManageCatalogue])?;
    let patch = patch.checked()?;
    let updated = db.transaction(async |conn| {
        let mut patch = patch.clone();
        if patch.parent_id.is_some() || patch.position.is_some() {
            store::lock_moves(conn).await?;
            let Some(row) = store::by_ids(conn, &[id]).await?.pop() else { return Ok(None) };
            let parent = patch.parent_id.unwrap_or(row.parent_id);
            if parent != row.parent_id || patch.position.is_some() {
                patch.position = Some(make_room(conn, parent, Some(id), patch.position).await?);
            }
        }
        store::update(conn, id, &patch).await
    });
    updated.await?.ok_or_else(|| Error::not_found("id", "category"))
}

/// Returns the position of a category below this parent: the requested one, from which siblings are shifted, or the one
/// after all siblings. The caller holds the lock of moves.
async fn make_room(
    conn: &Conn,
    parent: Option<CategoryId>,
    category: Option<CategoryId>,
    requested: Option<i32>,
) -> Result<i32> {
    let mut siblings = store::positions(conn, parent).await?;
    siblings.retain(|(sibling, _)| Some(*sibling) != category);
    let (position, pushed) = match requested {
        Some(position) => claim_position(&siblings, position),
        None => allocate_position(&siblings, siblings.len()),
    };
    store::update_positions(conn, &pushed).await?;
    Ok(position)
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
