//! Logging in, renewing a token, logging out.

use chrono::{DateTime, Duration, Utc};

use super::{cache::refresh_cache, emails::send_session_ended, throttle};
use crate::{
    access::{
        model::{MAX_SESSIONS, NewSession, REFRESH_GRACE_PERIOD, Role, SessionRow, throttle::AttemptKind},
        store::{roles, sessions},
    },
    auth::{AuthMethod, Identity, IssuedToken, JwtKeys, Passwords, PermissionCache, RequestOrigin, Viewer, secret},
    config::{AccountSettings, RegistrationMode},
    db::{Conn, Db},
    error::{Error, Result, UserErrorCode},
    ids::{SessionId, UserId},
    text::{self, MAX_PASSWORD},
    users::{self, model::UserRow},
};

/// What begins every refresh token, so that people and scanners know one when they see it.
const REFRESH_PREFIX: &str = "souk_rt_";

/// What logging in and out needs beside the database.
#[derive(Clone, Copy)]
pub struct LoginContext<'a> {
    /// The database.
    pub db: &'a Db,
    /// Checks passwords.
    pub passwords: &'a Passwords,
    /// Signs access tokens.
    pub jwt: &'a JwtKeys,
    /// Who is out.
    pub cache: &'a PermissionCache,
    /// How long a session lasts after its last use.
    pub session_lifetime: Duration,
    /// Who may log in.
    pub accounts: AccountSettings,
}

/// What a login gives.
pub struct Login {
    /// Who logged in.
    pub user: UserRow,
    /// The tokens.
    pub tokens: Tokens,
}

/// What opens the graph, and what renews it.
pub struct Tokens {
    /// The access token.
    pub access: IssuedToken,
    /// The refresh token, in clear for the only time.
    pub refresh: String,
    /// From then on the refresh token is refused.
    pub refresh_expires_at: DateTime<Utc>,
}

/// Logs in: opens a session. An unknown e-mail address, a wrong password and a deactivated account cost the same time and
/// say the same.
/// # Errors
/// INVALID_CREDENTIALS; EMAIL_NOT_VERIFIED where the shop asks for it, and only with the right password;
/// [`Error::TooManyAttempts`].
pub async fn login(context: LoginContext<'_>, origin: &RequestOrigin, email: &str, password: String) -> Result<Login> {
    let wrong = || Error::user(UserErrorCode::InvalidCredentials, "email", "e-mail address or password is wrong");
    // Nothing that long is a password, and hashing it would cost.
    if password.chars().nth(MAX_PASSWORD).is_some() {
        return Err(wrong());
    }
    // What is no address is nobody's, and nobody is looked for in the same way and time as anybody.
    let email = text::normalize_email("email", email).unwrap_or_default();
    let attempt = throttle::count_attempt(context.db, AttemptKind::Login, origin, Some(&email)).await?;
    let found = context.db.read(async |conn| users::store::find_login(conn, &email).await).await?;
    let (user, hash) = found.map_or((None, None), |(user, hash)| (Some(user), hash));
    match context.passwords.verify(password, hash.clone()).await {
        Ok(true) => {}
        Ok(false) => return Err(wrong()),
        Err(error) => {
            // Nothing was learned about the password.
            context.db.transaction(async |conn| throttle::undo_attempt(conn, &attempt).await).await?;
            return Err(error);
        }
    }
    let user = user.ok_or_else(wrong)?;
    if user.email_verified_at.is_none() {
        // Somebody who registers an address in a private shop, and then could log in, would know that it was free.
        if context.accounts.registration == RegistrationMode::Private {
            return Err(wrong());
        }
        if context.accounts.login_needs_verification {
            let rule = "confirm your e-mail address first, by the link in our mail";
            return Err(Error::user(UserErrorCode::EmailNotVerified, "email", rule));
        }
    }
    let opened = context
        .db
        .transaction(async |conn| {
            // What was checked must still hold: the password may have changed while it was hashed.
            if users::store::lock_login(conn, user.id).await? != hash {
                return Err(wrong());
            }
            throttle::record_success(conn, &attempt).await?;
            open_session(conn, context, user.id, origin).await
        })
        .await?;
    Ok(Login { tokens: issue_tokens(context, user.id, opened).await?, user })
}

/// A session and a refresh token of it, just made.
struct OpenedSession {
    session: SessionId,
    refresh: String,
    expires_at: DateTime<Utc>,
    role: Role,
}

/// Opens a session within the caller's transaction.
async fn open_session(
    conn: &Conn,
    context: LoginContext<'_>,
    user: UserId,
    origin: &RequestOrigin,
) -> Result<OpenedSession> {
    let expires_at = sessions::now(conn).await? + context.session_lifetime;
    let new = NewSession {
        user_id: user,
        device: origin.device.clone(),
        address: origin.address.map(|address| address.to_string()),
        expires_at,
    };
    let session = sessions::insert(conn, &new).await?;
    sessions::update_surplus_ended(conn, user, MAX_SESSIONS).await?;
    let refresh = add_token(conn, session.id, None).await?;
    Ok(OpenedSession { session: session.id, refresh, expires_at, role: role_of(conn, user).await? })
}

async fn add_token(conn: &Conn, session: SessionId, parent: Option<i64>) -> Result<String> {
    let (refresh, hash) = secret::generate(REFRESH_PREFIX);
    sessions::insert_token(conn, session, parent, &hash).await?;
    Ok(refresh)
}

async fn role_of(conn: &Conn, user: UserId) -> Result<Role> {
    roles::find_by_user(conn, user).await?.ok_or_else(|| Error::Internal("a user without a role".into()))
}

