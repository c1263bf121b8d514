//! Jobs of payments: resolve pending operations, capture authorized payments, undo payments of canceled orders.
//! Rule: each job is idempotent.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{StartedOperation, apply_outcome, execute, lock, schedule_resolve, start_operation};
use crate::{
    auth::Scope,
    db::Db,
    error::{Error, Result},
    ids::{OrderId, PaymentId, PaymentOperationId},
    jobs::model::{Failure, JobInfo, JobRow},
    orders::model::Status as OrderStatus,
    payments::{
        model::{Kind, NewOperation, OperationStatus, Remaining},
        providers::{OperationOutcome, Providers},
        store,
    },
};

/// The job that resolves an operation.
pub const RESOLVE: JobInfo = JobInfo::queued(
    "payment_operation",
    "Asks the payment provider for the outcome of an operation that has none yet.",
);
/// The job that captures an authorized payment.
pub const CAPTURE: JobInfo =
    JobInfo::queued("payment_capture", "Captures an authorized payment at once, if SOUK_PAYMENT_CAPTURE is `at_once`.");

/// Delay after the first attempt to resolve an operation; doubled by each further attempt, up to [`MAX_BACKOFF`].
const INITIAL_BACKOFF: Duration = Duration::from_secs(10);
/// Maximum delay between attempts.
const MAX_BACKOFF: Duration = Duration::from_secs(3600);

/// Payload of a job that resolves an operation.
#[derive(Debug, Serialize, Deserialize)]
pub struct OperationJob {
    /// The operation.
    pub operation: PaymentOperationId,
    /// Source of an authorization. It is stored only here and is deleted when the operation is settled.
    pub source: Option<String>,
    /// Number of earlier attempts.
    pub looks: u32,
}

/// Resolves a pending operation: looks up its outcome, and executes it if the provider has never received it. While the
/// outcome is unknown, another job is queued, so that attempts never run out.
/// # Errors
/// Database errors.
pub async fn resolve_pending(db: &Db, providers: &Providers, job: &JobRow) -> Result<(), Failure> {
    let OperationJob { operation: id, source, looks } = job.payload()?;
    let found = db.read(async |conn| {
        let Some(operation) = store::find_operation(conn, id).await? else { return Ok(None) };
        let payment = store::by_ids(conn, &Scope::All, &[operation.payment_id]).await?.pop();
        Ok(payment.map(|payment| (payment, operation)))
    });
    let Some((payment, operation)) = found.await? else { return Ok(()) };
    if operation.status != OperationStatus::Pending {
        return Ok(());
    }
    let started = StartedOperation { payment, operation, source };
    let provider = started.payment.provider;
    let why = match providers.look_up_or_execute(provider, &started.call()).await {
        Ok(outcome) => {
            apply_outcome(db, providers, &started, &outcome).await?;
            match outcome {
                OperationOutcome::Pending { .. } => "the operation is pending at the provider",
                OperationOutcome::Done { .. } | OperationOutcome::Declined { .. } => return Ok(()),
            }
            .to_owned()
        }
        Err(unknown) => unknown.0,
    };
    tracing::warn!(
        operation = id.0,
        provider = provider.as_str(),
        looks,
        why,
        "payment operation unresolved, retry scheduled"
    );
    let pause = (INITIAL_BACKOFF * 2_u32.pow(looks.min(10))).min(MAX_BACKOFF);
    db.transaction(async |conn| {
        // Under the payment's lock, so that the operation is not settled concurrently and the new job left behind.
        lock(conn, started.payment.id).await?;
        match store::find_operation(conn, id).await? {
            Some(operation) if operation.status == OperationStatus::Pending => {
                schedule_resolve(conn, &operation, started.source.clone(), looks.saturating_add(1), pause).await
            }
            _ => Ok(()),
        }
    })
    .await?;
    Ok(())
}

#[derive(Deserialize)]
struct CaptureJob {
    payment: PaymentId,
}

/// Captures the whole authorized amount of a payment.
/// # Errors
/// Database errors.
pub async fn capture_authorized(db: &Db, providers: &Providers, job: &JobRow) -> Result<(), Failure> {
    let CaptureJob { payment } = job.payload()?;
    // If the order was canceled in the meantime, its payment is voided by another job.
    start_all(db, providers, payment, |status| status != OrderStatus::Cancelled, &[Kind::Capture], None).await?;
    Ok(())
}

#[derive(Deserialize)]
struct CancelledOrderJob {
    order: OrderId,
}

/// Undoes the payment of a canceled order: voids the authorized amount and refunds the captured one. Operations that
/// are pending now queue another such job when they succeed.
/// # Errors
/// Database errors.
pub async fn reverse_cancelled(db: &Db, providers: &Providers, job: &JobRow) -> Result<(), Failure> {
    let CancelledOrderJob { order } = job.payload()?;
    let Some(payment) = db.read(async |conn| store::find_active(conn, order).await).await? else { return Ok(()) };
    let reason = Some("the order was canceled");
    start_all(
        db,
        providers,
        payment.id,
        |status| status == OrderStatus::Cancelled,
        &[Kind::Void, Kind::Refund],
        reason,
    )
    .await?;
    Ok(())
}

/// Executes those operations of these kinds that are possible, if the order has the expected status. A declined
/// operation is recorded in the order's history and left to staff.
async fn start_all(
    db: &Db,
    providers: &Providers,
    id: PaymentId,
    is_expected: impl Fn(OrderStatus) -> bool + Send + Sync,
    kinds: &[Kind],
    reason: Option<&str>,
) -> Result<()> {
    let started = db.transaction(async |conn| {
        let mut started = Vec::new();
        let Some((order, payment, _)) = lock(conn, id).await? else { return Ok(started) };
        if !is_expected(order.status) {
            return Ok(started);
        }
        let operations = store::operations_by_payment_ids(conn, &[id]).await?;
        let left = Remaining::of(&payment, &operations);
        for kind in kinds {
            let amount = match left.amount(*kind, None) {
                Ok(amount) => amount,
                Err(Error::User(_)) => continue,
                Err(error) => return Err(error),
            };
            let reason = reason.map(ToOwned::to_owned);
            let new = NewOperation { payment_id: id, kind: *kind, amount, user_id: None, reason };
            started.push(start_operation(conn, providers, payment.clone(), &new, None).await?);
        }
        Ok(started)
    });
    for started in started.await? {
        execute(db, providers, &started).await?;
    }
    Ok(())
}
