//! Invitations to users that staff of certain websites create, and changes of email addresses by such staff.
//! Rule: neither the response nor what staff can see later says whether an address has an account at another website. The
//! user is a customer of their own with an unconfirmed address, as after an import; a job looks up the account, and the
//! owner of the address decides.

use serde::Deserialize;
use serde_json::json;

use super::emails::{can_send, lock_active_user, send_address_taken, send_invitation};
use crate::{
    access::model::Purpose,
    auth::{Permission, Scope, Viewer},
    db::{Conn, Db},
    error::{Error, Result, UserErrorCode},
    ids::UserId,
    jobs::{
        self,
        model::{JobInfo, JobRow, NewJob},
    },
    users::{
        self,
        model::{NewUser, UserPatch, UserRow},
    },
};

/// The job.
pub const JOB: JobInfo = JobInfo::queued(
    "invitation",
    "Invites a user with an unconfirmed email address, or notifies the account that has it.",
);

/// Payload of such a job.
#[derive(Deserialize)]
struct Payload {
    user: UserId,
}

/// Returns whether the viewer manages the users of certain websites only.
pub(super) fn is_limited(viewer: &Viewer) -> bool {
    viewer.scope(Permission::ManageUsers) != Scope::All
}

/// Inserts a user with an unconfirmed email address, and invites them.
/// # Errors
/// TAKEN if a user who is visible to the viewer has the address.
pub(super) async fn insert_invited(conn: &Conn, viewer: &Viewer, new: &NewUser, email: &str) -> Result<UserRow> {
    require_free(conn, viewer, email, None).await?;
    let user = users::store::insert_unconfirmed(conn, new, email).await?;
    enqueue(conn, user.id).await?;
    Ok(user)
}

/// Updates a user, with another email address, for a viewer whose role is limited. The address of an account is what its user
/// logs in with, at all websites, so such a viewer cannot change it.
/// # Errors
/// PERMISSION_NOT_HELD for a user with an account; TAKEN if another user who is visible to the viewer has the address.
pub(super) async fn update_address(
    conn: &Conn,
    viewer: &Viewer,
    user: &UserRow,
    patch: UserPatch,
    email: &str,
) -> Result<UserRow> {
    if user.email.is_some() {
        let rule = "the email address of an account is changed by its user, or by staff of all websites";
        return Err(Error::user(UserErrorCode::PermissionNotHeld, "email", rule));
    }
    require_free(conn, viewer, email, Some(user.id)).await?;
    let changed = users::store::update_unconfirmed(conn, user.id, &UserPatch { email: None, ..patch }, email).await?;
    enqueue(conn, user.id).await?;
    Ok(changed)
}

/// Checks that no other user who is visible to the viewer has an email address.
async fn require_free(conn: &Conn, viewer: &Viewer, email: &str, except: Option<UserId>) -> Result<()> {
    let scope = viewer.scope(Permission::ManageUsers);
    match users::store::has_visible_email(conn, &scope, email, except).await? {
        true => Err(Error::user(UserErrorCode::Taken, "email", "another user has this email address")),
        false => Ok(()),
    }
}

async fn enqueue(conn: &Conn, user: UserId) -> Result<()> {
    let payload = json!({ "user": user });
    jobs::store::enqueue(conn, &NewJob { kind: JOB.kind, payload, user_id: Some(user), run_at: None }).await
}

/// Sends the email of a job: an invitation, or a notice if an account has the address. Nothing after too many emails.
/// # Errors
/// Database errors.
pub async fn run(db: &Db, job: &JobRow) -> Result<()> {
    let Payload { user } = job.payload()?;
    let taken = db.transaction(async |conn| {
        let Some(user) = lock_active_user(conn, user).await? else { return Ok(None) };
        let Some(email) = user.shown_email() else { return Ok(None) };
        if user.email.is_none() && users::store::find_by_email(conn, email).await?.is_some() {
            return Ok(Some(email.to_owned()));
        }
        if can_send(conn, user.id, Purpose::ResetPassword).await? {
            send_invitation(conn, &user).await?;
        }
        Ok(None)
    });
    match taken.await? {
        Some(email) => send_address_taken(db, &email).await,
        None => Ok(()),
    }
}