/// The tokens of a session, after its transaction.
async fn issue_tokens(context: LoginContext<'_>, user: UserId, opened: OpenedSession) -> Result<Tokens> {
    let OpenedSession { session, refresh, expires_at, role } = opened;
    let identity = Identity {
        user,
        auth_method: AuthMethod::Session(session),
        role: role.row.code,
        permissions: role.permissions,
        websites: role.websites,
    };
    // A role that is newer than the register would give nothing yet.
    if context
        .cache
        .role_grant(&identity.role)
        .is_none_or(|known| !known.permissions.contains_all(identity.permissions))
    {
        refresh_cache(context.db, context.cache).await?;
    }
    Ok(Tokens { access: context.jwt.issue(&identity)?, refresh, refresh_expires_at: expires_at })
}

/// What became of a refresh token.
enum RefreshOutcome {
    Refreshed(UserId, OpenedSession),
    /// Somebody else used it before: its session is ended, whoever of the two was the thief.
    Reused(UserId, SessionId),
    Rejected,
}

/// Renews the tokens of a session. A refresh token is good once; for ten seconds more where its answer seems lost.
/// # Errors
/// INVALID_TOKEN where it is unknown, used before, or of a session that is over.
pub async fn refresh(context: LoginContext<'_>, origin: &RequestOrigin, token: &str) -> Result<Tokens> {
    let outcome =
        context.db.transaction(async |conn| rotate_token(conn, context, origin, &secret::hash(token)).await).await?;
    match outcome {
        RefreshOutcome::Refreshed(user, opened) => return issue_tokens(context, user, opened).await,
        RefreshOutcome::Reused(user, session) => {
            tracing::warn!(user = user.0, session = session.0, "a refresh token was used twice: its session is ended");
            refresh_cache(context.db, context.cache).await?;
        }
        RefreshOutcome::Rejected => {}
    }
    Err(Error::user(UserErrorCode::InvalidToken, "refreshToken", "the session is over: log in again"))
}

async fn rotate_token(
    conn: &Conn,
    context: LoginContext<'_>,
    origin: &RequestOrigin,
    hash: &[u8],
) -> Result<RefreshOutcome> {
    let Some(id) = sessions::find_by_token(conn, hash).await? else { return Ok(RefreshOutcome::Rejected) };
    // Whoever renews at the same moment waits here.
    let Some(session) = sessions::lock(conn, id).await? else { return Ok(RefreshOutcome::Rejected) };
    let now = sessions::now(conn).await?;
    if session.ended_at.is_some() || session.expires_at <= now {
        return Ok(RefreshOutcome::Rejected);
    }
    let Some(token) = sessions::find_token(conn, hash).await? else { return Ok(RefreshOutcome::Rejected) };
    match token.used_at {
        // The first use. What was given in a grace period beside it is passed over.
        None => sessions::update_tokens_used(conn, id).await?,
        Some(used) if now - used <= REFRESH_GRACE_PERIOD && !sessions::has_used_successor(conn, token.id).await? => {}
        Some(_) => {
            sessions::update_ended(conn, session.user_id, id).await?;
            send_session_ended(conn, &session).await?;
            return Ok(RefreshOutcome::Reused(session.user_id, id));
        }
    }
    let expires_at = now + context.session_lifetime;
    let address = origin.address.map(|address| address.to_string());
    sessions::update_used(conn, id, address.as_deref(), expires_at).await?;
    let refresh = add_token(conn, id, Some(token.id)).await?;
    let role = role_of(conn, session.user_id).await?;
    Ok(RefreshOutcome::Refreshed(session.user_id, OpenedSession { session: id, refresh, expires_at, role }))
}

/// Ends one of the viewer's sessions.
/// # Errors
/// UNAUTHENTICATED for the anonymous, FORBIDDEN for an API key; NOT_FOUND for a session that is not the viewer's, or over.
pub async fn end_session(db: &Db, cache: &PermissionCache, viewer: &Viewer, id: SessionId) -> Result<SessionRow> {
    let (me, _) = viewer.require_session()?;
    let ended = db
        .transaction(async |conn| {
            let session = sessions::live_by_ids(conn, me, &[id]).await?.pop();
            let ended = sessions::update_ended(conn, me, id).await?;
            session.filter(|_| ended).ok_or_else(|| Error::not_found("id", "session"))
        })
        .await?;
    refresh_cache(db, cache).await?;
    Ok(ended)
}

/// Ends the present session.
/// # Errors
/// UNAUTHENTICATED for the anonymous, FORBIDDEN for an API key.
pub async fn logout(db: &Db, cache: &PermissionCache, viewer: &Viewer) -> Result<()> {
    let (me, session) = viewer.require_session()?;
    db.transaction(async |conn| sessions::update_ended(conn, me, session).await.map(drop)).await?;
    refresh_cache(db, cache).await
}

/// Ends all sessions of the viewer.
/// # Errors
/// UNAUTHENTICATED for the anonymous, FORBIDDEN for an API key.
pub async fn logout_everywhere(db: &Db, cache: &PermissionCache, viewer: &Viewer) -> Result<()> {
    let (me, _) = viewer.require_session()?;
    db.transaction(async |conn| end_other_sessions(conn, me, None).await).await?;
    refresh_cache(db, cache).await
}

/// Ends all sessions of a user but the one to keep, within the caller's transaction; the caller [catches up](refresh_cache)
/// after it.
/// # Errors
/// Those of the database.
pub async fn end_other_sessions(conn: &Conn, user: UserId, keep: Option<SessionId>) -> Result<()> {
    sessions::update_all_ended(conn, user, keep).await
}
