//! The task of a server that keeps [`PermissionCache`] up to date and writes down which API keys were used.
//! Rule: it never ends by itself. While the database is away, what is known stays in use.

use std::{sync::Arc, time::Duration};

use super::{cache::refresh_cache, keys::write_last_used};
use crate::{auth::PermissionCache, db::Db};

/// Pause between two looks at what other servers did.
const REFRESH_INTERVAL: Duration = Duration::from_secs(1);

/// Catches up every second, for ever, and writes down which API keys were used. While the database is away, what is known
/// goes on.
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
                tracing::warn!(%error, "cannot see which sessions ended");
                is_unavailable = true;
            }
            Err(_) => {}
        }
    }
}
