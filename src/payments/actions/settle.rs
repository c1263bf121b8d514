//! Settling: applies the outcome of an operation, whether it comes from a response, a webhook or a job.
//! Rule: the first final outcome wins; the same outcome again is known, and a contradicting one changes nothing.

use serde_json::json;
use uuid::Uuid;

use super::lock;
use crate::{
    db::Conn,
    error::{Error, Result},
    jobs::{self, model::NewJob},
    orders::{
        self,
        model::{OrderRow, REVERSE_PAYMENTS, Status as OrderStatus},
    },
    payments::{
        actions::reconcile::CAPTURE,
        model::{Kind, OperationRow, OperationStatus, ProviderName, SettleOutcome, sanitize},
        providers::{OperationOutcome, Providers},
        store,
    },
};

/// Applies the outcome of the operation with this key. Runs in the caller's transaction, which must not have locked an
/// order or a payment before.
/// # Errors
/// Database errors.
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
    let missing = || Error::Internal("the payment of an operation does not exist".into());
    let (order, ..) = lock(conn, found.payment_id).await?.ok_or_else(missing)?;
    // Read again under the lock.
    let operation = store::find_operation(conn, found.id).await?.ok_or_else(missing)?;
    match (operation.status, outcome) {
        (OperationStatus::Pending, OperationOutcome::Done { reference }) => {
            finish(conn, &operation, OperationStatus::Succeeded, sanitize(reference).as_deref(), None).await?;
            enqueue_follow_up(conn, providers, provider, &order, &operation).await?;
            confirm_by_email(conn, providers, provider, &order, &operation).await?;
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

/// Queues the confirmation email that waited for the payment of the order. It is not paid yet if staff have to confirm
/// that the money has arrived.
async fn confirm_by_email(
    conn: &Conn,
    providers: &Providers,
    provider: ProviderName,
    order: &OrderRow,
    operation: &OperationRow,
) -> Result<()> {
    let is_paid = match operation.kind {
        Kind::Capture => true,
        Kind::Authorize => providers.get(provider).is_some_and(|provider| !provider.requires_manual_capture()),
        Kind::Void | Kind::Refund => false,
    };
    if !is_paid || order.status == OrderStatus::Cancelled {
        return Ok(());
    }
    orders::actions::queue_deferred_confirmation(conn, order).await
}

/// Settles an operation and deletes the job that resolves it, and with it the last copy of the source.
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

/// Queues what follows from a successful operation: payments of an order that was canceled in the meantime are undone,
/// and authorized payments are captured if automatic capture is on.
async fn enqueue_follow_up(
    conn: &Conn,
    providers: &Providers,
    provider: ProviderName,
    order: &OrderRow,
    operation: &OperationRow,
) -> Result<()> {
    let (kind, payload) = match operation.kind {
        Kind::Authorize | Kind::Capture if order.status == OrderStatus::Cancelled => {
            (REVERSE_PAYMENTS.kind, json!({ "order": order.id }))
        }
        Kind::Authorize if providers.captures_immediately(provider) => {
            (CAPTURE.kind, json!({ "payment": operation.payment_id }))
        }
        _ => return Ok(()),
    };
    jobs::store::enqueue(conn, &NewJob { kind, payload, user_id: None, run_at: None }).await
}
