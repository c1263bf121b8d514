//! SQL statements on `transfers`, except for those of a running import, which are in `import::store`.
//! Rule: reads for a viewer take a [`TransferScope`]; the others are for jobs.

use chrono::{DateTime, Utc};
use diesel::{dsl::now, pg::Pg, prelude::*};
use diesel_async::RunQueryDsl;
use serde_json::json;

use super::model::{NewTransfer, Status, TransferCondition, TransferOrderField, TransferRow, TransferScope};
use crate::{
    db::{
        Conn,
        filter::Condition,
        sql::{CountUpTo, op},
        tables::transfers,
    },
    error::Result,
    ids::TransferId,
    paged,
    paging::List,
    websites::store::website_op,
};

/// A list of transfers.
pub type TransferList = List<TransferCondition, TransferOrderField>;

type Rows =
    diesel::dsl::IntoBoxed<'static, diesel::dsl::Select<transfers::table, diesel::dsl::AsSelect<TransferRow, Pg>>, Pg>;

fn visible(scope: &TransferScope) -> Condition<'static, transfers::table> {
    let of_resources =
        transfers::resource.eq_any(scope.resources.iter().map(|resource| resource.as_str()).collect::<Vec<_>>());
    match &scope.websites {
        None => Box::new(of_resources),
        Some(websites) => {
            let website = transfers::website_id;
            let reached = website.is_not_null().and(website.assume_not_null().eq_any(websites.to_vec()));
            Box::new(of_resources.and(reached))
        }
    }
}

fn condition(condition: &TransferCondition) -> Condition<'static, transfers::table> {
    use TransferCondition as C;
    match condition {
        C::Direction(direction) => op!(direction, transfers::direction),
        C::Resource(resource) => op!(resource, transfers::resource),
        C::Status(status) => op!(status, transfers::status),
        C::Website(website) => website_op!(website, transfers::website_id.assume_not_null(), transfers::website_id),
        C::CreatedAt(at) => op!(at, transfers::created_at),
    }
}

fn rows(scope: &TransferScope, list: &TransferList) -> Rows {
    let rows = transfers::table.select(TransferRow::as_select()).into_boxed();
    let rows = if scope.is_all() { rows } else { rows.filter(visible(scope)) };
    if list.filter.is_empty() { rows } else { rows.filter(list.filter.condition(&condition)) }
}

/// Returns a page of the visible transfers.
pub async fn page(mut conn: &Conn, scope: &TransferScope, list: &TransferList) -> Result<Vec<TransferRow>> {
    let (rows, page, direction) = (rows(scope, list), &list.page, list.direction);
    let query = match list.order {
        TransferOrderField::CreatedAt => {
            paged!(rows, page, direction, transfers::created_at, DateTime<Utc>, transfers::id)
        }
    };
    Ok(query.load(&mut conn).await?)
}

/// Returns the number of visible transfers that match.
pub async fn count(mut conn: &Conn, scope: &TransferScope, list: &TransferList) -> Result<i64> {
    Ok(CountUpTo(rows(scope, list)).get_result(&mut conn).await?)
}

/// Returns the visible transfers with these IDs, in no particular order.
pub async fn by_ids(mut conn: &Conn, scope: &TransferScope, ids: &[TransferId]) -> Result<Vec<TransferRow>> {
    let query = transfers::table.filter(transfers::id.eq_any(ids)).select(TransferRow::as_select()).into_boxed();
    Ok(query.filter(visible(scope)).load(&mut conn).await?)
}

/// Returns a transfer, whether it is visible or not.
pub async fn find(mut conn: &Conn, id: TransferId) -> Result<Option<TransferRow>> {
    let query = transfers::table.find(id).select(TransferRow::as_select());
    Ok(query.first(&mut conn).await.optional()?)
}

/// Inserts a transfer, which waits to be run.
pub async fn insert(mut conn: &Conn, new: &NewTransfer) -> Result<TransferRow> {
    let query = diesel::insert_into(transfers::table).values(new).returning(TransferRow::as_returning());
    Ok(query.get_result(&mut conn).await?)
}

/// Marks a transfer as running from its start; resets the counts of an earlier run.
pub async fn update_started(mut conn: &Conn, id: TransferId) -> Result<()> {
    let counts = (
        transfers::checkpoint.eq(0),
        transfers::processed.eq(0),
        transfers::created.eq(0),
        transfers::updated.eq(0),
        transfers::unchanged.eq(0),
        transfers::rejected.eq(0),
        transfers::errors.eq(json!([])),
        transfers::rejections.eq(json!([])),
        transfers::ignored_columns.eq(json!([])),
        transfers::missing.eq(None::<i64>),
        transfers::notes.eq(json!({})),
    );
    let running = (
        transfers::status.eq(Status::Running),
        transfers::started_at.eq(now),
        transfers::finished_at.eq(None::<DateTime<Utc>>),
        transfers::failure.eq(None::<String>),
    );
    diesel::update(transfers::table.find(id)).set((counts, running)).execute(&mut conn).await?;
    Ok(())
}

/// Stores the progress.
pub async fn update_progress(mut conn: &Conn, id: TransferId, processed: i64, total: i64) -> Result<()> {
    let progress = (transfers::processed.eq(processed), transfers::total.eq(total));
    diesel::update(transfers::table.find(id)).set(progress).execute(&mut conn).await?;
    Ok(())
}

/// Marks an export as done and stores the key of its file.
pub async fn update_exported(mut conn: &Conn, id: TransferId, rows: i64, key: &str) -> Result<()> {
    let done = (
        transfers::status.eq(Status::Done),
        transfers::processed.eq(rows),
        transfers::total.eq(rows),
        transfers::output_key.eq(key),
        transfers::finished_at.eq(now),
    );
    diesel::update(transfers::table.find(id)).set(done).execute(&mut conn).await?;
    Ok(())
}

/// Stores the key of an import's rejects file.
pub async fn update_rejects(mut conn: &Conn, id: TransferId, key: &str) -> Result<()> {
    diesel::update(transfers::table.find(id)).set(transfers::rejects_key.eq(key)).execute(&mut conn).await?;
    Ok(())
}

/// Stores the number of rows of an import.
pub async fn update_total(mut conn: &Conn, id: TransferId, total: Option<i64>) -> Result<()> {
    diesel::update(transfers::table.find(id)).set(transfers::total.eq(total)).execute(&mut conn).await?;
    Ok(())
}

/// Marks a transfer as failed.
pub async fn update_failed(mut conn: &Conn, id: TransferId, failure: &str) -> Result<()> {
    let failed = (
        transfers::status.eq(Status::Failed),
        transfers::failure.eq(failure.chars().take(1000).collect::<String>()),
        transfers::finished_at.eq(now),
    );
    diesel::update(transfers::table.find(id)).set(failed).execute(&mut conn).await?;
    Ok(())
}

/// Removes the file keys of transfers that ended before this time; returns how many.
pub async fn update_files_deleted(mut conn: &Conn, before: DateTime<Utc>) -> Result<usize> {
    let has_files = transfers::output_key.is_not_null().or(transfers::rejects_key.is_not_null());
    let finished = transfers::finished_at;
    let old =
        transfers::table.filter(has_files).filter(finished.is_not_null().and(finished.assume_not_null().lt(before)));
    let none = (transfers::output_key.eq(None::<String>), transfers::rejects_key.eq(None::<String>));
    Ok(diesel::update(old).set(none).execute(&mut conn).await?)
}
