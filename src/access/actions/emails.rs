//! The mails about accounts, each queued in the transaction of what it tells, and the tokens in them: made and used here.
//! Rule: a deactivated user gets no mail, and uses no token; nobody can have more than a few mails sent to a stranger.

use chrono::Duration;
use serde_json::{Value, json};

use crate::{
    access::{
        model::{
            EMAIL_CHANGE_TOKEN_LIFETIME, EMAIL_WINDOW, INVITATION_TOKEN_LIFETIME, MAX_EMAILS, NewToken, Purpose,
            RESET_TOKEN_LIFETIME, SessionRow, VERIFY_TOKEN_LIFETIME,
        },
        store::{sessions, tokens},
    },
    auth::{RequestOrigin, Scope, secret},
    db::{Conn, Db},
    error::{Error, Result, UserErrorCode},
    ids::{UserId, WebsiteId},
    mail::{
        self,
        model::{Message, Template},
    },
    users::{self, model::UserRow},
};

/// Asks a user whether their address is theirs.
pub(super) async fn send_verification(conn: &Conn, user: &UserRow) -> Result<()> {
    let Some(email) = &user.email else { return Ok(()) };
    let token = issue_token(conn, user, Purpose::VerifyEmail, email, VERIFY_TOKEN_LIFETIME).await?;
    let values = json!({ "name": user.name, "token": token, "hours": VERIFY_TOKEN_LIFETIME.num_hours() });
    send(conn, user, email, Template::VerifyEmail, values).await
}

/// Lets a user choose a new password, as the shop of this website.
pub(super) async fn send_password_reset(conn: &Conn, user: &UserRow, website: Option<WebsiteId>) -> Result<()> {
    let Some(email) = &user.email else { return Ok(()) };
    let token = issue_token(conn, user, Purpose::ResetPassword, email, RESET_TOKEN_LIFETIME).await?;
    let values = json!({ "name": user.name, "token": token, "minutes": RESET_TOKEN_LIFETIME.num_minutes() });
    let user = UserRow { source_website_id: website.or(user.source_website_id), ..user.clone() };
    send(conn, &user, email, Template::PasswordReset, values).await
}

/// Lets a user whose account was opened by staff choose a password.
pub(super) async fn send_invitation(conn: &Conn, user: &UserRow) -> Result<()> {
    let Some(email) = &user.email else { return Ok(()) };
    let token = issue_token(conn, user, Purpose::ResetPassword, email, INVITATION_TOKEN_LIFETIME).await?;
    let values = json!({ "name": user.name, "token": token, "hours": INVITATION_TOKEN_LIFETIME.num_hours() });
    send(conn, user, email, Template::Invitation, values).await
}

/// Tells a user that their password was changed, and from where.
pub(super) async fn send_password_changed(conn: &Conn, user: &UserRow, origin: &RequestOrigin) -> Result<()> {
    let Some(email) = &user.email else { return Ok(()) };
    let address = origin.address.map(|address| address.to_string());
    let values = json!({ "name": user.name, "device": origin.device, "address": address });
    send(conn, user, email, Template::PasswordChanged, values).await
}

/// Tells a user that one of their sessions was ended, because somebody else used its refresh token.
pub(super) async fn send_session_ended(conn: &Conn, session: &SessionRow) -> Result<()> {
    let user = users::store::by_ids(conn, &Scope::All, &[session.user_id]).await?.pop();
    let Some(user) = user else { return Ok(()) };
    let Some(email) = &user.email else { return Ok(()) };
    let values = json!({ "name": user.name, "device": session.device });
    send(conn, &user, email, Template::SessionEnded, values).await
}

/// Asks at a new address whether it is the user's.
pub(super) async fn send_email_change(conn: &Conn, user: &UserRow, email: &str) -> Result<()> {
    let token = issue_token(conn, user, Purpose::ChangeEmail, email, EMAIL_CHANGE_TOKEN_LIFETIME).await?;
    let values = json!({ "name": user.name, "token": token, "hours": EMAIL_CHANGE_TOKEN_LIFETIME.num_hours() });
    send(conn, user, email, Template::EmailChange, values).await
}

/// Tells a user at their old address that they have another one.
pub(super) async fn send_email_changed(conn: &Conn, user: &UserRow, old: Option<&str>) -> Result<()> {
    let Some(old) = old else { return Ok(()) };
    let values = json!({ "name": user.name, "email": user.email });
    send(conn, user, old, Template::EmailChanged, values).await
}

/// Tells the active user of an address, where there is one, that somebody wanted an account with it: once an hour at most.
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

async fn send(conn: &Conn, user: &UserRow, to: &str, template: Template, values: Value) -> Result<()> {
    if !user.is_active {
        return Ok(());
    }
    let message = Message { template, to: to.to_owned(), user: Some(user.id), website: user.source_website_id, values };
    mail::actions::queue(conn, &message).await
}

/// Makes a token in place of the earlier ones for the same purpose.
async fn issue_token(conn: &Conn, user: &UserRow, purpose: Purpose, email: &str, lifetime: Duration) -> Result<String> {
    tokens::update_void(conn, user.id, purpose).await?;
    let (token, hash) = secret::generate(purpose.prefix());
    let expires_at = sessions::now(conn).await? + lifetime;
    let new = NewToken { user_id: user.id, purpose: purpose.as_str(), hash: &hash, email, expires_at };
    tokens::insert(conn, &new).await?;
    Ok(token)
}

/// Whether a user may be sent one more mail of this purpose that somebody asked for. The caller has locked the user.
pub(super) async fn can_send(conn: &Conn, user: UserId, purpose: Purpose) -> Result<bool> {
    let since = sessions::now(conn).await? - EMAIL_WINDOW;
    Ok(tokens::count_since(conn, user, purpose, since).await? < MAX_EMAILS)
}

/// An active user, locked against changes by others.
pub(super) async fn lock_active_user(conn: &Conn, id: UserId) -> Result<Option<UserRow>> {
    let user = users::store::lock(conn, &Scope::All, id).await?;
    Ok(user.filter(|user| user.is_active))
}

/// Uses a token: the user, locked, and the address that it proves.
/// # Errors
/// INVALID_TOKEN where it is unknown, made for something else, used, or its time is over.
pub(super) async fn redeem_token(conn: &Conn, purpose: Purpose, token: &str) -> Result<(UserRow, String)> {
    let hash = secret::hash(token);
    let id = tokens::find_user(conn, purpose, &hash).await?.ok_or_else(invalid_token)?;
    // The user before the token, as everywhere: nobody waits for one another.
    let user = lock_active_user(conn, id).await?.ok_or_else(invalid_token)?;
    let email = tokens::update_used(conn, id, purpose, &hash).await?.ok_or_else(invalid_token)?;
    // A token of the address before is void with it; this holds where a writer forgot.
    if purpose != Purpose::ChangeEmail && user.email.as_ref() != Some(&email) {
        return Err(invalid_token());
    }
    Ok((user, email))
}

pub(super) fn invalid_token() -> Error {
    Error::user(
        UserErrorCode::InvalidToken,
        "token",
        "this link is unknown, was used, or is too old: ask for another one",
    )
}
