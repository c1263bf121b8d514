//! Refreshes [`PermissionCache`]: ended sessions, role assignments and role permissions.

use std::collections::HashMap;

use crate::{
    access::store::{roles, sessions},
    auth::{PermissionCache, PermissionChanges},
    db::Db,
    error::Result,
};

/// Loads all changes since the last refresh, made by this or any other server.
/// # Errors
/// Database errors.
pub async fn refresh_cache(db: &Db, cache: &PermissionCache) -> Result<()> {
    // The time is read first, so that changes between the statements are loaded again next time.
    let at = db.read(sessions::now).await?;
    let since = cache.changes_since().unwrap_or_else(|| at - cache.lookback());
    let (ended, moved, all) = futures_util::future::try_join3(
        db.read(async |conn| sessions::ended_since(conn, since).await),
        db.read(async |conn| sessions::role_changes_since(conn, since).await),
        db.read(roles::all),
    )
    .await?;
    let roles: HashMap<_, _> = all.into_iter().map(|role| (role.row.code.clone(), role.grant())).collect();
    cache.apply(PermissionChanges { at, ended_sessions: ended, role_changes: moved, roles });
    Ok(())
}
