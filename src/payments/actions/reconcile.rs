//! What jobs do with payments: look after operations that are pending, capture what is authorised, undo what was paid for
//! a cancelled order. Rule: each may run twice, and finds nothing left to do the second time.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{StartedOperation, apply_outcome, execute, lock, schedule_resolve, start_operation};
use crate::{
    auth::Scope,
    db::Db,
    error::{Error, Result},
    ids::{OrderId, PaymentId, PaymentOperationId},
    jobs::model::{Failure, JobRow},
    orders::model::Status as OrderStatus,
    payments::{
        model::{Kind, NewOperation, OperationStatus, Remaining},
        providers::{OperationOutcome, Providers},
        store,
    },
};

/// The kind of the jobs that look after an operation.
pub const OPERATION: &str = "payment_operation";
/// The kind of the jobs that capture what is authorised.
pub const CAPTURE: &str = "payment_capture";

/// The pause after the first look; each further one doubles it, up to an hour.
const INITIAL_BACKOFF: Duration = Duration::from_secs(10);
/// The longest pause.
const MAX_BACKOFF: Duration = Duration::from_secs(3600);

/// Which operation to look after.
#[derive(Debug, Serialize, Deserialize)]
pub struct OperationJob {
    /// Which.
    pub operation: PaymentOperationId,
    /// The source of an authorisation. This is the only place that holds it, and goes with the operation's end.
    pub source: Option<String>,
    /// How often somebody looked before.
    pub looks: u32,
}

/// Finds out what became of an operation, and asks for it again where the provider never heard of it. As long as nobody
/// knows, another job looks later: this one is never dead for that.
/// # Errors
/// Those of the database.
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
    let why = match providers.look_up_or_execute(provider, &started.call()?).await {
        Ok(outcome) => {
            apply_outcome(db, providers, &started, &outcome).await?;
            match outcome {
                OperationOutcome::Pending { .. } => "it is pending",
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
        "a payment operation is looked after later"
    );
    let pause = (INITIAL_BACKOFF * 2_u32.pow(looks.min(10))).min(MAX_BACKOFF);
    db.transaction(async |conn| {
        // Under the payment's lock, so that nobody settles it meanwhile and leaves the new job behind.
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

/// Captures all that is authorised of a payment.
/// # Errors
/// Those of the database.
pub async fn capture_authorized(db: &Db, providers: &Providers, job: &JobRow) -> Result<(), Failure> {
    let CaptureJob { payment } = job.payload()?;
    // What is cancelled meanwhile is voided by a job of its own.
    start_all(db, providers, payment, |status| status != OrderStatus::Cancelled, &[Kind::Capture], None).await?;
    Ok(())
}

#[derive(Deserialize)]
struct CancelledOrderJob {
    order: OrderId,
}

/// Undoes the payment of a cancelled order: what is only authorised is voided, what is paid is refunded. What is pending
/// at this moment brings another such job when it succeeds.
/// # Errors
/// Those of the database.
pub async fn reverse_cancelled(db: &Db, providers: &Providers, job: &JobRow) -> Result<(), Failure> {
    let CancelledOrderJob { order } = job.payload()?;
    let Some(payment) = db.read(async |conn| store::find_active(conn, order).await).await? else { return Ok(()) };
    let reason = Some("the order was cancelled");
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

/// Does all of these kinds that can be done with a payment whose order is in the right state. What the provider refuses
/// stands in the history of the order, and is for people to see to.
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
