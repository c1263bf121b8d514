//! Keeping the register of [`Live`] up to date, and the notes of it in the database.

use std::{collections::HashMap, time::Duration};

use super::keys::write_uses;
use crate::{
    access::store::{roles, sessions},
    auth::{Live, News},
    db::Db,
    error::Result,
};

/// Pause between two looks at what other servers did.
const PAUSE: Duration = Duration::from_secs(1);

/// Takes in what has changed, here and elsewhere.
/// # Errors
/// Those of the database.
pub async fn catch_up(db: &Db, live: &Live) -> Result<()> {
    // The time is read first: what happens between the statements is seen next time again.
    let at = db.read(sessions::now).await?;
    let since = live.since().unwrap_or_else(|| at - live.horizon());
    let (ended, moved, all) = futures_util::future::try_join3(
        db.read(async |conn| sessions::ended_since(conn, since).await),
        db.read(async |conn| sessions::moved_since(conn, since).await),
        db.read(roles::all),
    )
    .await?;
    let roles: HashMap<_, _> = all.into_iter().map(|role| (role.row.code.clone(), role.grant())).collect();
    live.take(News { at, ended, moved, roles });
    Ok(())
}

/// Catches up every second, for ever, and writes down which API keys were used. While the database is away, what is known
/// goes on.
pub async fn keep_up(db: Db, live: std::sync::Arc<Live>) {
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
