//! Operations on payments by staff: capture, void, refund.

use rust_decimal::Decimal;
use serde::Serialize;

use super::{execute, lock, reread, start_operation};
use crate::{
    auth::{Permission, Viewer},
    db::{
        Db,
        idempotency::{Claim, IdempotencyKey, Owner},
    },
    error::{Error, Result, UserErrorCode},
    ids::PaymentId,
    payments::{
        model::{Kind, MAX_OPERATIONS, MAX_REASON, NewOperation, PaymentRow, Remaining},
        providers::Providers,
        store,
    },
    text::trim,
};

/// Input of [`capture`] and [`refund`].
#[derive(Debug, Clone, Serialize)]
pub struct OperationRequest {
    /// The payment.
    pub payment: PaymentId,
    /// Amount; the whole remaining amount if absent.
    pub amount: Option<Decimal>,
    /// Reason; visible to the customer.
    pub reason: Option<String>,
}

/// Captures an authorized amount in full or in part. A declined operation is a result, not an error, and so is one
/// whose outcome is not known in time; both show in the payment's last operation. Repeating the request with the same
/// key returns the payment in its current state without calling the provider.
/// # Errors
/// FORBIDDEN without MANAGE_PAYMENTS; user errors: NOT_FOUND, INVALID_PAYMENT_STATUS, OUT_OF_RANGE, INVALID,
/// IDEMPOTENCY_MISMATCH.
pub async fn capture(
    db: &Db,
    providers: &Providers,
    viewer: &Viewer,
    request: OperationRequest,
    key: String,
) -> Result<PaymentRow> {
    operate(db, providers, viewer, Kind::Capture, "paymentCapture", request, key).await
}

/// Voids the amount that is authorized and not captured.
/// # Errors
/// As [`capture`].
pub async fn void(
    db: &Db,
    providers: &Providers,
    viewer: &Viewer,
    payment: PaymentId,
    key: String,
) -> Result<PaymentRow> {
    let request = OperationRequest { payment, amount: None, reason: None };
    operate(db, providers, viewer, Kind::Void, "paymentVoid", request, key).await
}

/// Refunds a captured amount in full or in part.
/// # Errors
/// As [`capture`], and TOO_LONG for the reason.
pub async fn refund(
    db: &Db,
    providers: &Providers,
    viewer: &Viewer,
    request: OperationRequest,
    key: String,
) -> Result<PaymentRow> {
    operate(db, providers, viewer, Kind::Refund, "paymentRefund", request, key).await
}

async fn operate(
    db: &Db,
    providers: &Providers,
    viewer: &Viewer,
    kind: Kind,
    operation: &'static str,
    request: OperationRequest,
    key: String,
) -> Result<PaymentRow> {
    viewer.require_any(&[Permission::ManagePayments])?;
    let me = viewer.require_user()?;
    let key = IdempotencyKey { owner: Owner::User(me), operation, key };
    key.check()?;
    let reason = request.reason.as_deref().map(trim).filter(|reason| !reason.is_empty());
    if reason.is_some_and(|reason| reason.chars().count() > MAX_REASON) {
        let rule = format!("must be at most {MAX_REASON} characters long");
        return Err(Error::user(UserErrorCode::TooLong, "reason", rule));
    }
    let started = db.transaction(async |conn| {
        let claimed = match key.claim(conn, &request).await? {
            Claim::New(claimed) => claimed,
            Claim::Done(_) => return Ok(None),
        };
        let found = lock(conn, request.payment).await?;
        let found = found.filter(|(.., website)| viewer.can_at(Permission::ManagePayments, *website));
        let (_, payment, _) = found.ok_or_else(|| Error::not_found("id", "payment"))?;
        if providers.get(payment.provider).is_none() {
            return Err(Error::user(
                UserErrorCode::InvalidPaymentStatus,
                "id",
                "the payment's provider is no longer configured",
            ));
        }
        let operations = store::operations_by_payment_ids(conn, &[payment.id]).await?;
        if operations.len() >= MAX_OPERATIONS {
            let rule = format!("a payment has at most {MAX_OPERATIONS} operations");
            return Err(Error::user(UserErrorCode::OutOfRange, "id", rule));
        }
        let amount = Remaining::of(&payment, &operations).amount(kind, request.amount)?;
        let reason = reason.map(ToOwned::to_owned);
        let new = NewOperation { payment_id: payment.id, kind, amount, user_id: Some(me), reason };
        let started = start_operation(conn, providers, payment, &new, None).await?;
        claimed.store_result(conn, started.payment.id.0).await?;
        Ok(Some(started))
    });
    if let Some(started) = started.await? {
        execute(db, providers, &started).await?;
    }
    reread(db, request.payment).await
}
