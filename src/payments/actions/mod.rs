//! Paying, and what is done with payments. What all of it shares is here: beginning an operation, and asking for it.
//! Rule: locks are taken as everywhere, idempotency key, order, payment; and none is held while a provider is asked.

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
    money::Currency,
    orders,
};

/// How much later than the provider's time limit the job looks that looks after an operation.
const GRACE: Duration = Duration::from_secs(5);

/// The payments that a viewer may see: their own orders' and, for staff who see orders or manage payments, those of their
/// websites. Sellers see none of the orders that hold their products.
pub fn scope(viewer: &Viewer) -> Scope {
    let staff = [Permission::ManageOrders, Permission::ManagePayments].into_iter().find(|staff| viewer.can(*staff));
    viewer.scope(staff.unwrap_or(Permission::ManageOrders))
}

/// An operation that is committed, and has to be asked for.
struct StartedOperation {
    payment: PaymentRow,
    operation: OperationRow,
    source: Option<String>,
}

impl StartedOperation {
    fn call(&self) -> Result<Call> {
        let (payment, operation) = (&self.payment, &self.operation);
        let currency = Currency::parse(&payment.currency);
        Ok(Call {
            key: operation.key,
            kind: operation.kind,
            method: payment.method,
            amount: operation.amount,
            currency: currency.ok_or_else(|| Error::Internal("a payment without a currency".into()))?,
            reference: payment.provider_reference.clone(),
            source: self.source.clone(),
        })
    }
}

/// The first step: writes what is intended, and the job that looks after it should nobody else bring the news.
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

/// Queues the job that looks after an operation.
async fn schedule_resolve(
    conn: &Conn,
    operation: &OperationRow,
    source: Option<String>,
    looks: u32,
    pause: Duration,
) -> Result<()> {
    let payload = json!(reconcile::OperationJob { operation: operation.id, source, looks });
    // The source is nobody's personal data by itself, and the operation has to be looked after whoever is erased.
    let job = NewJob { kind: reconcile::OPERATION, payload, user_id: None, run_at: Some(Utc::now() + pause) };
    let job: JobId = jobs::store::insert(conn, &job).await?;
    store::update_job(conn, operation.id, job).await
}

/// The second step and the third: asks the provider, and settles by what it says. Where it says nothing, the operation
/// stays pending for the job.
async fn execute(db: &Db, providers: &Providers, started: &StartedOperation) -> Result<()> {
    let name = started.payment.provider;
    match providers.execute(name, &started.call()?).await {
        Ok(outcome) => apply_outcome(db, providers, started, &outcome).await,
        Err(unknown) => {
            let (operation, why) = (started.operation.id.0, unknown.0);
            tracing::warn!(
                operation,
                provider = name.as_str(),
                why,
                "nobody knows yet what became of a payment operation"
            );
            Ok(())
        }
    }
}

/// Settles by what a provider answered.
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
            "an answer contradicts what is settled: somebody has to look"
        );
    }
    Ok(())
}

/// A payment as it is now, for somebody who may see it.
async fn reread(db: &Db, id: PaymentId) -> Result<PaymentRow> {
    let found = db.read(async |conn| store::by_ids(conn, &Scope::All, &[id]).await).await?.pop();
    found.ok_or_else(|| Error::Internal("a payment is gone".into()))
}

/// Locks the order of a payment, then the payment: as they are now, and the website.
async fn lock(conn: &Conn, id: PaymentId) -> Result<Option<(orders::model::OrderRow, PaymentRow, WebsiteId)>> {
    let Some(found) = store::by_ids(conn, &Scope::All, &[id]).await?.pop() else { return Ok(None) };
    let missing = || Error::Internal("a payment without its order".into());
    let order = orders::store::lock(conn, &Scope::All, found.order_id).await?.ok_or_else(missing)?;
    let payment = store::lock(conn, id).await?.ok_or_else(missing)?;
    let website = order.source_website_id;
    Ok(Some((order, payment, website)))
}
