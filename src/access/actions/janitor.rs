//! Clearing away what is over: old tokens of mails, old sessions.

use std::time::Duration;

use crate::{
    access::{
        model::KEPT,
        store::{sessions, tokens},
    },
    db::Db,
    error::Result,
};

/// Pause between two rounds.
const PAUSE: Duration = Duration::from_secs(3600);

/// Deletes tokens and sessions that have been over for 30 days; how many.
/// # Errors
/// Those of the database.
pub async fn tidy(db: &Db) -> Result<usize> {
    db.transaction(async |conn| {
        let before = sessions::now(conn).await? - KEPT;
        Ok(tokens::delete_over(conn, before).await? + sessions::delete_over(conn, before).await?)
    })
    .await
}

/// Does so every hour, for ever. Several servers may: what one has deleted is not there for the others.
pub async fn keep_tidy(db: Db) {
    loop {
        match tidy(&db).await {
            Ok(0) => {}
            Ok(count) => tracing::info!(count, "deleted old tokens and sessions"),
            Err(error) => tracing::warn!(%error, "cannot delete old tokens and sessions"),
        }
        tokio::time::sleep(PAUSE).await;
    }
}
