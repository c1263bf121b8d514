//! Use cases of the identities of users on websites.
//! Rule: imports from a website find users by their identity there, so only staff of the website set it.

use super::targets::lock_target;
use crate::{
    auth::{Permission, Viewer},
    db::{Conn, Db},
    error::{Error, Result, UserErrorCode},
    ids::{RowId, UserId, WebsiteId},
    sources::{
        self,
        model::{NewSource, SourceType},
    },
    text::Validator,
    users::model::UserRow,
};

/// Adds the identity of a user on a website: the external id that the website uses for them.
/// # Errors
/// FORBIDDEN without [`Permission::ManageUsers`]; NOT_FOUND for a user that the viewer may not see;
/// PERMISSION_NOT_HELD for a website outside the viewer's role, and
/// for a user who holds more than the viewer; TAKEN if the user already has an identity there,
/// or another user has this external id.
pub async fn add_identity(
    db: &Db,
    viewer: &Viewer,
    id: UserId,
    website: WebsiteId,
    external_id: String,
) -> Result<UserRow> {
    require_reach(viewer, website)?;
    let (mut validator, mut external_id) = (Validator::new(), external_id);
    validator.text("externalId", &mut external_id, 255);
    validator.finish()?;
    let new = NewSource {
        resource_type: SourceType::User,
        resource_id: id.key(),
        website_id: website,
        external_id: Some(external_id),
    };
    db.transaction(async |conn| {
        let user = lock_user(conn, viewer, id).await?;
        sources::store::insert(conn, &new).await?;
        Ok(user)
    })
    .await
}

/// Removes the identity of a user on a website.
/// # Errors
/// As [`add_identity`]; also NOT_FOUND if the user has no identity there.
pub async fn remove_identity(db: &Db, viewer: &Viewer, id: UserId, website: WebsiteId) -> Result<UserRow> {
    require_reach(viewer, website)?;
    db.transaction(async |conn| {
        let user = lock_user(conn, viewer, id).await?;
        match sources::store::delete(conn, SourceType::User, id.key(), website).await? {
            true => Ok(user),
            false => Err(Error::not_found("websiteId", "identity of this user")),
        }
    })
    .await
}

fn require_reach(viewer: &Viewer, website: WebsiteId) -> Result<()> {
    viewer.require_any(&[Permission::ManageUsers])?;
    match viewer.can_access_website(website) {
        true => Ok(()),
        false => {
            Err(Error::user(UserErrorCode::PermissionNotHeld, "websiteId", "your role is limited to other websites"))
        }
    }
}

/// Returns and locks a user who was not erased.
async fn lock_user(conn: &Conn, viewer: &Viewer, id: UserId) -> Result<UserRow> {
    let user = lock_target(conn, viewer, id, "userId").await?;
    Some(user).filter(|user| user.erased_at.is_none()).ok_or_else(|| Error::not_found("userId", "user"))
}
