//! Emails about accounts, queued in the transaction of the change, and their tokens.
//! Rule: deactivated users receive no emails and cannot use tokens; the number of emails that a stranger can trigger is
//! limited, and an unverified address gets no text that a stranger typed.

use chrono::Duration;
use serde_json::{Value, json};

use crate::{
    access::{
        model::{
            EMAIL_CHANGE_TOKEN_LIFETIME, EMAIL_WINDOW, INVITATION_TOKEN_LIFETIME, MAX_EMAILS, NewToken, Purpose,
            RESET_TOKEN_LIFETIME, SessionRow, VERIFY_TOKEN_LIFETIME,
        },
        store::{roles, sessions, tokens},
    },
    auth::{Permissions, RequestOrigin, Scope, secret},
    db::{Conn, Db},
    error::{Error, Result, UserErrorCode},
    ids::{UserId, WebsiteId},
    mail::{
        self,
        model::{Message, Template, UNKNOWN_CUSTOMER},
    },
    users::{self, model::UserRow},
};

/// Sends a user the email that verifies their address.
pub(super) async fn send_verification(conn: &Conn, user: &UserRow) -> Result<()> {
    let Some(email) = &user.email else { return Ok(()) };
    let token = issue_token(conn, user, Purpose::VerifyEmail, email, VERIFY_TOKEN_LIFETIME).await?;
    let values = json!({ "name": user.name, "token": token, "hours": VERIFY_TOKEN_LIFETIME.num_hours() });
    send(conn, user, email, Template::VerifyEmail, values).await
}

/// Sends a user the email for choosing a new password, in the name of this website.
pub(super) async fn send_password_reset(conn: &Conn, user: &UserRow, website: Option<WebsiteId>) -> Result<()> {
    let Some(email) = &user.email else { return Ok(()) };
    let token = issue_token(conn, user, Purpose::ResetPassword, email, RESET_TOKEN_LIFETIME).await?;
    let values = json!({ "name": user.name, "token": token, "minutes": RESET_TOKEN_LIFETIME.num_minutes() });
    let user = UserRow { source_website_id: website.or(user.source_website_id), ..user.clone() };
    send(conn, &user, email, Template::PasswordReset, values).await
}

/// Sends a user whose account was created by staff the email for choosing a password. An unconfirmed address becomes that of
/// the account with the password.
pub(super) async fn send_invitation(conn: &Conn, user: &UserRow) -> Result<()> {
    let Some(email) = user.shown_email() else { return Ok(()) };
    let token = issue_token(conn, user, Purpose::ResetPassword, email, INVITATION_TOKEN_LIFETIME).await?;
    let values = json!({ "name": user.name, "token": token, "hours": INVITATION_TOKEN_LIFETIME.num_hours() });
    send(conn, user, email, Template::Invitation, values).await
}

/// Notifies a user that their password was changed, and from which device and address.
pub(super) async fn send_password_changed(conn: &Conn, user: &UserRow, origin: &RequestOrigin) -> Result<()> {
    let Some(email) = &user.email else { return Ok(()) };
    let address = origin.address.map(|address| address.to_string());
    let values = json!({ "name": user.name, "device": origin.device, "address": address });
    send(conn, user, email, Template::PasswordChanged, values).await
}

/// Notifies a user that a session was ended because its refresh token was used twice.
pub(super) async fn send_session_ended(conn: &Conn, session: &SessionRow) -> Result<()> {
    let user = users::store::by_ids(conn, &Scope::All, &[session.user_id]).await?.pop();
    let Some(user) = user else { return Ok(()) };
    let Some(email) = &user.email else { return Ok(()) };
    let values = json!({ "name": user.name, "device": session.device });
    send(conn, &user, email, Template::SessionEnded, values).await
}

/// Sends the email that verifies a user's new address to that address.
pub(super) async fn send_email_change(conn: &Conn, user: &UserRow, email: &str) -> Result<()> {
    let token = issue_token(conn, user, Purpose::ChangeEmail, email, EMAIL_CHANGE_TOKEN_LIFETIME).await?;
    let values = json!({ "name": user.name, "token": token, "hours": EMAIL_CHANGE_TOKEN_LIFETIME.num_hours() });
    send(conn, user, email, Template::EmailChange, values).await
}

/// Notifies a user at the old address that their email address was changed.
pub(super) async fn send_email_changed(conn: &Conn, user: &UserRow, old: Option<&str>) -> Result<()> {
    let Some(old) = old else { return Ok(()) };
    let values = json!({ "name": user.name, "email": user.email });
    send(conn, user, old, Template::EmailChanged, values).await
}

