//! Use cases of payments; this file has what they share: starting an operation and executing it.
//! Rule: locks are taken in the order idempotency key, order, payment; none is held while a provider is called.

mod create;
mod operations;
pub mod reconcile;
mod settle;
pub mod webhooks;

use std::time::Duration;

use chrono::Utc;
use serde_json::json;

pub use self::{
    create::{PaymentRequest, create},
    operations::{OperationRequest, capture, refund, void},
    settle::settle,
};
use super::{
    model::{NewOperation, OperationRow, PaymentRow, SettleOutcome},
    providers::{Call, OperationOutcome, Providers},
    store,
};
use crate::{
    auth::{Permission, Scope, Viewer},
    db::{Conn, Db},
    error::{Error, Result},
    ids::{JobId, PaymentId, WebsiteId},
    jobs::{self, model::NewJob},
    orders,
};

/// Time after the provider's timeout at which the job that resolves an operation runs.
const GRACE: Duration = Duration::from_secs(5);

/// Returns the scope of payments that the viewer can see: those of their own orders and, for staff who manage orders or
/// payments, those of their websites. Sellers do not see the payments of orders with their products.
pub fn scope(viewer: &Viewer) -> Scope {
    let staff = [Permission::ManageOrders, Permission::ManagePayments].into_iter().find(|staff| viewer.can(*staff));
    viewer.scope(staff.unwrap_or(Permission::ManageOrders))
}

/// A committed operation that is to be executed.
struct StartedOperation {
    payment: PaymentRow,
    operation: OperationRow,
    source: Option<String>,
}

impl StartedOperation {
    fn call(&self) -> Call {
        let (payment, operation) = (&self.payment, &self.operation);
        Call {
            key: operation.key,
            kind: operation.kind,
            method: payment.method,
            amount: operation.amount,
            currency: payment.currency(),
            reference: payment.provider_reference.clone(),
            source: self.source.clone(),
        }
    }
}

/// First step: inserts the operation and the job that resolves it if no response or webhook does.
async fn start_operation(
    conn: &Conn,
    providers: &Providers,
    payment: PaymentRow,
    new: &NewOperation,
    source: Option<String>,
) -> Result<StartedOperation> {
    let operation = store::insert_operation(conn, new).await?;
    schedule_resolve(conn, &operation, source.clone(), 0, providers.timeout() + GRACE).await?;
    Ok(StartedOperation { payment, operation, source })
}

/// Queues the job that resolves a pending operation after a pause.
/// # Errors
/// Database errors.
pub async fn schedule_resolve(
    conn: &Conn,
    operation: &OperationRow,
    source: Option<String>,
    looks: u32,
    pause: Duration,
) -> Result<()> {
    let payload = json!(reconcile::OperationJob { operation: operation.id, source, looks });
    // The job has no user: the source alone is not personal data, and erasing a user must not delete the job.
    let job = NewJob { kind: reconcile::RESOLVE.kind, payload, user_id: None, run_at: Some(Utc::now() + pause) };
    let job: JobId = jobs::store::insert(conn, &job).await?;
    store::update_job(conn, operation.id, job).await
}

/// Second and third step: calls the provider and settles the outcome. If the outcome is unknown, the operation stays
/// pending for the job.
async fn execute(db: &Db, providers: &Providers, started: &StartedOperation) -> Result<()> {
    let name = started.payment.provider;
    match providers.execute(name, &started.call()).await {
        Ok(outcome) => apply_outcome(db, providers, started, &outcome).await,
        Err(unknown) => {
            let (operation, why) = (started.operation.id.0, unknown.0);
            tracing::warn!(operation, provider = name.as_str(), why, "payment operation outcome unknown");
            Ok(())
        }
    }
}

/// Settles the outcome of a provider's response.
async fn apply_outcome(
    db: &Db,
    providers: &Providers,
    started: &StartedOperation,
    outcome: &OperationOutcome,
) -> Result<()> {
    let (name, key) = (started.payment.provider, started.operation.key);
    let settled = db.transaction(async |conn| settle(conn, providers, name, key, outcome).await).await?;
    if settled == SettleOutcome::Conflict {
        let operation = started.operation.id.0;
        tracing::error!(
            operation,
            provider = name.as_str(),
            "provider response contradicts settled operation, needs review"
        );
    }
    Ok(())
}

/// Reads a payment again after a change; the caller has checked that it is visible.
async fn reread(db: &Db, id: PaymentId) -> Result<PaymentRow> {
    let found = db.read(async |conn| store::by_ids(conn, &Scope::All, &[id]).await).await?.pop();
    found.ok_or_else(|| Error::Internal("the payment no longer exists".into()))
}

/// Locks the order of a payment, then the payment; returns both in their current state, and the website.
async fn lock(conn: &Conn, id: PaymentId) -> Result<Option<(orders::model::OrderRow, PaymentRow, WebsiteId)>> {
    let Some(found) = store::by_ids(conn, &Scope::All, &[id]).await?.pop() else { return Ok(None) };
    let missing = || Error::Internal("the order of a payment does not exist".into());
    let order = orders::store::lock(conn, &Scope::All, found.order_id).await?.ok_or_else(missing)?;
    let payment = store::lock(conn, id).await?.ok_or_else(missing)?;
    let website = order.source_website_id;
    Ok(Some((order, payment, website)))
}
