//! Use cases of search analytics: recording, reports, and the refresh job.

mod record;
pub mod refresh;

use tokio::sync::Semaphore;

pub use self::record::record;
use serde_json::{Value, json};

use super::{
    model::report::{ClickThrough, Interval, Report, Term, TermFilter, Trend},
    store,
};
use crate::{
    auth::Scope,
    db::{Conn, Db},
    error::Result,
    ids::{RowId, UserId},
};

/// Limits concurrent reports: each may take long, and an operation can request many.
static REPORT_PERMITS: Semaphore = Semaphore::const_new(2);

/// Reads a report within the concurrency limit, on its own connection.
macro_rules! read {
    ($db:ident, |$conn:ident| $read:expr) => {{
        // The semaphore is never closed, so acquire cannot fail.
        let _turn = REPORT_PERMITS.acquire().await;
        $db.transaction(async |$conn| $read.await).await
    }};
}

/// Counts the searches of a report.
/// # Errors
/// Database errors.
pub async fn count(db: &Db, report: &Report) -> Result<i64> {
    read!(db, |conn| store::count(conn, report))
}

/// Counts the distinct searchers (users and visitors) of a report. Searches without a user or visitor id are ignored.
/// # Errors
/// Database errors.
pub async fn visitors(db: &Db, report: &Report) -> Result<i64> {
    read!(db, |conn| store::visitors(conn, report))
}

/// Returns the most frequent search terms of a report.
/// # Errors
/// Database errors.
pub async fn terms(db: &Db, report: &Report, filter: TermFilter, limit: i64) -> Result<Vec<Term>> {
    read!(db, |conn| store::terms(conn, report, filter, limit))
}

/// Returns the click-through statistics of a report.
/// # Errors
/// Database errors.
pub async fn click_through(db: &Db, report: &Report) -> Result<ClickThrough> {
    read!(db, |conn| store::click_through(conn, report))
}

/// Returns the number of searches per interval.
/// # Errors
/// OUT_OF_RANGE for more than 1,000 intervals; database errors.
pub async fn trends(db: &Db, report: &Report, interval: Interval) -> Result<Vec<Trend>> {
    report.check_steps(interval)?;
    read!(db, |conn| store::trends(conn, report, interval))
}

/// Returns the searches of a user, for the export of their data.
/// # Errors
/// Database errors.
pub async fn personal_data(conn: &Conn, _: &Scope, user: UserId) -> Result<Value> {
    let rows = store::all_by_user(conn, user).await?;
    let shown = rows.iter().map(|row| {
        json!({
            "searchId": row.id.to_global_id(),
            "websiteId": row.website_id.map(RowId::to_global_id),
            "query": row.query,
            "didYouMean": row.corrected,
            "filters": row.filters,
            "results": row.results,
            "searchedAt": row.searched_at,
        })
    });
    Ok(shown.collect())
}

/// Anonymizes the searches of a user; they remain in the statistics.
/// # Errors
/// Database errors.
pub async fn erase_personal_data(conn: &Conn, user: UserId) -> Result<()> {
    store::update_anonymized(conn, user).await
}
