//! Creation, update, deletion and assignment of roles.
//! Rule: viewers cannot grant permissions that they do not hold, and built-in roles cannot be changed.

use super::{
    cache::refresh_cache,
    targets::{lock_target, require_covered},
};
use crate::{
    access::{
        model::{NewRole, Role, RolePatch, reaches},
        store::roles,
    },
    auth::{Permission, PermissionCache, Permissions, Viewer},
    db::{Conn, Db},
    error::{Error, Result, UserErrorCode},
    ids::{CodeOrId, RoleId, UserId, WebsiteId},
    users::{self, model::UserRow},
};

/// Maximum number of websites that a role can be restricted to.
pub const MAX_WEBSITES: usize = 100;

/// Changes to a role's permissions and websites; absent fields keep their values.
#[derive(Debug, Clone, Default)]
pub struct GrantPatch {
    /// Permissions that it grants.
    pub permissions: Option<Permissions>,
    /// Websites that it is restricted to; empty for all websites.
    pub websites: Option<Vec<WebsiteId>>,
}

/// Creates a role.
/// # Errors
/// FORBIDDEN without [`Permission::ManageRoles`]; PERMISSION_NOT_HELD for more than the viewer holds; user errors
/// for invalid fields.
pub async fn create(
    db: &Db,
    cache: &PermissionCache,
    viewer: &Viewer,
    new: NewRole,
    grant: GrantPatch,
) -> Result<Role> {
    viewer.require_any(&[Permission::ManageRoles])?;
    let new = new.checked()?;
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

/// Updates a role. Removed permissions take effect at once, added ones when a token is refreshed.
/// # Errors
/// FORBIDDEN without [`Permission::ManageRoles`]; NOT_FOUND; PROTECTED for a built-in role; PERMISSION_NOT_HELD if
/// the role grants or would grant more than the viewer holds; user errors for invalid fields.
pub async fn update(
    db: &Db,
    cache: &PermissionCache,
    viewer: &Viewer,
    id: RoleId,
    patch: RolePatch,
    grant: GrantPatch,
) -> Result<Role> {
    viewer.require_any(&[Permission::ManageRoles])?;
    let patch = patch.checked()?;
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

/// Deletes a role that no user has.
/// # Errors
/// FORBIDDEN without [`Permission::ManageRoles`]; NOT_FOUND; PROTECTED for a built-in role; PERMISSION_NOT_HELD;
/// IN_USE.
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

/// Assigns a role to a user. Existing tokens are restricted to its permissions at once.
/// # Errors
/// FORBIDDEN without [`Permission::ManageRoles`]; NOT_FOUND for a user that the viewer may not see, and for an unknown
/// role; PERMISSION_NOT_HELD if the user holds, or the role grants, more than the viewer holds; PROTECTED for the
/// last admin.
pub async fn assign(
    db: &Db,
    cache: &PermissionCache,
    viewer: &Viewer,
    user: UserId,
    role: &CodeOrId<RoleId>,
) -> Result<UserRow> {
    viewer.require_any(&[Permission::ManageRoles])?;
    let changed = db
        .transaction(async |conn| {
            let user = lock_target(conn, viewer, user, "userId").await?;
            let after = roles::find(conn, role).await?.ok_or_else(|| Error::not_found("role", "role"))?;
            // An API key does not change the role of its owner, who holds more than the key.
            require_covered(conn, viewer, &user, "userId").await?;
            if !after.is_covered_by(viewer) {
                return Err(Error::user(
                    UserErrorCode::PermissionNotHeld,
                    "role",
                    "this role has permissions that you do not have",
                ));
            }
            if user.role_id == after.row.id {
                return Ok(user);
            }
            users::store::update_role(conn, user.id, after.row.id).await
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
            "built-in roles cannot be changed; create a new role instead",
        ));
    }
    if !role.is_covered_by(viewer) {
        return Err(Error::user(
            UserErrorCode::PermissionNotHeld,
            "id",
            "this role has permissions that you do not have",
        ));
    }
    Ok(role)
}

async fn reread(conn: &Conn, id: RoleId) -> Result<Role> {
    roles::by_ids(conn, &[id])
        .await?
        .pop()
        .ok_or_else(|| Error::Internal("the role was not found after the write".into()))
}

fn check_grant(viewer: &Viewer, permissions: Permissions, websites: &[WebsiteId]) -> Result<()> {
    if websites.len() > MAX_WEBSITES {
        let rule = format!("must have at most {MAX_WEBSITES} websites");
        return Err(Error::user(UserErrorCode::OutOfRange, "websites", rule));
    }
    if !viewer.permissions().contains_all(permissions) {
        return Err(Error::user(
            UserErrorCode::PermissionNotHeld,
            "permissions",
            "a role cannot have permissions that you do not have",
        ));
    }
    // A role without permissions too: whoever adds some later may not look at its websites.
    if !reaches(viewer, (!websites.is_empty()).then_some(websites)) {
        return Err(Error::user(
            UserErrorCode::PermissionNotHeld,
            "websites",
            "your role is limited to other websites",
        ));
    }
    Ok(())
}
