//! The job that deletes old searches and updates the popular searches.
//! Rule: a search is suggested to others only if enough different people made it, if it contains no personal data, if no
//! single seller can have planted its words, and if staff do not block it.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    analytics::store::{self, MAX_DELETED},
    config::AnalyticsSettings,
    db::Db,
    error::Result,
    ids::SearchId,
    jobs::model::{JobInfo, JobRow},
    search::store::popular_searches,
};

/// The job.
pub const JOB: JobInfo = JobInfo::recurring(
    "refresh_analytics",
    Duration::from_secs(3600),
    "Deletes recorded searches after their retention period and updates the suggested queries.",
);
/// Period over which popular searches are determined.
const POPULARITY_PERIOD: TimeDelta = TimeDelta::days(30);
/// Maximum number of popular searches per website, and across all websites.
const MAX_POPULAR_SEARCHES: i64 = 10_000;

/// Runs the job.
/// # Errors
/// Database errors.
pub async fn run(db: &Db, settings: AnalyticsSettings, _: &JobRow) -> Result<()> {
    refresh(db, settings).await
}

/// Deletes searches and clicks past their retention, and updates the popular searches.
/// # Errors
/// Database errors.
pub async fn refresh(db: &Db, settings: AnalyticsSettings) -> Result<()> {
    let deleted = delete_old(db, Utc::now() - settings.retention()).await?;
    if deleted > 0 {
        tracing::info!(deleted, "old searches and clicks deleted");
    }
    update_popular_searches(db, Utc::now() - POPULARITY_PERIOD, settings.search_shared_by).await
}

/// Deletes searches and clicks before this time, in batches to keep transactions short. Returns their number.
async fn delete_old(db: &Db, before: DateTime<Utc>) -> Result<usize> {
    let before = SearchId::first_at(before);
    let mut deleted = 0;
    loop {
        let searches = db.transaction(async |conn| store::delete_searches_before(conn, before).await).await?;
        let clicks = db.transaction(async |conn| store::delete_clicks_before(conn, before).await).await?;
        deleted += searches + clicks;
        let max_deleted = usize::try_from(MAX_DELETED).unwrap_or(usize::MAX);
        if searches < max_deleted && clicks < max_deleted {
            return Ok(deleted);
        }
    }
}

/// Replaces the popular searches with those made by at least `min_people` people since this time.
async fn update_popular_searches(db: &Db, since: DateTime<Utc>, min_people: u32) -> Result<()> {
    let since = SearchId::first_at(since);
    db.transaction(async |conn| {
        let rows = store::popular_since(conn, since, i64::from(min_people), MAX_POPULAR_SEARCHES).await?;
        let rows = popular_searches::sold_by_several(conn, rows).await?;
        popular_searches::replace(conn, &rows).await?;
        popular_searches::delete_blocked(conn, None).await
    })
    .await
}
