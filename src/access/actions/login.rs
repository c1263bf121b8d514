//! Login, refresh of tokens, and logout.

use chrono::{DateTime, Duration, Utc};

use super::{cache::refresh_cache, emails::send_session_ended, throttle};
use crate::{
    access::{
        model::{MAX_SESSIONS, NewSession, REFRESH_GRACE_PERIOD, Role, SessionRow, throttle::AttemptKind},
        store::{roles, sessions},
    },
    auth::{AuthMethod, Identity, IssuedToken, JwtKeys, Passwords, PermissionCache, RequestOrigin, Viewer, secret},
    config::{AccountSettings, AttemptSettings, RegistrationMode},
    db::{Conn, Db},
    error::{Error, Result, UserErrorCode},
    ids::{SessionId, UserId},
    text::{self, MAX_PASSWORD},
    users::{self, model::UserRow},
};

/// Prefix of all refresh tokens, by which people and secret scanners recognize them.
const REFRESH_PREFIX: &str = "souk_rt_";

/// Number of characters of a malformed email address that attempts to log in with it are counted by.
const MAX_MALFORMED_EMAIL: usize = 320;

/// The dependencies of login, registration and refresh.
#[derive(Clone, Copy)]
pub struct LoginContext<'a> {
    /// The database.
    pub db: &'a Db,
    /// Checks passwords.
    pub passwords: &'a Passwords,
    /// Signs access tokens.
    pub jwt: &'a JwtKeys,
    /// The permission cache.
    pub cache: &'a PermissionCache,
    /// Lifetime of a session after its last use.
    pub session_lifetime: Duration,
    /// The account settings: who can log in.
    pub accounts: AccountSettings,
    /// The limits of attempts.
    pub attempts: &'a AttemptSettings,
}

/// The result of a login.
pub struct Login {
    /// The user who logged in.
    pub user: UserRow,
    /// The tokens.
    pub tokens: Tokens,
}

/// An access token and a refresh token.
pub struct Tokens {
    /// The access token.
    pub access: IssuedToken,
    /// The refresh token in clear text, which is not stored.
    pub refresh: String,
    /// When the refresh token expires.
    pub refresh_expires_at: DateTime<Utc>,
}

/// Logs in and creates a session. An unknown email address, a wrong password and a deactivated account take the same
/// time and return the same error.
/// # Errors
/// INVALID_CREDENTIALS; EMAIL_NOT_VERIFIED if the settings require verification, and only with the correct password;
/// [`Error::TooManyAttempts`].
pub async fn login(context: LoginContext<'_>, origin: &RequestOrigin, email: &str, password: String) -> Result<Login> {
    let wrong =
        || Error::user(UserErrorCode::InvalidCredentials, "email", "the email address or password is incorrect");
    // Passwords are never this long, and hashing them would be expensive.
    if password.chars().nth(MAX_PASSWORD).is_some() {
        return Err(wrong());
    }
    // A malformed address matches no user; the lookup takes the same path and time as for any other address, and each
    // of them has a counter of its own.
    let malformed = || text::trim(email).to_lowercase().chars().take(MAX_MALFORMED_EMAIL).collect();
    let email = text::normalize_email("email", email).unwrap_or_else(|_| malformed());
    let attempt =
        throttle::count_attempt(context.db, context.attempts, AttemptKind::Login, origin, Some(&email)).await?;
    let found = context.db.read(async |conn| users::store::find_login(conn, &email).await).await?;
    let (user, hash) = found.map_or((None, None), |(user, hash)| (Some(user), hash));
    match context.passwords.verify(password, hash.clone()).await {
        Ok(true) => {}
        Ok(false) => return Err(wrong()),
        Err(error) => {
            // The password was not checked, so the attempt does not count.
            context.db.transaction(async |conn| throttle::undo_attempt(conn, &attempt).await).await?;
            return Err(error);
        }
    }
    let user = user.ok_or_else(wrong)?;
    if user.email_verified_at.is_none() {
        // In private mode a login after registering would reveal that the address had no account.
        if context.accounts.registration == RegistrationMode::Private {
            return Err(wrong());
        }
        if context.accounts.login_needs_verification {
            let rule = "verify your email address first; use the link in the verification email";
            return Err(Error::user(UserErrorCode::EmailNotVerified, "email", rule));
        }
    }
    let opened = context
        .db
        .transaction(async |conn| {
            // Check again: the password may have changed during hashing.
            if users::store::lock_login(conn, user.id).await? != hash {
                return Err(wrong());
            }
            throttle::record_success(conn, &attempt).await?;
            open_session(conn, context, user.id, origin).await
        })
        .await?;
    Ok(Login { tokens: issue_tokens(context, user.id, opened).await?, user })
}

/// A new or refreshed session with its refresh token.
pub(super) struct OpenedSession {
    session: SessionId,
    refresh: String,
    expires_at: DateTime<Utc>,
    role: Role,
}

/// Creates a session within the caller's transaction. [`issue_tokens`] issues its tokens afterwards.
pub(super) async fn open_session(
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
    roles::find_by_user(conn, user).await?.ok_or_else(|| Error::Internal("the user has no role".into()))
}

