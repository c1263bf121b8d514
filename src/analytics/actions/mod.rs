//! What is asked of searches, and the job that looks after them.

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
    db::{Conn, Db},
    error::Result,
    ids::{RowId, UserId},
};

/// How many reports are read at once: each may take long, and an operation can ask for many.
static REPORT_PERMITS: Semaphore = Semaphore::const_new(2);

/// Reads a report in its turn, on a connection of its own.
macro_rules! read {
    ($db:ident, |$conn:ident| $read:expr) => {{
        // Nobody closes it.
        let _turn = REPORT_PERMITS.acquire().await;
        $db.transaction(async |$conn| $read.await).await
    }};
}

/// How many searches there were.
/// # Errors
/// Database errors.
pub async fn count(db: &Db, report: &Report) -> Result<i64> {
    read!(db, |conn| store::count(conn, report))
}

/// How many different people searched, of those who are known by anything.
/// # Errors
/// Database errors.
pub async fn visitors(db: &Db, report: &Report) -> Result<i64> {
    read!(db, |conn| store::visitors(conn, report))
}

/// What was searched most.
/// # Errors
/// Database errors.
pub async fn terms(db: &Db, report: &Report, filter: TermFilter, limit: i64) -> Result<Vec<Term>> {
    read!(db, |conn| store::terms(conn, report, filter, limit))
}

/// How many searches were followed by a click.
/// # Errors
/// Database errors.
pub async fn click_through(db: &Db, report: &Report) -> Result<ClickThrough> {
    read!(db, |conn| store::click_through(conn, report))
}

/// How much was searched in each step of the time.
/// # Errors
/// OUT_OF_RANGE for more than 1,000 steps; those of the database.
pub async fn trends(db: &Db, report: &Report, interval: Interval) -> Result<Vec<Trend>> {
    report.check_steps(interval)?;
    read!(db, |conn| store::trends(conn, report, interval))
}

/// The searches of a user, for the export of their data.
/// # Errors
/// Those of the statement.
pub async fn personal_data(conn: &Conn, user: UserId) -> Result<Value> {
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

/// Forgets who made the searches of a user; the searches stay, and are counted.
/// # Errors
/// Those of the statement.
pub async fn erase_personal_data(conn: &Conn, user: UserId) -> Result<()> {
    store::update_anonymized(conn, user).await
}
