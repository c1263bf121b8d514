//! Settling: what news of an operation come to, whoever brings them.
//! Rule: the first news that say it for good win, the same again are known, and what contradicts them changes nothing.

use serde_json::json;
use uuid::Uuid;

use super::lock;
use crate::{
    db::Conn,
    error::{Error, Result},
    jobs::{self, model::NewJob},
    orders::model::{CANCELLED, OrderRow, Status as OrderStatus},
    payments::{
        actions::reconcile::CAPTURE,
        model::{Kind, OperationRow, OperationStatus, ProviderName, SettleOutcome, sanitize},
        providers::{OperationOutcome, Providers},
        store,
    },
};

/// Takes news of the operation with this key. In the caller's transaction, which locked nothing of orders and payments.
/// # Errors
/// Those of the database.
pub async fn settle(
    conn: &Conn,
    providers: &Providers,
    provider: ProviderName,
    key: Uuid,
    outcome: &OperationOutcome,
) -> Result<SettleOutcome> {
    let Some(found) = store::find_operation_by_key(conn, provider, key).await? else {
        return Ok(SettleOutcome::Unknown);
    };
    let missing = || Error::Internal("an operation without its payment".into());
    let (order, ..) = lock(conn, found.payment_id).await?.ok_or_else(missing)?;
    // As it is now that nobody else can settle it.
    let operation = store::find_operation(conn, found.id).await?.ok_or_else(missing)?;
    match (operation.status, outcome) {
        (OperationStatus::Pending, OperationOutcome::Done { reference }) => {
            finish(conn, &operation, OperationStatus::Succeeded, sanitize(reference).as_deref(), None).await?;
            enqueue_follow_up(conn, providers, provider, &order, &operation).await?;
        }
        (OperationStatus::Pending, OperationOutcome::Declined { failure }) => {
            let failure = sanitize(failure).unwrap_or_else(|| "refused".to_owned());
            finish(conn, &operation, OperationStatus::Failed, None, Some(&failure)).await?;
        }
        (OperationStatus::Pending, OperationOutcome::Pending { reference }) => {
            if let Some(reference) = reference.as_deref().and_then(sanitize) {
                store::update_reference(conn, operation.id, &reference).await?;
            }
        }
        (OperationStatus::Succeeded, OperationOutcome::Done { .. } | OperationOutcome::Pending { .. })
        | (OperationStatus::Failed, OperationOutcome::Declined { .. } | OperationOutcome::Pending { .. }) => {
            return Ok(SettleOutcome::Known);
        }
        (OperationStatus::Succeeded, OperationOutcome::Declined { .. })
        | (OperationStatus::Failed, OperationOutcome::Done { .. }) => {
            return Ok(SettleOutcome::Conflict);
        }
    }
    Ok(SettleOutcome::Applied)
}

/// Settles an operation for good, and takes the job along that looked after it: the last place of the source.
async fn finish(
    conn: &Conn,
    operation: &OperationRow,
    status: OperationStatus,
    reference: Option<&str>,
    failure: Option<&str>,
) -> Result<()> {
    store::update_settled(conn, operation.id, status, reference, failure).await?;
    match operation.job_id {
        Some(job) => jobs::store::delete(conn, job).await,
        None => Ok(()),
    }
}

/// What follows from an operation that succeeded: money that came in for an order that is cancelled by now goes back, and
/// what is promised is captured where the shop wants it at once.
async fn enqueue_follow_up(
    conn: &Conn,
    providers: &Providers,
    provider: ProviderName,
    order: &OrderRow,
    operation: &OperationRow,
) -> Result<()> {
    let (kind, payload) = match operation.kind {
        Kind::Authorize | Kind::Capture if order.status == OrderStatus::Cancelled => {
            (CANCELLED, json!({ "order": order.id }))
        }
        Kind::Authorize if providers.captures_immediately(provider) => {
            (CAPTURE, json!({ "payment": operation.payment_id }))
        }
        _ => return Ok(()),
    };
    jobs::store::enqueue(conn, &NewJob { kind, payload, user_id: None, run_at: None }).await
}
