//! Verification of email addresses.
//! Rule: a request for another email gets the same response for every address; a job looks up the account.

use serde::Deserialize;
use serde_json::json;

use super::{
    emails::{can_send, lock_active_user, redeem_token, send_verification},
    enqueue_job, throttle,
};
use crate::{
    access::model::{Purpose, throttle::AttemptKind},
    auth::RequestOrigin,
    config::AttemptSettings,
    db::Db,
    error::Result,
    jobs::model::{JobInfo, JobRow},
    text,
    users::{self, model::UserRow},
};

/// The job.
pub const JOB: JobInfo = JobInfo::queued("verification_resend", "Sends the verification email again.");

/// Payload of such a job.
#[derive(Deserialize)]
struct Payload {
    email: String,
}

/// Verifies the email address of the token's user, who takes over the customers who were imported with it.
/// # Errors
/// INVALID_TOKEN.
pub async fn verify(db: &Db, token: &str) -> Result<UserRow> {
    db.transaction(async |conn| {
        let (user, _) = redeem_token(conn, Purpose::VerifyEmail, token).await?;
        match user.email_verified_at {
            Some(_) => Ok(user),
            None => users::store::update_verified(conn, user.id).await,
        }
    })
    .await
}

/// Requests another verification email.
/// # Errors
/// INVALID if the email address is malformed; [`Error::TooManyAttempts`](crate::error::Error::TooManyAttempts).
pub async fn resend(db: &Db, attempts: &AttemptSettings, origin: &RequestOrigin, email: &str) -> Result<()> {
    let email = text::normalize_email("email", email)?;
    throttle::count_attempt(db, attempts, AttemptKind::EmailVerificationResend, origin, Some(&email)).await?;
    enqueue_job(db, JOB.kind, None, json!({ "email": email })).await
}

/// Sends the email of a job, unless no active account has the address, it is already verified, or too many emails were
/// sent.
/// # Errors
/// Database errors.
pub async fn run(db: &Db, job: &JobRow) -> Result<()> {
    let Payload { email } = job.payload()?;
    db.transaction(async |conn| {
        let Some((found, _)) = users::store::find_login(conn, &email).await? else { return Ok(()) };
        match lock_active_user(conn, found.id).await? {
            Some(user) if user.email_verified_at.is_none() && can_send(conn, user.id, Purpose::VerifyEmail).await? => {
                send_verification(conn, &user).await
            }
            _ => Ok(()),
        }
    })
    .await
}
