//! Registering, logging in, and what staff do with accounts.

use uuid::Uuid;

use super::{
    model::{CUSTOMER, NewAccount, Role},
    store,
};
use crate::{
    auth::{Identity, Issued, JwtKeys, Passwords, Permission, Viewer},
    db::{Conn, Db},
    error::{Error, Result, UserErrorCode},
    ids::{RoleId, UserId},
    users::{
        self,
        model::{NewUser, UserPatch, UserRow},
    },
};

/// Makes an account with the customer's role.
/// # Errors
/// User errors of the fields; TAKEN for the e-mail address.
pub async fn register(db: &Db, passwords: &Passwords, new: NewAccount) -> Result<UserRow> {
    new.check()?;
    // What customers hold is the shop's choice: nobody grants it here.
    insert(db, passwords, None, new, None).await
}

/// Makes an account for somebody else, with the customer's role unless another is given.
/// # Errors
/// FORBIDDEN without [`Permission::ManageUsers`]; user errors of the fields; NOT_YOURS for a role that gives more than
/// the viewer holds.
pub async fn create_user(
    db: &Db,
    passwords: &Passwords,
    viewer: &Viewer,
    new: NewAccount,
    role: Option<String>,
) -> Result<UserRow> {
    viewer.require_any(&[Permission::ManageUsers])?;
    new.check()?;
    insert(db, passwords, Some(viewer), new, role).await
}

async fn insert(
    db: &Db,
    passwords: &Passwords,
    granter: Option<&Viewer>,
    new: NewAccount,
    role: Option<String>,
) -> Result<UserRow> {
    let password_hash = match new.password.clone() {
        Some(password) => Some(passwords.hash(password).await?),
        None => None,
    };
    db.transaction(async |conn| {
        let code = role.as_deref().unwrap_or(CUSTOMER);
        let role = store::find_by_code(conn, code).await?.ok_or_else(|| Error::not_found("role", "role"))?;
        if granter.is_some_and(|granter| !granter.permissions().covers(role.permissions)) {
            return Err(Error::user(UserErrorCode::NotYours, "role", "this role gives more than you hold"));
        }
        let user = NewUser {
            name: new.name.trim().to_owned(),
            phone: new.phone.clone(),
            email: Some(new.email.clone()),
            password_hash: password_hash.clone(),
            role_id: role.row.id,
            source_website_id: new.source_website,
        };
        users::store::insert(conn, &user).await.map_err(|error| {
            error.on_constraint("users_source_website_id_fkey", || {
                crate::error::UserError::new(UserErrorCode::NotFound, "sourceWebsiteId", "there is no such website")
            })
        })
    })
    .await
}

/// Changes a user: themself, or somebody else for staff.
/// # Errors
/// UNAUTHENTICATED for the anonymous; NOT_FOUND for a user that is not the viewer's to see; NOT_YOURS for one who holds
/// more than the viewer, and for an own e-mail address, which needs confirmation; user errors of the fields.
pub async fn update_user(db: &Db, viewer: &Viewer, id: UserId, patch: UserPatch) -> Result<UserRow> {
    let me = viewer.require_user()?;
    patch.check()?;
    if patch.email.is_some() && !viewer.can(Permission::ManageUsers) {
        return Err(Error::user(UserErrorCode::NotYours, "email", "only staff may change an e-mail address"));
    }
    db.transaction(async |conn| {
        let user = locked(conn, viewer, id).await?;
        if id != me {
            require_cover(conn, viewer, user.role_id).await?;
        }
        if patch.is_empty() { Ok(user) } else { users::store::update(conn, id, &patch).await }
    })
    .await
}

/// Deactivates a user: gone from lists and logins, still there on orders.
/// # Errors
/// As [`update_user`].
pub async fn deactivate_user(db: &Db, viewer: &Viewer, id: UserId) -> Result<UserRow> {
    update_user(db, viewer, id, UserPatch { is_active: Some(false), ..UserPatch::default() }).await
}

async fn locked(conn: &Conn, viewer: &Viewer, id: UserId) -> Result<UserRow> {
    let missing = || Error::not_found("id", "user");
    if Some(id) != viewer.user_id() && !viewer.can(Permission::ManageUsers) {
        return Err(missing());
    }
    users::store::lock(conn, id).await?.ok_or_else(missing)
}

async fn require_cover(conn: &Conn, viewer: &Viewer, role: RoleId) -> Result<()> {
    let role = store::by_ids(conn, &[role]).await?.pop();
    if role.is_some_and(|role| viewer.permissions().covers(role.permissions)) {
        return Ok(());
    }
    Err(Error::user(UserErrorCode::NotYours, "id", "this user holds more permissions than you"))
}

/// What a login gives.
pub struct Login {
    /// Who logged in.
    pub user: UserRow,
    /// The access token.
    pub token: Issued,
}

/// Logs in. An unknown e-mail address, a wrong password and a deactivated account cost the same time and say the same.
/// # Errors
/// WRONG_CREDENTIALS.
pub async fn login(db: &Db, passwords: &Passwords, keys: &JwtKeys, email: &str, password: String) -> Result<Login> {
    let wrong = || Error::user(UserErrorCode::WrongCredentials, "email", "e-mail address or password is wrong");
    // Nothing that long is an address or a password, and hashing it would cost.
    if email.chars().count() > 254 || password.chars().count() > 200 {
        return Err(wrong());
    }
    let found = db.read(async |conn| users::store::find_login(conn, email).await).await?;
    let (user, hash) = found.map_or((None, None), |(user, hash)| (Some(user), hash));
    if !passwords.verify(password, hash).await? {
        return Err(wrong());
    }
    let user = user.ok_or_else(wrong)?;
    let role = role(db, user.role_id).await?;
    let identity = Identity {
        user: user.id,
        session: Uuid::new_v4().to_string(),
        role: role.row.code,
        permissions: role.permissions,
    };
    Ok(Login { token: keys.issue(&identity)?, user })
}

async fn role(db: &Db, id: RoleId) -> Result<Role> {
    let role = db.read(async |conn| Ok(store::by_ids(conn, &[id]).await?.pop())).await?;
    role.ok_or_else(|| Error::Internal("a user without a role".into()))
}
