//! Administration of accounts by staff, and changes by users to their own account.

use super::{
    cache::refresh_cache,
    email_change::handle_staff_change,
    emails,
    invitations::{insert_invited, is_limited, update_address},
    login::end_other_sessions,
    targets::lock_target,
};
use crate::{
    access::{
        model::{ADMIN, CUSTOMER, NewAccount, Purpose},
        store::{roles, tokens},
    },
    auth::{Passwords, Permission, PermissionCache, Scope, Viewer},
    db::{Conn, Db},
    error::{Error, Result, UserError, UserErrorCode},
    ids::{CodeOrId, RoleId, UserId},
    text,
    users::{
        self,
        model::{NewUser, UserPatch, UserRow},
    },
};

/// Creates an account for another person; the default role is `customer`. They receive an email to verify their
/// address, or to choose a password if none is given. A viewer whose role is limited to certain websites gets the same result
/// whether or not an account of another website has the address.
/// # Errors
/// FORBIDDEN without [`Permission::ManageUsers`]; user errors for invalid fields; TAKEN for the email address;
/// PERMISSION_NOT_HELD if the role grants more than the viewer holds, and for a password if the viewer's role is limited.
pub async fn create_user(
    db: &Db,
    passwords: &Passwords,
    viewer: &Viewer,
    new: NewAccount,
    role: Option<CodeOrId<RoleId>>,
) -> Result<UserRow> {
    viewer.require_any(&[Permission::ManageUsers])?;
    let reaches = match new.source_website {
        Some(website) => viewer.can_access_website(website),
        None => viewer.scope(Permission::ManageUsers) == Scope::All,
    };
    if !reaches {
        let rule = "your role is limited to certain websites; select one of them";
        return Err(Error::user(UserErrorCode::PermissionNotHeld, "sourceWebsiteId", rule));
    }
    let new = new.checked()?;
    if is_limited(viewer) {
        if new.password.is_some() {
            // A login would tell whether the address was free.
            let rule = "your role is limited to certain websites; leave out the password, and the user is invited to choose one";
            return Err(Error::user(UserErrorCode::PermissionNotHeld, "password", rule));
        }
        return db
            .transaction(async |conn| {
                let user = new_user(conn, Some(viewer), &new, None, role.as_ref()).await?;
                insert_invited(conn, viewer, &NewUser { email: None, ..user }, &new.email).await.map_err(no_website)
            })
            .await;
    }
    let password_hash = hash_password(passwords, &new).await?;
    db.transaction(async |conn| {
        let user = insert_user(conn, Some(viewer), &new, password_hash.as_deref(), role.as_ref()).await?;
        match &password_hash {
            Some(_) => emails::send_verification(conn, &user).await?,
            None => emails::send_invitation(conn, &user).await?,
        }
        Ok(user)
    })
    .await
}

/// Creates an account with the role `admin` and a verified email address; for the command line.
/// # Errors
/// User errors for invalid fields; TAKEN for the email address.
pub async fn create_admin(db: &Db, passwords: &Passwords, new: NewAccount) -> Result<UserRow> {
    let new = new.checked()?;
    let password_hash = hash_password(passwords, &new).await?;
    db.transaction(async |conn| {
        let admin = CodeOrId::Code(ADMIN.to_owned());
        let user = insert_user(conn, None, &new, password_hash.as_deref(), Some(&admin)).await?;
        users::store::update_verified(conn, user.id).await
    })
    .await
}

/// Sets a new password for an account and ends its sessions; for the command line. Running servers notice within two
/// seconds.
/// # Errors
/// User errors for the password; NOT_FOUND if no active user has the email address.
pub async fn reset_password(db: &Db, passwords: &Passwords, email: &str, password: String) -> Result<UserRow> {
    text::check_password_length("password", &password)?;
    let email = text::normalize_email("email", email)?;
    let found = db.read(async |conn| users::store::find_login(conn, &email).await).await?;
    let (user, _) = found.ok_or_else(|| Error::not_found("email", "active user"))?;
    let hash = passwords.check_and_hash("password", password, vec![user.name.clone(), email]).await?;
    db.transaction(async |conn| {
        end_other_sessions(conn, user.id, None).await?;
        // Password reset links sent before must not work anymore.
        tokens::update_void(conn, user.id, Purpose::ResetPassword).await?;
        users::store::update_password(conn, user.id, &hash).await
    })
    .await
}

/// Returns the hash of a new account's password, if it has one.
pub(super) async fn hash_password(passwords: &Passwords, new: &NewAccount) -> Result<Option<String>> {
    let Some(password) = new.password.clone() else { return Ok(None) };
    let about = vec![new.name.clone(), new.email.clone()];
    Ok(Some(passwords.check_and_hash("password", password, about).await?))
}

/// Inserts a user within the caller's transaction; the default role is `customer`. Without a granter, the role is not
/// checked against anybody's permissions.
pub(super) async fn insert_user(
    conn: &Conn,
    granter: Option<&Viewer>,
    new: &NewAccount,
    password_hash: Option<&str>,
    role: Option<&CodeOrId<RoleId>>,
) -> Result<UserRow> {
    let user = new_user(conn, granter, new, password_hash, role).await?;
    users::store::insert(conn, &user).await.map_err(no_website)
}

