//! Use cases of websites.

use super::{
    model::{NewWebsite, WebsitePatch, WebsiteRow},
    store,
};
use crate::{
    auth::{Permission, Viewer},
    db::Db,
    error::{Error, Result, UserErrorCode},
    ids::WebsiteId,
};

/// Creates a website.
/// # Errors
/// FORBIDDEN without [`Permission::ManageWebsites`]; user errors for invalid fields.
pub async fn create(db: &Db, viewer: &Viewer, new: NewWebsite) -> Result<WebsiteRow> {
    viewer.require_any(&[Permission::ManageWebsites])?;
    if viewer.identity().is_some_and(|identity| identity.websites.is_some()) {
        return Err(Error::user(
            UserErrorCode::PermissionNotHeld,
            "",
            "your role is limited to certain websites and cannot create others",
        ));
    }
    let new = new.checked()?;
    db.transaction(async |conn| store::insert(conn, &new).await).await
}

/// Updates a website.
/// # Errors
/// FORBIDDEN without [`Permission::ManageWebsites`]; user errors for invalid fields.
pub async fn update(db: &Db, viewer: &Viewer, id: WebsiteId, patch: WebsitePatch) -> Result<WebsiteRow> {
    require_access(viewer, id)?;
    let patch = patch.checked()?;
    let updated = db.transaction(async |conn| store::update(conn, id, &patch).await).await?;
    updated.ok_or_else(|| Error::not_found("id", "website"))
}

/// Deletes a website that no product, order, user or other resource belongs to, with its search rules.
/// # Errors
/// FORBIDDEN without [`Permission::ManageWebsites`]; IN_USE if something belongs to it.
pub async fn delete(db: &Db, viewer: &Viewer, id: WebsiteId) -> Result<()> {
    require_access(viewer, id)?;
    match db.transaction(async |conn| store::delete(conn, id).await).await? {
        true => Ok(()),
        false => Err(Error::not_found("id", "website")),
    }
}

fn require_access(viewer: &Viewer, id: WebsiteId) -> Result<()> {
    viewer.require_any(&[Permission::ManageWebsites])?;
    if viewer.can_access_website(id) {
        return Ok(());
    }
    Err(Error::user(UserErrorCode::PermissionNotHeld, "id", "your role is limited to other websites"))
}
