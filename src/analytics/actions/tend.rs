//! The job that deletes old searches, and tells the search what many have searched.
//! Rule: what is suggested to everybody was searched by enough different people, and names nobody.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    analytics::store::{self, MAX_DELETED},
    config::AnalyticsSettings,
    db::Db,
    error::Result,
    ids::SearchId,
    jobs::model::JobRow,
    search::store::popular,
};

/// The kind of the job.
pub const KIND: &str = "refresh_analytics";
/// How often it runs.
pub const PERIOD: Duration = Duration::from_secs(3600);
/// How far back what is popular was searched.
const LATELY: TimeDelta = TimeDelta::days(30);
/// Most texts that are suggested, at each website and anywhere.
const MOST: i64 = 10_000;

/// Runs the job.
/// # Errors
/// Those of the database.
pub async fn run(db: &Db, settings: AnalyticsSettings, _: &JobRow) -> Result<()> {
    tend(db, settings).await
}

/// Deletes what is kept long enough, and has the search suggest what many have searched lately.
/// # Errors
/// Those of the database.
pub async fn tend(db: &Db, settings: AnalyticsSettings) -> Result<()> {
    let deleted = delete_old(db, Utc::now() - settings.retention()).await?;
    if deleted > 0 {
        tracing::info!(deleted, "deleted old searches and clicks");
    }
    share(db, Utc::now() - LATELY, settings.search_shared_by).await
}

/// Deletes searches and clicks from before this moment, some at a time, so that nobody waits; how many.
async fn delete_old(db: &Db, before: DateTime<Utc>) -> Result<usize> {
    let before = SearchId::first_at(before);
    let mut deleted = 0;
    loop {
        let searches = db.transaction(async |conn| store::delete_searches_before(conn, before).await).await?;
        let clicks = db.transaction(async |conn| store::delete_clicks_before(conn, before).await).await?;
        deleted += searches + clicks;
        let most = usize::try_from(MAX_DELETED).unwrap_or(usize::MAX);
        if searches < most && clicks < most {
            return Ok(deleted);
        }
    }
}

/// Has the search suggest what so many different people have searched since this moment.
async fn share(db: &Db, since: DateTime<Utc>, by: u32) -> Result<()> {
    let since = SearchId::first_at(since);
    db.transaction(async |conn| {
        let rows = store::shared_since(conn, since, i64::from(by), MOST).await?;
        popular::replace(conn, &rows).await
    })
    .await
}
