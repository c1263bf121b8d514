//! Changes of an account's email address.
//! Rule: a new address takes effect when its owner confirms it or staff set it; the old address is notified. A job
//! checks whether the new address already has an account, so that neither the response nor its timing reveals it.

use serde::Deserialize;
use serde_json::json;

use super::{
    emails::{
        can_send, lock_active_user, redeem_token, send_address_taken, send_email_change, send_email_changed,
        send_verification,
    },
    enqueue_job,
    passwords::verify_password,
    throttle,
};
use crate::{
    access::{
        model::{Purpose, throttle::AttemptKind},
        store::tokens,
    },
    auth::{Passwords, RequestOrigin, Viewer},
    config::AttemptSettings,
    db::{Conn, Db},
    error::Result,
    ids::UserId,
    jobs::model::{JobInfo, JobRow},
    text,
    users::{self, model::UserRow},
};

/// The job.
pub const JOB: JobInfo = JobInfo::queued("email_change", "Sends the emails for changing an email address.");

/// Payload of such a job.
#[derive(Deserialize)]
struct Payload {
    user: UserId,
    email: String,
}

/// Requests a change of the viewer's email address; a confirmation email is sent to the new address.
/// # Errors
/// UNAUTHENTICATED for anonymous viewers, FORBIDDEN for API keys; INVALID if the address is malformed;
/// INVALID_CREDENTIALS if the password is wrong; [`Error::TooManyAttempts`](crate::error::Error::TooManyAttempts).
pub async fn request(
    db: &Db,
    attempts: &AttemptSettings,
    passwords: &Passwords,
    viewer: &Viewer,
    origin: &RequestOrigin,
    email: &str,
    password: String,
) -> Result<()> {
    let (me, _) = viewer.require_session()?;
    let email = text::normalize_email("email", email)?;
    verify_password(db, attempts, passwords, me, password).await?;
    throttle::count_attempt(db, attempts, AttemptKind::EmailChange, origin, Some(&email)).await?;
    enqueue_job(db, JOB.kind, Some(me), json!({ "user": me, "email": email })).await
}

/// Sends the email of a job: a confirmation, or a notice if another account has the address. Nothing after too many
/// emails.
/// # Errors
/// Database errors.
pub async fn run(db: &Db, job: &JobRow) -> Result<()> {
    let Payload { user, email } = job.payload()?;
    if let Some(owner) = db.read(async |conn| users::store::find_by_email(conn, &email).await).await? {
        // It is already the user's own address.
        return if owner.id == user { Ok(()) } else { send_address_taken(db, &email).await };
    }
    db.transaction(async |conn| match lock_active_user(conn, user).await? {
        Some(user) if can_send(conn, user.id, Purpose::ChangeEmail).await? => {
            send_email_change(conn, &user, &email).await
        }
        _ => Ok(()),
    })
    .await
}

/// Changes the email address of the token's user to the one that the token proves.
/// # Errors
/// INVALID_TOKEN; TAKEN if another user has the address by now.
pub async fn confirm(db: &Db, token: &str) -> Result<UserRow> {
    db.transaction(async |conn| {
        let (before, email) = redeem_token(conn, Purpose::ChangeEmail, token).await?;
        let user = users::store::update_email(conn, before.id, &email).await?;
        // Other tokens prove the old address or would change it again.
        tokens::update_all_void(conn, user.id).await?;
        send_email_changed(conn, &user, before.email.as_deref()).await?;
        Ok(user)
    })
    .await
}

/// Handles a change of a user's address by staff, in their transaction: the new address is not verified yet.
pub(super) async fn handle_staff_change(conn: &Conn, before: &UserRow, after: UserRow) -> Result<UserRow> {
    if before.email == after.email {
        return Ok(after);
    }
    let user = users::store::update_unverified(conn, after.id).await?;
    tokens::update_all_void(conn, user.id).await?;
    send_verification(conn, &user).await?;
    send_email_changed(conn, &user, before.email.as_deref()).await?;
    Ok(user)
}
