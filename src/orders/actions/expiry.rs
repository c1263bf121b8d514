//! Cancellation of orders that were not paid in time.
//! Rule: each order is canceled in a transaction of its own, under its lock, so that any number of servers can run the job
//! and a payment that arrives at the same moment either keeps the order or is undone.

use std::time::Duration;

use super::status::{apply_cancellation, unshipped_lines};
use crate::{
    auth::Scope,
    db::{Conn, Db},
    error::Result,
    ids::OrderId,
    jobs::model::{JobInfo, JobRow},
    orders::{
        model::{NewNote, Status},
        store,
    },
};

/// The job.
pub const JOB: JobInfo = JobInfo::recurring(
    "cancel_unpaid_orders",
    Duration::from_secs(60),
    "Cancels orders that were not paid in time, and returns their units to stock.",
);

/// How long a canceled order counts as unpaid for the limits of its client.
const COUNTED: chrono::Duration = chrono::Duration::days(1);

/// Note in the history of a canceled order.
const NOTE: &str = "Canceled automatically: the order was not paid in time.";

/// Runs the job.
/// # Errors
/// Database errors.
pub async fn run(db: &Db, _: &JobRow) -> Result<()> {
    let count = cancel_expired(db).await?;
    if count > 0 {
        tracing::info!(count, "unpaid orders canceled");
    }
    Ok(())
}

/// Cancels all orders that were not paid in time; returns how many. An order that cannot be canceled does not keep the
/// others from it.
/// # Errors
/// The last error, after all orders were tried.
pub async fn cancel_expired(db: &Db) -> Result<usize> {
    let (mut count, mut failed, mut last) = (0, None, OrderId(0));
    loop {
        let expired = db.read(async |conn| store::unpaid::expired(conn, last).await).await?;
        let Some(next) = expired.last() else { break };
        last = *next;
        for order in expired {
            match db.transaction(async |conn| cancel_if_expired(conn, order).await).await {
                Ok(is_canceled) => count += usize::from(is_canceled),
                Err(error) => {
                    tracing::error!(order = order.0, %error, "unpaid order not canceled");
                    failed = Some(error);
                }
            }
        }
    }
    db.transaction(async |conn| {
        store::email_confirmations::delete_expired(conn).await?;
        store::unpaid::delete_ended(conn, COUNTED).await
    })
    .await?;
    failed.map_or(Ok(count), Err)
}

/// Cancels an order unless it was paid, confirmed or canceled in the meantime.
async fn cancel_if_expired(conn: &Conn, id: OrderId) -> Result<bool> {
    let Some(order) = store::lock(conn, &Scope::All, id).await? else { return Ok(false) };
    if !store::unpaid::is_expired(conn, id).await? {
        return Ok(false);
    }
    if order.status != Status::Pending {
        store::unpaid::delete(conn, id).await?;
        return Ok(false);
    }
    let lines = unshipped_lines(conn, &order, "id").await?;
    apply_cancellation(conn, None, &order, &lines).await?;
    let note = NewNote { order_id: id, user_id: None, message: NOTE.to_owned(), is_internal: false };
    store::events::insert_note(conn, &note).await?;
    store::update_status(conn, id, Status::Cancelled).await?;
    Ok(true)
}
