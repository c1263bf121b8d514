//! Identities of the owners of webhooks: users and API keys on whose behalf the server acts later.
//! Rule: they are what the user's role and the API key grant at that time.

use crate::{
    access::store::{keys, roles},
    auth::{AuthMethod, Identity, Permission, Scope},
    db::{Conn, Db},
    error::Result,
    ids::{ApiKeyId, UserId},
    users,
};

/// Returns the identity of a user, or of an API key of the user. None if the user is deactivated, or the key is revoked or
/// expired. [`PermissionCache::authorize`](crate::auth::PermissionCache::authorize) restricts it to what the user's role grants
/// now.
/// # Errors
/// Database errors.
pub async fn find(db: &Db, user: UserId, api_key: Option<ApiKeyId>) -> Result<Option<Identity>> {
    match api_key {
        Some(key) => db.read(async |conn| keys::find_by_id(conn, key).await).await.map(|found| {
            let (key, role) = found?;
            let (permissions, websites) = (key.permissions, key.websites);
            Some(Identity { user, auth_method: AuthMethod::ApiKey(key.row.id), role, permissions, websites })
        }),
        None => db.read(async |conn| of_user(conn, user).await).await,
    }
}

async fn of_user(conn: &Conn, user: UserId) -> Result<Option<Identity>> {
    let is_active = users::store::by_ids(conn, &Scope::All, &[user]).await?.pop().is_some_and(|row| row.is_active);
    let role = roles::find_by_user(conn, user).await?.filter(|_| is_active);
    Ok(role.map(|role| Identity {
        user,
        auth_method: AuthMethod::System,
        role: role.row.code,
        permissions: Permission::ALL.iter().copied().collect(),
        websites: None,
    }))
}
