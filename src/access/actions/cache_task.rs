//! The background task that refreshes [`PermissionCache`] and records the use of API keys.
//! Rule: it runs forever. While the database is unreachable, cached permissions stay in use.

use std::{sync::Arc, time::Duration};

use super::{cache::refresh_cache, keys::write_last_used};
use crate::{auth::PermissionCache, db::Db};

/// Interval between two refreshes.
const REFRESH_INTERVAL: Duration = Duration::from_secs(1);

/// Refreshes the cache and records used API keys once a second, forever.
pub async fn run(db: Db, cache: Arc<PermissionCache>) {
    let mut is_unavailable = false;
    loop {
        tokio::time::sleep(REFRESH_INTERVAL).await;
        let done = async {
            refresh_cache(&db, &cache).await?;
            write_last_used(&db, &cache).await
        };
        match done.await {
            Ok(()) => is_unavailable = false,
            Err(error) if !is_unavailable => {
                tracing::warn!(%error, "permission cache could not be refreshed");
                is_unavailable = true;
            }
            Err(_) => {}
        }
    }
}
