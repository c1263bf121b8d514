//! The task of a server that keeps [`PermissionCache`] up to date and writes down which API keys were used.
//! Rule: it never ends by itself. While the database is away, what is known stays in use.

use std::{sync::Arc, time::Duration};

use super::{keys::write_uses, live::catch_up};
use crate::{auth::PermissionCache, db::Db};

/// Pause between two looks at what other servers did.
const PAUSE: Duration = Duration::from_secs(1);

/// Catches up every second, for ever, and writes down which API keys were used. While the database is away, what is known
/// goes on.
pub async fn keep_up(db: Db, live: Arc<PermissionCache>) {
    let mut is_away = false;
    loop {
        tokio::time::sleep(PAUSE).await;
        let done = async {
            catch_up(&db, &live).await?;
            write_uses(&db, &live).await
        };
        match done.await {
            Ok(()) => is_away = false,
            Err(error) if !is_away => {
                tracing::warn!(%error, "cannot see which sessions ended");
                is_away = true;
            }
            Err(_) => {}
        }
    }
}
