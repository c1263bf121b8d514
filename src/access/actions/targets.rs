//! The user that a mutation changes.
//! Rule: a viewer changes no other user who has a permission that the viewer lacks. Every mutation that takes a user, or
//! something that belongs to a user, locks the user with [`lock_target`].

use crate::{
    access::store::roles,
    auth::{Permission, Viewer},
    db::Conn,
    error::{Error, Result, UserErrorCode},
    ids::UserId,
    users::{self, model::UserRow},
};

/// Returns and locks a user that the viewer may change: the viewer or, with [`Permission::ManageUsers`], a visible user
/// who has no permission that the viewer lacks. `field` is the input field with the user's ID.
/// # Errors
/// NOT_FOUND for a user who is not visible to the viewer; PERMISSION_NOT_HELD for a user who has a permission that the
/// viewer lacks.
pub async fn lock_target(conn: &Conn, viewer: &Viewer, id: UserId, field: &'static str) -> Result<UserRow> {
    let scope = viewer.scope(Permission::ManageUsers);
    let user = users::store::lock(conn, &scope, id).await?.ok_or_else(|| Error::not_found(field, "user"))?;
    if viewer.user_id() != Some(id) {
        require_covered(conn, viewer, &user, field).await?;
    }
    Ok(user)
}

/// Checks that a user's role grants nothing that the viewer does not hold.
/// # Errors
/// PERMISSION_NOT_HELD otherwise.
pub(super) async fn require_covered(conn: &Conn, viewer: &Viewer, user: &UserRow, field: &'static str) -> Result<()> {
    let role = roles::by_ids(conn, &[user.role_id]).await?.pop();
    if role.is_some_and(|role| role.is_covered_by(viewer)) {
        return Ok(());
    }
    Err(Error::user(UserErrorCode::PermissionNotHeld, field, "this user has permissions that you do not have"))
}
