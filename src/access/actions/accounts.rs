//! What staff do with accounts, and people with their own.

use super::{cache::refresh_cache, email_change::handle_staff_change, emails, login::end_other_sessions};
use crate::{
    access::{
        model::{ADMIN, CUSTOMER, NewAccount, Purpose},
        store::{roles, tokens},
    },
    auth::{Passwords, Permission, PermissionCache, Scope, Viewer},
    db::{Conn, Db},
    error::{Error, Result, UserError, UserErrorCode},
    ids::{RoleId, UserId},
    text,
    users::{
        self,
        model::{NewUser, UserPatch, UserRow},
    },
};

/// Makes an account for somebody else, with the customer's role unless another is given. They get a mail: to confirm their
/// address, or to choose a password where there is none.
/// # Errors
/// FORBIDDEN without [`Permission::ManageUsers`]; user errors of the fields; INSUFFICIENT_PERMISSIONS for a role that gives more than
/// the viewer holds.
pub async fn create_user(
    db: &Db,
    passwords: &Passwords,
    viewer: &Viewer,
    new: NewAccount,
    role: Option<String>,
) -> Result<UserRow> {
    viewer.require_any(&[Permission::ManageUsers])?;
    let reaches = match new.source_website {
        Some(website) => viewer.can_access_website(website),
        None => viewer.scope(Permission::ManageUsers) == Scope::All,
    };
    if !reaches {
        let rule = "your role is limited to some websites: name one of them";
        return Err(Error::user(UserErrorCode::InsufficientPermissions, "sourceWebsiteId", rule));
    }
    let new = new.checked()?;
    let password_hash = hash_password(passwords, &new).await?;
    db.transaction(async |conn| {
        let user = insert_user(conn, Some(viewer), &new, password_hash.as_deref(), role.as_deref()).await?;
        match &password_hash {
            Some(_) => emails::send_verification(conn, &user).await?,
            None => emails::send_invitation(conn, &user).await?,
        }
        Ok(user)
    })
    .await
}

/// Makes an account with the role `admin`, whose e-mail address counts as verified: for whoever runs the server.
/// # Errors
/// User errors of the fields; TAKEN for the e-mail address.
pub async fn create_admin(db: &Db, passwords: &Passwords, new: NewAccount) -> Result<UserRow> {
    let new = new.checked()?;
    let password_hash = hash_password(passwords, &new).await?;
    db.transaction(async |conn| {
        let user = insert_user(conn, None, &new, password_hash.as_deref(), Some(ADMIN)).await?;
        users::store::update_verified(conn, user.id).await
    })
    .await
}

/// Gives an account a new password and ends its sessions: for whoever runs the server. Running servers notice within
/// two seconds.
/// # Errors
/// User errors of the password; NOT_FOUND for the e-mail address.
pub async fn reset_password(db: &Db, passwords: &Passwords, email: &str, password: String) -> Result<UserRow> {
    text::check_password_length("password", &password)?;
    let email = text::normalize_email("email", email)?;
    let found = db.read(async |conn| users::store::find_login(conn, &email).await).await?;
    let (user, _) = found.ok_or_else(|| Error::not_found("email", "active user"))?;
    let hash = passwords.check_and_hash("password", password, vec![user.name.clone(), email]).await?;
    db.transaction(async |conn| {
        end_other_sessions(conn, user.id, None).await?;
        // Whoever asked for a link before must not use it now.
        tokens::update_void(conn, user.id, Purpose::ResetPassword).await?;
        users::store::update_password(conn, user.id, &hash).await
    })
    .await
}

/// The hash of a new account's password, where it has one.
pub(super) async fn hash_password(passwords: &Passwords, new: &NewAccount) -> Result<Option<String>> {
    let Some(password) = new.password.clone() else { return Ok(None) };
    let about = vec![new.name.clone(), new.email.clone()];
    Ok(Some(passwords.check_and_hash("password", password, about).await?))
}

