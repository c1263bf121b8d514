//! Giving an account another e-mail address.
//! Rule: a new address counts once its owner has confirmed it, or staff say so; the old one is told. Whether the new one has
//! an account already is looked up by a job, so that neither answer nor time tells.

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
    db::{Conn, Db},
    error::Result,
    ids::UserId,
    jobs::model::JobRow,
    text,
    users::{self, model::UserRow},
};

/// The kind of the jobs that send the mail to the new address.
pub const KIND: &str = "email_change";

/// What such a job knows.
#[derive(Deserialize)]
struct Payload {
    user: UserId,
    email: String,
}

/// Asks for another address: a mail goes there.
/// # Errors
/// UNAUTHENTICATED for the anonymous, FORBIDDEN for an API key; INVALID for what is no address; INVALID_CREDENTIALS for the
/// password; [`Error::TooManyAttempts`](crate::error::Error::TooManyAttempts).
pub async fn request(
    db: &Db,
    passwords: &Passwords,
    viewer: &Viewer,
    origin: &RequestOrigin,
    email: &str,
    password: String,
) -> Result<()> {
    let (me, _) = viewer.require_session()?;
    let email = text::normalize_email("email", email)?;
    verify_password(db, passwords, me, password).await?;
    throttle::count_attempt(db, AttemptKind::EmailChange, origin, Some(&email)).await?;
    enqueue_job(db, KIND, Some(me), json!({ "user": me, "email": email })).await
}

/// Sends the mail of a job: to the new address, or to its owner where it has one. Nothing where enough mails were sent.
/// # Errors
/// Those of the database.
pub async fn run(db: &Db, job: &JobRow) -> Result<()> {
    let Payload { user, email } = job.payload()?;
    if let Some(owner) = db.read(async |conn| users::store::find_by_email(conn, &email).await).await? {
        // Their own address is theirs already.
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

/// Gives the user whose token this is the address that it proves.
/// # Errors
/// INVALID_TOKEN; TAKEN where somebody took the address meanwhile.
pub async fn confirm(db: &Db, token: &str) -> Result<UserRow> {
    db.transaction(async |conn| {
        let (before, email) = redeem_token(conn, Purpose::ChangeEmail, token).await?;
        let user = users::store::update_email(conn, before.id, &email).await?;
        // They prove the old address, or lead to yet another one.
        tokens::update_all_void(conn, user.id).await?;
        send_email_changed(conn, &user, before.email.as_deref()).await?;
        Ok(user)
    })
    .await
}

/// What follows where staff gave a user another address, in their transaction: nobody has shown yet that it is theirs.
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
