//! API keys, with which programs act for a user.
//! Rule: a key can never do more than its own permissions and its owner's current role allow, and it cannot create
//! keys.

use std::sync::Arc;

use chrono::{Duration, Utc};

use super::cache::refresh_cache;
use crate::{
    access::{
        model::keys::{ApiKey, MAX_KEYS, NewApiKey},
        store::keys,
    },
    auth::{AuthMethod, CachedApiKey, Identity, PermissionCache, Scope, Viewer, secret},
    db::Db,
    error::{Error, Result, UserErrorCode},
    ids::ApiKeyId,
    users,
};

/// Prefix of all keys, by which people and secret scanners recognize them.
const KEY_PREFIX: &str = "souk_k_";

/// Number of letters after the prefix, by which users distinguish their keys.
const SUFFIX_LENGTH: usize = 8;

/// Length of a key: prefix, letters, `_`, and 256 bits in base64url.
const KEY_LENGTH: usize = KEY_PREFIX.len() + SUFFIX_LENGTH + 1 + 43;

/// Minimum interval between two records of a key's use.
const LAST_USED_INTERVAL: Duration = Duration::minutes(1);

/// Creates a key. The second value is the key in clear text, which is not stored.
/// # Errors
/// UNAUTHENTICATED for anonymous viewers, FORBIDDEN for API keys; PERMISSION_NOT_HELD for permissions or websites
/// that the viewer does not have; user errors for invalid fields.
pub async fn create(db: &Db, viewer: &Viewer, new: NewApiKey) -> Result<(ApiKey, String)> {
    let (me, _) = viewer.require_session()?;
    let new = new.checked()?;
    if !viewer.permissions().contains_all(new.permissions) {
        return Err(Error::user(
            UserErrorCode::PermissionNotHeld,
            "permissions",
            "a key cannot have permissions that you do not have",
        ));
    }
    if !new.websites.iter().all(|website| viewer.can_access_website(*website)) {
        return Err(Error::user(
            UserErrorCode::PermissionNotHeld,
            "websites",
            "your role is limited to other websites",
        ));
    }
    db.transaction(async |conn| {
        // The lock prevents concurrent requests from exceeding the limit.
        let user = users::store::lock(conn, &Scope::Own(me), me).await?;
        user.ok_or_else(|| Error::not_found("", "user"))?;
        if keys::count(conn, me).await? >= MAX_KEYS {
            let rule = format!("you already have {MAX_KEYS} keys; revoke one first");
            return Err(Error::user(UserErrorCode::OutOfRange, "", rule));
        }
        let suffix: String = (0..SUFFIX_LENGTH).map(|_| char::from(rand::random_range(b'a'..=b'z'))).collect();
        let prefix = format!("{KEY_PREFIX}{suffix}");
        let (secret, hash) = secret::generate(&format!("{prefix}_"));
        let id = keys::insert(conn, me, &prefix, &hash, &new).await?;
        let key = keys::by_ids(conn, me, &[id]).await?.pop();
        Ok((key.ok_or_else(|| Error::Internal("the new API key was not found".into()))?, secret))
    })
    .await
}

/// Revokes one of the viewer's keys. This server rejects it at once, other servers within a second.
/// # Errors
/// UNAUTHENTICATED for anonymous viewers, FORBIDDEN for API keys; NOT_FOUND if the viewer has no such active key.
pub async fn revoke(db: &Db, cache: &PermissionCache, viewer: &Viewer, id: ApiKeyId) -> Result<ApiKey> {
    let (me, _) = viewer.require_session()?;
    let revoked = db
        .transaction(async |conn| {
            let key = keys::by_ids(conn, me, &[id]).await?.pop();
            let done = keys::update_revoked(conn, me, id).await?;
            key.filter(|_| done).ok_or_else(|| Error::not_found("id", "API key"))
        })
        .await?;
    refresh_cache(db, cache).await?;
    Ok(revoked)
}

/// Returns the identity of a key; none if it is unknown, revoked or expired, or its owner is deactivated.
/// [`PermissionCache::authorize`] restricts it to what the owner's role grants now.
/// # Errors
/// Database errors. The database is queried if the key was not looked up within the last second.
pub async fn find(db: &Db, cache: &PermissionCache, text: &str) -> Result<Option<Identity>> {
    // Skip the lookup for malformed keys.
    if text.len() != KEY_LENGTH || !text.starts_with(KEY_PREFIX) {
        return Ok(None);
    }
    let hash = secret::hash(text);
    let known = match cache.api_keys.get(&hash) {
        Some(known) => known,
        None => look_up(db, cache, hash).await?,
    };
    let valid = known.filter(|key| key.expires_at.is_none_or(|at| at > Utc::now()));
    Ok(valid.map(|key| key.identity.clone()))
}

async fn look_up(db: &Db, cache: &PermissionCache, hash: Vec<u8>) -> Result<Option<Arc<CachedApiKey>>> {
    let turn = cache.api_keys.generation();
    let found = db.read(async |conn| keys::find_by_hash(conn, &hash).await).await?;
    let known = found.map(|(ApiKey { row, permissions, websites }, role)| {
        if row.last_used_at.is_none_or(|at| at < Utc::now() - LAST_USED_INTERVAL) {
            cache.api_keys.record_use(row.id);
        }
        let identity =
            Identity { user: row.user_id, auth_method: AuthMethod::ApiKey(row.id), role, permissions, websites };
        Arc::new(CachedApiKey { identity, expires_at: row.expires_at })
    });
    cache.api_keys.insert(turn, hash, known.clone());
    Ok(known)
}

/// Records the use of all keys used since the last call, in one statement.
/// # Errors
/// Database errors.
pub async fn write_last_used(db: &Db, cache: &PermissionCache) -> Result<()> {
    let used = cache.api_keys.take_used();
    if used.is_empty() {
        return Ok(());
    }
    db.transaction(async |conn| keys::update_used(conn, &used).await).await
}
