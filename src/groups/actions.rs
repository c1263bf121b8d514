//! Use cases of product groups.
//! Rule: a group belongs to a website; staff who manage its products also manage its groups.

use super::{
    model::{NewProductGroup, ProductGroupPatch, ProductGroupRow},
    store,
};
use crate::{
    auth::{Permission, Viewer},
    db::{Conn, Db},
    error::{Error, Result, UserErrorCode},
    ids::ProductGroupId,
    text::slug_candidates,
};

/// Creates a group without products. Without a slug, one is derived from the name.
/// # Errors
/// FORBIDDEN without [`Permission::ManageProducts`]; user errors for invalid fields.
pub async fn create(db: &Db, viewer: &Viewer, new: NewProductGroup) -> Result<ProductGroupRow> {
    viewer.require_any(&[Permission::ManageProducts])?;
    if !viewer.can_access_website(new.source_website_id) {
        return Err(Error::user(
            UserErrorCode::PermissionNotHeld,
            "sourceWebsiteId",
            "your role is limited to other websites",
        ));
    }
    let new = new.checked()?;
    db.transaction(async |conn| {
        if !new.slug.is_empty() {
            return store::insert(conn, &new).await;
        }
        let slug = store::free_slug(conn, slug_candidates(&new.name, "2")).await?;
        store::insert(conn, &NewProductGroup { slug, ..new.clone() }).await.map_err(Error::retry_if_slug_taken)
    })
    .await
}

/// Updates a group.
/// # Errors
/// FORBIDDEN without [`Permission::ManageProducts`]; NOT_FOUND for a group of a website outside the viewer's role; user
/// errors for invalid fields.
pub async fn update(db: &Db, viewer: &Viewer, id: ProductGroupId, patch: ProductGroupPatch) -> Result<ProductGroupRow> {
    viewer.require_any(&[Permission::ManageProducts])?;
    let patch = patch.checked()?;
    db.transaction(async |conn| {
        let row = lock(conn, viewer, id).await?;
        if patch.is_empty() { Ok(row) } else { store::update(conn, id, &patch).await }
    })
    .await
}

/// Deletes a group without products.
/// # Errors
/// FORBIDDEN and NOT_FOUND as [`update`]; IN_USE if it has products.
pub async fn delete(db: &Db, viewer: &Viewer, id: ProductGroupId) -> Result<()> {
    viewer.require_any(&[Permission::ManageProducts])?;
    db.transaction(async |conn| {
        lock(conn, viewer, id).await?;
        store::delete(conn, id).await
    })
    .await
}

async fn lock(conn: &Conn, viewer: &Viewer, id: ProductGroupId) -> Result<ProductGroupRow> {
    let row = store::lock(conn, id).await?.filter(|row| viewer.can_access_website(row.source_website_id));
    row.ok_or_else(|| Error::not_found("id", "group"))
}
