//! The users whom a mutation acts on.
//! Rule: nobody acts on another user who holds more than they do. Every mutation that takes a user, or something that
//! belongs to one, locks the user with [`lock_target`].

use crate::{
    access::store::roles,
    auth::{Permission, Viewer},
    db::Conn,
    error::{Error, Result, UserErrorCode},
    ids::UserId,
    users::{self, model::UserRow},
};

/// Returns and locks a user whom the viewer may change: their own, or with [`Permission::ManageUsers`] a visible user who
/// holds no more than the viewer. `field` is the input that the user is given by.
/// # Errors
/// NOT_FOUND for a user that the viewer may not see; PERMISSION_NOT_HELD for a user who holds more than the viewer.
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
