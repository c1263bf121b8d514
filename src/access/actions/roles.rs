//! Roles: what they give, where, and to whom.
//! Rule: nobody grants more than they hold, and the built-in roles stay as they are.

use super::cache::refresh_cache;
use crate::{
    access::{
        model::{NewRole, Role, RolePatch, covers},
        store::roles,
    },
    auth::{Permission, PermissionCache, Permissions, Viewer},
    db::{Conn, Db},
    error::{Error, Result, UserErrorCode},
    ids::{RoleId, UserId, WebsiteId},
    users::{self, model::UserRow},
};

/// Most websites that a role is limited to.
pub const MAX_WEBSITES: usize = 100;

/// What a role is to give, and where; what is absent stays.
#[derive(Debug, Clone, Default)]
pub struct GrantPatch {
    /// What it gives.
    pub permissions: Option<Permissions>,
    /// Where; everywhere where empty.
    pub websites: Option<Vec<WebsiteId>>,
}

/// Makes a role.
/// # Errors
/// FORBIDDEN without [`Permission::ManageRoles`]; INSUFFICIENT_PERMISSIONS for more than the viewer holds; user errors of the fields.
pub async fn create(
    db: &Db,
    cache: &PermissionCache,
    viewer: &Viewer,
    new: NewRole,
    grant: GrantPatch,
) -> Result<Role> {
    viewer.require_any(&[Permission::ManageRoles])?;
    new.check()?;
    let (permissions, websites) = (grant.permissions.unwrap_or_default(), grant.websites.unwrap_or_default());
    check_grant(viewer, permissions, &websites)?;
    let role = db
        .transaction(async |conn| {
            let row = roles::insert(conn, &new).await?;
            roles::update_permissions(conn, row.id, permissions).await?;
            roles::update_websites(conn, row.id, &websites).await?;
            reread(conn, row.id).await
        })
        .await?;
    refresh_cache(db, cache).await?;
    Ok(role)
}

/// Changes a role: less counts at once, more when a token is renewed.
/// # Errors
/// FORBIDDEN without [`Permission::ManageRoles`]; NOT_FOUND; PROTECTED for a built-in role; INSUFFICIENT_PERMISSIONS where the role gave
/// or would give more than the viewer holds; user errors of the fields.
pub async fn update(
    db: &Db,
    cache: &PermissionCache,
    viewer: &Viewer,
    id: RoleId,
    patch: RolePatch,
    grant: GrantPatch,
) -> Result<Role> {
    viewer.require_any(&[Permission::ManageRoles])?;
    patch.check()?;
    let role = db
        .transaction(async |conn| {
            let role = lock_role(conn, viewer, id).await?;
            let permissions = grant.permissions.unwrap_or(role.permissions);
            let websites = match &grant.websites {
                Some(websites) => websites.clone(),
                None => role.websites.iter().flat_map(|websites| websites.iter()).copied().collect(),
            };
            check_grant(viewer, permissions, &websites)?;
            if patch != RolePatch::default() {
                roles::update(conn, id, &patch).await?;
            }
            roles::update_permissions(conn, id, permissions).await?;
            roles::update_websites(conn, id, &websites).await?;
            reread(conn, id).await
        })
        .await?;
    refresh_cache(db, cache).await?;
    Ok(role)
}

/// Deletes a role that nobody has.
/// # Errors
/// FORBIDDEN without [`Permission::ManageRoles`]; NOT_FOUND; PROTECTED for a built-in role; INSUFFICIENT_PERMISSIONS; IN_USE.
pub async fn delete(db: &Db, cache: &PermissionCache, viewer: &Viewer, id: RoleId) -> Result<Role> {
    viewer.require_any(&[Permission::ManageRoles])?;
    let role = db
        .transaction(async |conn| {
            let role = lock_role(conn, viewer, id).await?;
            roles::delete(conn, id).await?;
            Ok(role)
        })
        .await?;
    refresh_cache(db, cache).await?;
    Ok(role)
}

/// Gives a user another role. Their tokens hold no more than it gives, at once.
/// # Errors
/// FORBIDDEN without [`Permission::ManageRoles`]; NOT_FOUND for a user that is not the viewer's to see and for an unknown
/// role; INSUFFICIENT_PERMISSIONS where the user holds, or the role gives, more than the viewer holds; PROTECTED for the last admin.
pub async fn assign(db: &Db, cache: &PermissionCache, viewer: &Viewer, user: UserId, role: RoleId) -> Result<UserRow> {
    viewer.require_any(&[Permission::ManageRoles])?;
    let scope = viewer.scope(Permission::ManageUsers);
    let changed = db
        .transaction(async |conn| {
            let missing = || Error::not_found("userId", "user");
            let user = users::store::lock(conn, &scope, user).await?.ok_or_else(missing)?;
            let all = roles::by_ids(conn, &[user.role_id, role]).await?;
            let before = all.iter().find(|one| one.row.id == user.role_id);
            let after = all.iter().find(|one| one.row.id == role).ok_or_else(|| Error::not_found("roleId", "role"))?;
            if !before.is_some_and(|before| before.is_covered_by(viewer)) {
                return Err(Error::user(
                    UserErrorCode::InsufficientPermissions,
                    "userId",
                    "this user holds more than you",
                ));
            }
            if !after.is_covered_by(viewer) {
                return Err(Error::user(
                    UserErrorCode::InsufficientPermissions,
                    "roleId",
                    "this role gives more than you hold",
                ));
            }
            if user.role_id == role {
                return Ok(user);
            }
            users::store::update_role(conn, user.id, role).await
        })
        .await?;
    refresh_cache(db, cache).await?;
    Ok(changed)
}

async fn lock_role(conn: &Conn, viewer: &Viewer, id: RoleId) -> Result<Role> {
    let role = roles::lock(conn, id).await?.ok_or_else(|| Error::not_found("id", "role"))?;
    if role.row.is_builtin {
        return Err(Error::user(
            UserErrorCode::Protected,
            "id",
            "a built-in role stays as it is: make one of your own",
        ));
    }
    if !role.is_covered_by(viewer) {
        return Err(Error::user(UserErrorCode::InsufficientPermissions, "id", "this role gives more than you hold"));
    }
    Ok(role)
}

async fn reread(conn: &Conn, id: RoleId) -> Result<Role> {
    roles::by_ids(conn, &[id]).await?.pop().ok_or_else(|| Error::Internal("the role is gone".into()))
}

fn check_grant(viewer: &Viewer, permissions: Permissions, websites: &[WebsiteId]) -> Result<()> {
    if websites.len() > MAX_WEBSITES {
        let rule = format!("a role is limited to at most {MAX_WEBSITES} websites");
        return Err(Error::user(UserErrorCode::OutOfRange, "websites", rule));
    }
    if !viewer.permissions().contains_all(permissions) {
        return Err(Error::user(
            UserErrorCode::InsufficientPermissions,
            "permissions",
            "nobody grants more than they hold",
        ));
    }
    if !covers(viewer, permissions, (!websites.is_empty()).then_some(websites)) {
        return Err(Error::user(
            UserErrorCode::InsufficientPermissions,
            "websites",
            "your role is limited to other websites",
        ));
    }
    Ok(())
}
