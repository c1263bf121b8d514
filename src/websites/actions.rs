//! Use cases of websites.

use super::{
    model::{NewWebsite, WebsitePatch, WebsiteRow, origin},
    store,
};
use crate::{
    auth::{Permission, Viewer},
    db::Db,
    error::{Error, Result, UserError, UserErrorCode},
    ids::WebsiteId,
    text::{Validator, contains_url},
};

/// Creates a website.
/// # Errors
/// FORBIDDEN without [`Permission::ManageWebsites`]; user errors for invalid fields.
pub async fn create(db: &Db, viewer: &Viewer, new: NewWebsite) -> Result<WebsiteRow> {
    viewer.require_any(&[Permission::ManageWebsites])?;
    if is_limited(viewer) {
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
/// FORBIDDEN without [`Permission::ManageWebsites`]; PERMISSION_NOT_HELD for a new host, or a URL in the name, if the role is
/// limited to certain websites; user errors for invalid fields.
pub async fn update(db: &Db, viewer: &Viewer, id: WebsiteId, patch: WebsitePatch) -> Result<WebsiteRow> {
    require_access(viewer, id)?;
    let patch = patch.checked()?;
    let updated = db
        .transaction(async |conn| {
            if is_limited(viewer) {
                let before = store::by_ids(conn, &[id]).await?.pop();
                check_limited(&patch, &before.ok_or_else(|| Error::not_found("id", "website"))?)?;
            }
            store::update(conn, id, &patch).await
        })
        .await?;
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

/// Returns whether the viewer's permissions are limited to certain websites.
fn is_limited(viewer: &Viewer) -> bool {
    viewer.identity().is_some_and(|identity| identity.websites.is_some())
}

/// Checks a change by a viewer whose role is limited to certain websites. Emails with tokens link to the host of a website
/// and have its name in their subject, so both decide where a customer enters a new password.
fn check_limited(patch: &WebsitePatch, before: &WebsiteRow) -> Result<()> {
    let mut validator = Validator::new();
    let not_held = |field, rule| UserError::new(UserErrorCode::PermissionNotHeld, field, rule);
    if patch.base_url.as_deref().is_some_and(|url| origin(url) != origin(&before.base_url)) {
        let rule = "your role is limited to certain websites and can change only the path of the URL, not its host";
        validator.add(not_held("baseUrl", rule));
    }
    if patch.name.as_deref().is_some_and(|name| name != before.name && contains_url(name)) {
        let rule = "your role is limited to certain websites and cannot set a name that contains a URL";
        validator.add(not_held("name", rule));
    }
    validator.finish()
}

fn require_access(viewer: &Viewer, id: WebsiteId) -> Result<()> {
    viewer.require_any(&[Permission::ManageWebsites])?;
    if viewer.can_access_website(id) {
        return Ok(());
    }
    Err(Error::user(UserErrorCode::PermissionNotHeld, "id", "your role is limited to other websites"))
}
