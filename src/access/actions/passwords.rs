//! Password resets and password changes.
//! Rule: a new password ends all other sessions and is confirmed by email; a reset request gets the same response for
//! every email address.

use serde::Deserialize;
use serde_json::json;

use super::{
    cache::refresh_cache,
    emails::{can_send, invalid_token, lock_active_user, redeem_token, send_password_changed, send_password_reset},
    enqueue_job,
    login::end_other_sessions,
    throttle,
};
use crate::{
    access::{
        model::{Purpose, throttle::AttemptKind},
        store::{keys, tokens},
    },
    auth::{Passwords, PermissionCache, RequestOrigin, Scope, Viewer, secret},
    config::AttemptSettings,
    db::Db,
    error::{Error, Result, UserErrorCode},
    ids::{RowId, UserId, WebsiteId},
    jobs::model::{JobInfo, JobRow},
    text::{self, MAX_PASSWORD},
    users::{self, model::UserRow},
};

/// The job.
pub const JOB: JobInfo = JobInfo::queued("password_forgot", "Sends the email for resetting a password.");

/// Payload of such a job.
#[derive(Deserialize)]
struct Payload {
    email: String,
    website: Option<WebsiteId>,
}

/// Requests a password reset email, sent in the name of this website.
/// # Errors
/// INVALID if the email address is malformed; [`Error::TooManyAttempts`].
pub async fn request_reset(
    db: &Db,
    attempts: &AttemptSettings,
    origin: &RequestOrigin,
    email: &str,
    website: Option<WebsiteId>,
) -> Result<()> {
    let email = text::normalize_email("email", email)?;
    throttle::count_attempt(db, attempts, AttemptKind::PasswordForgot, origin, Some(&email)).await?;
    enqueue_job(db, JOB.kind, None, json!({ "email": email, "website": website })).await
}

/// Sends the email of a job, unless no active account has the address or too many emails were sent. Without an account, an
/// imported customer with the address becomes one.
/// # Errors
/// Database errors.
pub async fn run(db: &Db, job: &JobRow) -> Result<()> {
    let Payload { email, website } = job.payload()?;
    db.transaction(async |conn| {
        let found = match users::store::find_login(conn, &email).await? {
            Some((found, _)) => Some(found),
            None => users::store::update_imported_email(conn, &email).await?,
        };
        let Some(found) = found else { return Ok(()) };
        match lock_active_user(conn, found.id).await? {
            Some(user) if can_send(conn, user.id, Purpose::ResetPassword).await? => {
                send_password_reset(conn, &user, website).await
            }
            _ => Ok(()),
        }
    })
    .await
}

/// Sets a new password with a token sent by email, verifies the email address, and ends all sessions. If a
/// stranger registered the account, what they prepared ends, too: API keys, and a change of the address.
/// # Errors
/// INVALID_TOKEN; user errors for the password, after which the token can still be used.
pub async fn reset(
    db: &Db,
    passwords: &Passwords,
    cache: &PermissionCache,
    origin: &RequestOrigin,
    token: &str,
    password: String,
) -> Result<UserRow> {
    text::check_password_length("password", &password)?;
    // Hashing is expensive: check the token first.
    let user = find_token_user(db, token).await?.ok_or_else(invalid_token)?;
    let about = [Some(user.name.as_str()), user.shown_email()].into_iter().flatten().map(ToOwned::to_owned).collect();
    let hash = passwords.check_and_hash("password", password, about).await?;
    let user = db
        .transaction(async |conn| {
            let (user, _) = redeem_token(conn, Purpose::ResetPassword, token).await?;
            if user.email_verified_at.is_none() {
                keys::delete_by_user(conn, user.id).await?;
                tokens::update_void(conn, user.id, Purpose::ChangeEmail).await?;
            }
            users::store::update_password(conn, user.id, &hash).await?;
            let user = users::store::update_verified(conn, user.id).await?;
            tokens::update_void(conn, user.id, Purpose::ResetPassword).await?;
            end_other_sessions(conn, user.id, None).await?;
            throttle::clear_account(conn, origin, user.id, user.email.as_deref()).await?;
            send_password_changed(conn, &user, origin).await?;
            Ok(user)
        })
        .await?;
    refresh_cache(db, cache).await?;
    Ok(user)
}