/// Returns the user to insert, with a role that the granter may give.
async fn new_user(
    conn: &Conn,
    granter: Option<&Viewer>,
    new: &NewAccount,
    password_hash: Option<&str>,
    role: Option<&CodeOrId<RoleId>>,
) -> Result<NewUser> {
    let found = match role {
        Some(role) => roles::find(conn, role).await?,
        None => roles::find_by_code(conn, CUSTOMER).await?,
    };
    let role = found.ok_or_else(|| Error::not_found("role", "role"))?;
    if granter.is_some_and(|granter| !role.is_covered_by(granter)) {
        return Err(Error::user(
            UserErrorCode::PermissionNotHeld,
            "role",
            "this role has permissions that you do not have",
        ));
    }
    Ok(NewUser {
        name: new.name.clone(),
        phone: new.phone.clone(),
        email: Some(new.email.clone()),
        password_hash: password_hash.map(ToOwned::to_owned),
        role_id: role.row.id,
        source_website_id: new.source_website,
    })
}

fn no_website(error: Error) -> Error {
    error.on_constraint("users_source_website_id_fkey", || {
        UserError::new(UserErrorCode::NotFound, "sourceWebsiteId", "there is no such website")
    })
}

/// Updates the viewer's own user or, for staff, another user. A new email address must be verified, and the old address
/// is notified. A viewer whose role is limited to certain websites cannot change the address of an account.
/// # Errors
/// UNAUTHENTICATED for anonymous viewers, FORBIDDEN for an API key that acts for the user; NOT_FOUND for a user that
/// the viewer may not see; PERMISSION_NOT_HELD for a user who holds more than the viewer, and for an email address
/// if the viewer is not staff; user errors for invalid fields.
pub async fn update_user(db: &Db, viewer: &Viewer, id: UserId, patch: UserPatch) -> Result<UserRow> {
    let me = viewer.require_user()?;
    let country = phone_country(db, viewer, id, &patch).await?;
    let patch = patch.checked(country.as_deref())?;
    if patch.email.is_some() && !viewer.can(Permission::ManageUsers) {
        let rule = "only staff can change an email address here; use emailChange for your own";
        return Err(Error::user(UserErrorCode::PermissionNotHeld, "email", rule));
    }
    if id == me {
        // The email address gives access to the account, so an API key must not change it.
        viewer.require_session()?;
    }
    db.transaction(async |conn| {
        let user = lock_target(conn, viewer, id, "id").await?;
        let mut patch = patch.clone();
        // The address of an imported customer stays one that no account has confirmed.
        if patch.email.is_some() && patch.email.as_deref() == user.shown_email() {
            patch.email = None;
        }
        if patch.is_empty() {
            return Ok(user);
        }
        if let Some(email) = patch.email.clone().filter(|_| is_limited(viewer)) {
            return update_address(conn, viewer, &user, patch, &email).await;
        }
        let changed = users::store::update(conn, id, &patch).await?;
        handle_staff_change(conn, &user, changed).await
    })
    .await
}

/// Returns the country of the user's default address, if the patch has a phone number without country code.
async fn phone_country(db: &Db, viewer: &Viewer, id: UserId, patch: &UserPatch) -> Result<Option<String>> {
    if !patch.phone.iter().flatten().any(|phone| text::is_national_phone(phone)) {
        return Ok(None);
    }
    let scope = viewer.scope(Permission::ManageUsers);
    let addresses = db.read(async |conn| users::store::addresses_by_user_ids(conn, &scope, &[id]).await).await?;
    Ok(addresses.into_iter().find(|address| address.is_default).map(|address| address.fields.country))
}

/// Deactivates a user: hides them from lists and ends all sessions. Their orders still refer to them.
/// # Errors
/// As [`update_user`]; PROTECTED for the last admin.
pub async fn deactivate_user(db: &Db, cache: &PermissionCache, viewer: &Viewer, id: UserId) -> Result<UserRow> {
    let me = viewer.require_user()?;
    if id == me {
        viewer.require_session()?;
    }
    let user = db
        .transaction(async |conn| {
            lock_target(conn, viewer, id, "id").await?;
            end_other_sessions(conn, id, None).await?;
            let patch = UserPatch { is_active: Some(false), ..UserPatch::default() };
            users::store::update(conn, id, &patch).await
        })
        .await?;
    refresh_cache(db, cache).await?;
    Ok(user)
}

/// Reactivates a user.
/// # Errors
/// FORBIDDEN without [`Permission::ManageUsers`]; NOT_FOUND for a user that the viewer may not see, or that was erased;
/// PERMISSION_NOT_HELD for a user who holds more than the viewer.
pub async fn reactivate_user(db: &Db, viewer: &Viewer, id: UserId) -> Result<UserRow> {
    viewer.require_any(&[Permission::ManageUsers])?;
    db.transaction(async |conn| {
        let user = lock_target(conn, viewer, id, "id").await?;
        if user.erased_at.is_some() {
            return Err(Error::not_found("id", "user"));
        }
        let patch = UserPatch { is_active: Some(true), ..UserPatch::default() };
        users::store::update(conn, id, &patch).await
    })
    .await
}