/// Adds a user within the caller's transaction, with the customer's role unless another is given. Without a granter, nobody
/// grants it.
pub(super) async fn insert_user(
    conn: &Conn,
    granter: Option<&Viewer>,
    new: &NewAccount,
    password_hash: Option<&str>,
    role: Option<&str>,
) -> Result<UserRow> {
    let code = role.unwrap_or(CUSTOMER);
    let role = roles::find_by_code(conn, code).await?.ok_or_else(|| Error::not_found("role", "role"))?;
    if granter.is_some_and(|granter| !role.is_covered_by(granter)) {
        return Err(Error::user(UserErrorCode::InsufficientPermissions, "role", "this role gives more than you hold"));
    }
    let user = NewUser {
        name: new.name.trim().to_owned(),
        phone: new.phone.clone(),
        email: Some(new.email.clone()),
        password_hash: password_hash.map(ToOwned::to_owned),
        role_id: role.row.id,
        source_website_id: new.source_website,
    };
    users::store::insert(conn, &user).await.map_err(|error| {
        error.on_constraint("users_source_website_id_fkey", || {
            UserError::new(UserErrorCode::NotFound, "sourceWebsiteId", "there is no such website")
        })
    })
}

/// Changes a user: themself, or somebody else for staff. A new e-mail address has to be confirmed, and the old one is told.
/// # Errors
/// UNAUTHENTICATED for the anonymous, FORBIDDEN for an API key of the user themself; NOT_FOUND for a user that is not the
/// viewer's to see; INSUFFICIENT_PERMISSIONS for one who holds more than the viewer, and for an e-mail address where the viewer is not
/// staff; user errors of the fields.
pub async fn update_user(db: &Db, viewer: &Viewer, id: UserId, patch: UserPatch) -> Result<UserRow> {
    let me = viewer.require_user()?;
    let patch = patch.checked()?;
    if patch.email.is_some() && !viewer.can(Permission::ManageUsers) {
        let rule = "only staff may change an e-mail address so: your own is changed by emailChange";
        return Err(Error::user(UserErrorCode::InsufficientPermissions, "email", rule));
    }
    if id == me {
        // Whoever has the address can have the account; and a machine has no business with either.
        viewer.require_session()?;
    }
    db.transaction(async |conn| {
        let user = lock_user(conn, viewer, id).await?;
        if id != me {
            require_role_covered(conn, viewer, user.role_id).await?;
        }
        if patch.is_empty() {
            return Ok(user);
        }
        let changed = users::store::update(conn, id, &patch).await?;
        handle_staff_change(conn, &user, changed).await
    })
    .await
}

/// Deactivates a user: gone from lists, logged out everywhere, still there on orders.
/// # Errors
/// As [`update_user`]; PROTECTED for the last admin.
pub async fn deactivate_user(db: &Db, cache: &PermissionCache, viewer: &Viewer, id: UserId) -> Result<UserRow> {
    let me = viewer.require_user()?;
    if id == me {
        viewer.require_session()?;
    }
    let user = db
        .transaction(async |conn| {
            let user = lock_user(conn, viewer, id).await?;
            if id != me {
                require_role_covered(conn, viewer, user.role_id).await?;
            }
            end_other_sessions(conn, id, None).await?;
            let patch = UserPatch { is_active: Some(false), ..UserPatch::default() };
            users::store::update(conn, id, &patch).await
        })
        .await?;
    refresh_cache(db, cache).await?;
    Ok(user)
}

/// Lets a deactivated user in again.
/// # Errors
/// FORBIDDEN without [`Permission::ManageUsers`]; NOT_FOUND for a user that is not the viewer's to see, or erased;
/// INSUFFICIENT_PERMISSIONS for one who holds more than the viewer.
pub async fn reactivate_user(db: &Db, viewer: &Viewer, id: UserId) -> Result<UserRow> {
    viewer.require_any(&[Permission::ManageUsers])?;
    db.transaction(async |conn| {
        let user = lock_user(conn, viewer, id).await?;
        require_role_covered(conn, viewer, user.role_id).await?;
        if user.erased_at.is_some() {
            return Err(Error::not_found("id", "user"));
        }
        let patch = UserPatch { is_active: Some(true), ..UserPatch::default() };
        users::store::update(conn, id, &patch).await
    })
    .await
}

async fn lock_user(conn: &Conn, viewer: &Viewer, id: UserId) -> Result<UserRow> {
    let scope = viewer.scope(Permission::ManageUsers);
    users::store::lock(conn, &scope, id).await?.ok_or_else(|| Error::not_found("id", "user"))
}

/// Nobody acts on somebody who holds more than they do.
/// # Errors
/// INSUFFICIENT_PERMISSIONS.
pub async fn require_role_covered(conn: &Conn, viewer: &Viewer, role: RoleId) -> Result<()> {
    let role = roles::by_ids(conn, &[role]).await?.pop();
    if role.is_some_and(|role| role.is_covered_by(viewer)) {
        return Ok(());
    }
    Err(Error::user(UserErrorCode::InsufficientPermissions, "id", "this user holds more permissions than you"))
}
