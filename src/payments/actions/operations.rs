//! What staff do with payments: capture, void, refund.

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
};

/// What is to be done with a payment.
#[derive(Debug, Clone, Serialize)]
pub struct OperationRequest {
    /// Which payment.
    pub payment: PaymentId,
    /// How much; all that is left without.
    pub amount: Option<Decimal>,
    /// Why; the customer reads it.
    pub reason: Option<String>,
}

/// Takes promised money, all of it or a part. What the provider refuses is an answer as well, by the last of the
/// operations; so is what it has not told in time. Sent again with the same key it answers the payment as it is now, and
/// asks nobody.
/// # Errors
/// FORBIDDEN without MANAGE_PAYMENTS; user errors: NOT_FOUND, INVALID_PAYMENT_STATUS, OUT_OF_RANGE, INVALID, IDEMPOTENCY_MISMATCH.
pub async fn capture(
    db: &Db,
    providers: &Providers,
    viewer: &Viewer,
    request: OperationRequest,
    key: String,
) -> Result<PaymentRow> {
    operate(db, providers, viewer, Kind::Capture, "paymentCapture", request, key).await
}

/// Gives back what is promised and not taken.
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

/// Pays back money that was taken, all of it or a part.
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
    let reason = request.reason.as_deref().map(str::trim).filter(|reason| !reason.is_empty());
    if reason.is_some_and(|reason| reason.chars().count() > MAX_REASON) {
        let rule = format!("a reason has at most {MAX_REASON} characters");
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
                "its provider is not set up here any more",
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
