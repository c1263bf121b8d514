//! Clearing away what is over: old tokens of mails, old sessions, old counters of attempts.

use std::time::Duration;

use crate::{
    access::{
        model::{KEPT, throttle::KNOWN_FOR},
        store::{sessions, throttle, tokens},
    },
    db::Db,
    error::Result,
};

/// Pause between two rounds.
const PAUSE: Duration = Duration::from_secs(3600);

/// Deletes tokens that have been over for 30 days, sessions that have been for 90, since until then they tell from where an
/// account is used, and counters of attempts that have faded; how many.
/// # Errors
/// Those of the database.
pub async fn tidy(db: &Db) -> Result<usize> {
    db.transaction(async |conn| {
        let now = sessions::now(conn).await?;
        Ok(tokens::delete_over(conn, now - KEPT).await?
            + sessions::delete_over(conn, now - KNOWN_FOR).await?
            + throttle::delete_faded(conn).await?)
    })
    .await
}

/// Does so every hour, for ever. Several servers may: what one has deleted is not there for the others.
pub async fn keep_tidy(db: Db) {
    loop {
        match tidy(&db).await {
            Ok(0) => {}
            Ok(count) => tracing::info!(count, "deleted old tokens, sessions and counters"),
            Err(error) => tracing::warn!(%error, "cannot delete old tokens, sessions and counters"),
        }
        tokio::time::sleep(PAUSE).await;
    }
}