/// Issues the tokens of a session, after its transaction.
pub(super) async fn issue_tokens(context: LoginContext<'_>, user: UserId, opened: OpenedSession) -> Result<Tokens> {
    let OpenedSession { session, refresh, expires_at, role } = opened;
    let identity = Identity {
        user,
        auth_method: AuthMethod::Session(session),
        role: role.row.code,
        permissions: role.permissions,
        websites: role.websites,
    };
    // A role newer than the cache would grant nothing yet.
    if context
        .cache
        .role_grant(&identity.role)
        .is_none_or(|known| !known.permissions.contains_all(identity.permissions))
    {
        refresh_cache(context.db, context.cache).await?;
    }
    Ok(Tokens { access: context.jwt.issue(&identity)?, refresh, refresh_expires_at: expires_at })
}

/// The outcome of using a refresh token.
enum RefreshOutcome {
    Refreshed(UserId, OpenedSession),
    /// The token was used before. Its session is ended, because either use may be the attacker's.
    Reused(UserId, SessionId),
    Rejected,
}

/// Refreshes the tokens of a session. A refresh token can be used once; for ten seconds more in case the response was
/// lost.
/// # Errors
/// INVALID_TOKEN if it is unknown or was used before, or its session has ended.
pub async fn refresh(context: LoginContext<'_>, origin: &RequestOrigin, token: &str) -> Result<Tokens> {
    let outcome =
        context.db.transaction(async |conn| rotate_token(conn, context, origin, &secret::hash(token)).await).await?;
    match outcome {
        RefreshOutcome::Refreshed(user, opened) => return issue_tokens(context, user, opened).await,
        RefreshOutcome::Reused(user, session) => {
            tracing::warn!(user = user.0, session = session.0, "refresh token reused; session ended");
            refresh_cache(context.db, context.cache).await?;
        }
        RefreshOutcome::Rejected => {}
    }
    Err(Error::user(UserErrorCode::InvalidToken, "refreshToken", "the session has ended; log in again"))
}

async fn rotate_token(
    conn: &Conn,
    context: LoginContext<'_>,
    origin: &RequestOrigin,
    hash: &[u8],
) -> Result<RefreshOutcome> {
    let Some(id) = sessions::find_by_token(conn, hash).await? else { return Ok(RefreshOutcome::Rejected) };
    // Concurrent refreshes of the session wait here.
    let Some(session) = sessions::lock(conn, id).await? else { return Ok(RefreshOutcome::Rejected) };
    let now = sessions::now(conn).await?;
    if session.ended_at.is_some() || session.expires_at <= now {
        return Ok(RefreshOutcome::Rejected);
    }
    let Some(token) = sessions::find_token(conn, hash).await? else { return Ok(RefreshOutcome::Rejected) };
    match token.used_at {
        // First use: also invalidates tokens issued in parallel during a grace period.
        None => sessions::update_tokens_used(conn, id).await?,
        // Repeated, for example by another tab. A token without a successor was invalidated by the use of a parallel one, so
        // that two clients cannot go on with a token each.
        Some(used)
            if now - used <= REFRESH_GRACE_PERIOD && sessions::has_unused_successors_only(conn, token.id).await? => {}
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
/// UNAUTHENTICATED for anonymous viewers, FORBIDDEN for API keys; NOT_FOUND if the viewer has no such active session.
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

/// Ends the session of a refresh token, or else the current session. A session that has already ended is not an error.
/// # Errors
/// INVALID_TOKEN for an unknown refresh token. Without one: UNAUTHENTICATED for anonymous viewers, FORBIDDEN for API
/// keys.
pub async fn logout(db: &Db, cache: &PermissionCache, viewer: &Viewer, refresh_token: Option<&str>) -> Result<()> {
    let current = if refresh_token.is_none() { Some(viewer.require_session()?) } else { None };
    db.transaction(async |conn| {
        let (user, session) = match (current, refresh_token) {
            (Some(current), _) => current,
            (None, token) => session_of_token(conn, token.unwrap_or_default()).await?,
        };
        sessions::update_ended(conn, user, session).await.map(drop)
    })
    .await?;
    refresh_cache(db, cache).await
}

/// Locks the session to which a refresh token belongs, used or not.
async fn session_of_token(conn: &Conn, token: &str) -> Result<(UserId, SessionId)> {
    let unknown = || Error::user(UserErrorCode::InvalidToken, "refreshToken", "there is no session of this token");
    let id = sessions::find_by_token(conn, &secret::hash(token)).await?.ok_or_else(unknown)?;
    let session = sessions::lock(conn, id).await?.ok_or_else(unknown)?;
    Ok((session.user_id, session.id))
}

/// Ends all sessions of the viewer.
/// # Errors
/// UNAUTHENTICATED for anonymous viewers, FORBIDDEN for API keys.
pub async fn logout_everywhere(db: &Db, cache: &PermissionCache, viewer: &Viewer) -> Result<()> {
    let (me, _) = viewer.require_session()?;
    db.transaction(async |conn| end_other_sessions(conn, me, None).await).await?;
    refresh_cache(db, cache).await
}

/// Ends all sessions of a user except the one to keep, within the caller's transaction. The caller must call
/// [`refresh_cache`] afterwards.
/// # Errors
/// Database errors.
pub async fn end_other_sessions(conn: &Conn, user: UserId, keep: Option<SessionId>) -> Result<()> {
    sessions::update_all_ended(conn, user, keep).await
}