async fn find_token_user(db: &Db, token: &str) -> Result<Option<UserRow>> {
    let hash = secret::hash(token);
    let found = db.read(async |conn| tokens::find_user(conn, Purpose::ResetPassword, &hash).await).await?;
    let Some(id) = found else { return Ok(None) };
    Ok(db.read(async |conn| users::store::by_ids(conn, &Scope::All, &[id]).await).await?.pop())
}

/// Changes the viewer's password and ends all their sessions except the current one.
/// # Errors
/// UNAUTHENTICATED for anonymous viewers, FORBIDDEN for API keys; INVALID_CREDENTIALS if the current password is wrong;
/// user errors for the new password; [`Error::TooManyAttempts`].
pub async fn change(
    db: &Db,
    attempts: &AttemptSettings,
    passwords: &Passwords,
    cache: &PermissionCache,
    viewer: &Viewer,
    origin: &RequestOrigin,
    current: String,
    new: String,
) -> Result<UserRow> {
    let (me, session) = viewer.require_session()?;
    text::check_password_length("newPassword", &new)?;
    let before = verify_password(db, attempts, passwords, me, current).await?;
    let user = db.read(async |conn| users::store::by_ids(conn, &Scope::All, &[me]).await).await?.pop();
    let user = user.ok_or_else(wrong_password)?;
    let about = [Some(user.name), user.email].into_iter().flatten().collect();
    let hash = passwords.check_and_hash("newPassword", new, about).await?;
    let user = db
        .transaction(async |conn| {
            let user = lock_active_user(conn, me).await?.ok_or_else(wrong_password)?;
            // Check again: the password may have changed while the new one was hashed.
            if users::store::find_password(conn, me).await?.as_ref() != Some(&before) {
                return Err(wrong_password());
            }
            users::store::update_password(conn, me, &hash).await?;
            tokens::update_void(conn, me, Purpose::ResetPassword).await?;
            end_other_sessions(conn, me, Some(session)).await?;
            send_password_changed(conn, &user, origin).await?;
            Ok(user)
        })
        .await?;
    refresh_cache(db, cache).await?;
    Ok(user)
}

/// Checks the password of a logged-in user and returns its hash. A session alone does not prove who uses the device.
/// # Errors
/// INVALID_CREDENTIALS for `password`; [`Error::TooManyAttempts`].
pub async fn verify_password(
    db: &Db,
    attempts: &AttemptSettings,
    passwords: &Passwords,
    user: UserId,
    password: String,
) -> Result<String> {
    // Passwords are never this long, and hashing them would be expensive.
    if password.chars().nth(MAX_PASSWORD).is_some() {
        return Err(wrong_password());
    }
    // Throttled: a stolen token must not allow guessing the password.
    let (kind, nowhere, user_id) = (AttemptKind::PasswordCheck, RequestOrigin::default(), user.to_global_id());
    let attempt = throttle::count_attempt(db, attempts, kind, &nowhere, Some(&user_id)).await?;
    let hash = db.read(async |conn| users::store::find_password(conn, user).await).await?;
    let checked = passwords.verify(password, hash.clone()).await;
    if !matches!(checked, Ok(false)) {
        db.transaction(async |conn| throttle::undo_attempt(conn, &attempt).await).await?;
    }
    if checked? { hash.ok_or_else(wrong_password) } else { Err(wrong_password()) }
}

fn wrong_password() -> Error {
    Error::user(UserErrorCode::InvalidCredentials, "password", "the password is incorrect")
}