/// Notifies the active user with this address, if any, that someone else tried to use it; at most once an hour.
pub(super) async fn send_address_taken(db: &Db, email: &str) -> Result<()> {
    db.transaction(async |conn| {
        let Some((user, _)) = users::store::find_login(conn, email).await? else { return Ok(()) };
        let since = sessions::now(conn).await? - EMAIL_WINDOW;
        if !tokens::insert_notice(conn, user.id, since).await? {
            return Ok(());
        }
        send(conn, &user, email, Template::AddressTaken, json!({ "name": user.name })).await
    })
    .await
}

/// Sends an email in the name of the user's website. Staff get it in the name of the main shop, whose name and URL only the
/// operator sets: the link must not lead to a host that a role with fewer permissions has chosen.
async fn send(conn: &Conn, user: &UserRow, to: &str, template: Template, mut values: Value) -> Result<()> {
    let is_verified = user.email_verified_at.is_some();
    // The user agent in these is text of whoever uses the account, who may have registered with a stranger's address.
    let is_notice = matches!(template, Template::PasswordChanged | Template::SessionEnded);
    if !user.is_active || is_notice && !is_verified {
        return Ok(());
    }
    // The new address of an email change may be a stranger's; an invitation has the name that staff typed.
    let is_name_trusted = match template {
        Template::Invitation => true,
        Template::EmailChange => false,
        _ => is_verified,
    };
    if !is_name_trusted {
        values["name"] = UNKNOWN_CUSTOMER.into();
    }
    let role = roles::find_by_user(conn, user.id).await?;
    let is_staff = role.is_some_and(|role| role.permissions != Permissions::default());
    let website = user.source_website_id.filter(|_| !is_staff);
    let message = Message { template, to: to.to_owned(), user: Some(user.id), website, values };
    mail::actions::queue(conn, &message).await
}

/// Creates a token and voids earlier ones with the same purpose.
async fn issue_token(conn: &Conn, user: &UserRow, purpose: Purpose, email: &str, lifetime: Duration) -> Result<String> {
    tokens::update_void(conn, user.id, purpose).await?;
    let (token, hash) = secret::generate(purpose.prefix());
    let expires_at = sessions::now(conn).await? + lifetime;
    let new = NewToken { user_id: user.id, purpose: purpose.as_str(), hash: &hash, email, expires_at };
    tokens::insert(conn, &new).await?;
    Ok(token)
}

/// Returns whether another requested email with this purpose may be sent to a user. The caller has locked the user.
pub(super) async fn can_send(conn: &Conn, user: UserId, purpose: Purpose) -> Result<bool> {
    let since = sessions::now(conn).await? - EMAIL_WINDOW;
    Ok(tokens::count_since(conn, user, purpose, since).await? < MAX_EMAILS)
}

/// Returns and locks a user, if active.
pub(super) async fn lock_active_user(conn: &Conn, id: UserId) -> Result<Option<UserRow>> {
    let user = users::store::lock(conn, &Scope::All, id).await?;
    Ok(user.filter(|user| user.is_active))
}

/// Redeems a token and returns its user, locked, and the email address that it proves. The unconfirmed address of an invited
/// user becomes the one to log in with.
/// # Errors
/// INVALID_TOKEN if it is unknown, has another purpose, was used, or has expired; TAKEN if an account has the unconfirmed
/// address by now.
pub(super) async fn redeem_token(conn: &Conn, purpose: Purpose, token: &str) -> Result<(UserRow, String)> {
    let hash = secret::hash(token);
    let id = tokens::find_user(conn, purpose, &hash).await?.ok_or_else(invalid_token)?;
    // The user is locked before the token, as everywhere, to avoid deadlocks.
    let user = lock_active_user(conn, id).await?.ok_or_else(invalid_token)?;
    let email = tokens::update_used(conn, id, purpose, &hash).await?.ok_or_else(invalid_token)?;
    if purpose == Purpose::ResetPassword && user.email.is_none() && user.imported_email.as_ref() == Some(&email) {
        return Ok((users::store::update_own_email(conn, id, &email).await?, email));
    }
    // Changing the address voids its tokens; this check also covers direct writes to the database.
    if purpose != Purpose::ChangeEmail && user.email.as_ref() != Some(&email) {
        return Err(invalid_token());
    }
    Ok((user, email))
}

pub(super) fn invalid_token() -> Error {
    Error::user(UserErrorCode::InvalidToken, "token", "the link is invalid, already used or expired; request a new one")
}
