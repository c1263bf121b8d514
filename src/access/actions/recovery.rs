//! Passwords that were forgotten, and those that are changed.
//! Rule: a new password ends every other session and is told by mail; asking for one answers the same for every address.

use serde::Deserialize;
use serde_json::json;

use super::{
    later,
    letters::{invalid, lock_active, may_send, password_changed, password_reset, redeem},
    live::catch_up,
    login::end_others,
    throttle,
};
use crate::{
    access::{
        model::{Purpose, throttle::Kind},
        store::tokens,
    },
    auth::{PermissionCache, RequestOrigin, Passwords, Scope, Viewer, secret},
    db::Db,
    error::{Error, Result, UserErrorCode},
    ids::{RowId, UserId, WebsiteId},
    jobs::model::JobRow,
    text::{self, MAX_PASSWORD},
    users::{self, model::UserRow},
};

/// The kind of the jobs that send the mail.
pub const KIND: &str = "password_forgot";

/// What such a job knows.
#[derive(Deserialize)]
struct Wanted {
    email: String,
    website: Option<WebsiteId>,
}

/// Asks for a mail to choose a new password, as the shop of this website.
/// # Errors
/// INVALID for what is no address; [`Error::TooManyAttempts`].
pub async fn forgot(db: &Db, origin: &RequestOrigin, email: &str, website: Option<WebsiteId>) -> Result<()> {
    let email = text::normalize_email("email", email)?;
    throttle::count(db, Kind::PasswordForgot, origin, Some(&email)).await?;
    later(db, KIND, None, json!({ "email": email, "website": website })).await
}

/// Sends the mail of a job: nothing where no active account has the address, or where enough mails were sent.
/// # Errors
/// Those of the database.
pub async fn run(db: &Db, job: &JobRow) -> Result<()> {
    let Wanted { email, website } = job.payload()?;
    db.transaction(async |conn| {
        let Some((found, _)) = users::store::find_login(conn, &email).await? else { return Ok(()) };
        match lock_active(conn, found.id).await? {
            Some(user) if may_send(conn, user.id, Purpose::ResetPassword).await? => {
                password_reset(conn, &user, website).await
            }
            _ => Ok(()),
        }
    })
    .await
}

/// Sets a new password by the token of a mail, which confirms the address too, and ends all sessions.
/// # Errors
/// INVALID_TOKEN; user errors of the password, which leave the token good.
pub async fn reset(
    db: &Db,
    passwords: &Passwords,
    live: &PermissionCache,
    origin: &RequestOrigin,
    token: &str,
    password: String,
) -> Result<UserRow> {
    text::check_password_length("password", &password)?;
    // No hash is computed for a token that is not good.
    let user = holder(db, token).await?.ok_or_else(invalid)?;
    let about = [Some(user.name), user.email].into_iter().flatten().collect();
    let hash = passwords.check_and_hash("password", password, about).await?;
    let user = db
        .transaction(async |conn| {
            let (user, _) = redeem(conn, Purpose::ResetPassword, token).await?;
            let user = users::store::update_password(conn, user.id, &hash).await?;
            let user = match user.email_verified_at {
                Some(_) => user,
                None => users::store::update_verified(conn, user.id).await?,
            };
            tokens::update_void(conn, user.id, Purpose::ResetPassword).await?;
            end_others(conn, user.id, None).await?;
            throttle::clear_account(conn, origin, user.id, user.email.as_deref()).await?;
            password_changed(conn, &user, origin).await?;
            Ok(user)
        })
        .await?;
    catch_up(db, live).await?;
    Ok(user)
}

async fn holder(db: &Db, token: &str) -> Result<Option<UserRow>> {
    let hash = secret::hash(token);
    let found = db.read(async |conn| tokens::find_user(conn, Purpose::ResetPassword, &hash).await).await?;
    let Some(id) = found else { return Ok(None) };
    Ok(db.read(async |conn| users::store::by_ids(conn, &Scope::All, &[id]).await).await?.pop())
}

/// Changes the viewer's password, and ends all their sessions but the present one.
/// # Errors
/// UNAUTHENTICATED for the anonymous, FORBIDDEN for an API key; INVALID_CREDENTIALS for the current password; user errors of
/// the new one; [`Error::TooManyAttempts`].
pub async fn change(
    db: &Db,
    passwords: &Passwords,
    live: &PermissionCache,
    viewer: &Viewer,
    origin: &RequestOrigin,
    current: String,
    new: String,
) -> Result<UserRow> {
    let (me, session) = viewer.require_session()?;
    text::check_password_length("newPassword", &new)?;
    let before = confirm(db, passwords, me, current).await?;
    let user = db.read(async |conn| users::store::by_ids(conn, &Scope::All, &[me]).await).await?.pop();
    let user = user.ok_or_else(wrong)?;
    let about = [Some(user.name), user.email].into_iter().flatten().collect();
    let hash = passwords.check_and_hash("newPassword", new, about).await?;
    let user = db
        .transaction(async |conn| {
            let user = lock_active(conn, me).await?.ok_or_else(wrong)?;
            // What was checked must still hold: the password may have changed while this one was hashed.
            if users::store::find_password(conn, me).await?.as_ref() != Some(&before) {
                return Err(wrong());
            }
            users::store::update_password(conn, me, &hash).await?;
            tokens::update_void(conn, me, Purpose::ResetPassword).await?;
            end_others(conn, me, Some(session)).await?;
            password_changed(conn, &user, origin).await?;
            Ok(user)
        })
        .await?;
    catch_up(db, live).await?;
    Ok(user)
}

/// Checks the password of a user who is logged in: who sits at an open device is not yet its owner. Gives its hash.
/// # Errors
/// INVALID_CREDENTIALS of `password`; [`Error::TooManyAttempts`].
pub async fn confirm(db: &Db, passwords: &Passwords, user: UserId, password: String) -> Result<String> {
    // Nothing that long is a password, and hashing it would cost.
    if password.chars().nth(MAX_PASSWORD).is_some() {
        return Err(wrong());
    }
    // Whoever found a token has not found the password yet.
    let attempt = throttle::count(db, Kind::PasswordCheck, &RequestOrigin::default(), Some(&user.to_global_id())).await?;
    let hash = db.read(async |conn| users::store::find_password(conn, user).await).await?;
    let checked = passwords.verify(password, hash.clone()).await;
    if !matches!(checked, Ok(false)) {
        db.transaction(async |conn| throttle::take_back(conn, &attempt).await).await?;
    }
    if checked? { hash.ok_or_else(wrong) } else { Err(wrong()) }
}

fn wrong() -> Error {
    Error::user(UserErrorCode::InvalidCredentials, "password", "the password is wrong")
}
