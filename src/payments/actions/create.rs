//! Paying an order.

use rust_decimal::Decimal;
use serde::Serialize;

use super::{StartedOperation, execute, reread, start_operation};
use crate::{
    auth::{Permission, Scope, Viewer},
    db::{
        Conn, Db,
        idempotency::{Claim, IdempotencyKey, Owner},
    },
    error::{Error, Result, UserError, UserErrorCode},
    ids::{OrderId, PaymentId, UserId},
    orders::{
        self,
        model::{OrderRow, Status as OrderStatus},
    },
    payments::{
        model::{Kind, MAX_PAYMENTS, MAX_SOURCE, Method, NewOperation, NewPayment, ProviderName},
        providers::Providers,
        store,
    },
    websites,
};

/// What somebody pays, and how.
#[derive(Debug, Clone)]
pub struct PaymentRequest {
    /// The order: all of it is paid.
    pub order: OrderId,
    /// Who moves the money.
    pub provider: ProviderName,
    /// How it is paid.
    pub method: Method,
    /// The token that stands for their card or account, where the provider takes one.
    pub source: Option<String>,
}

/// What makes a request the same one when it comes again.
#[derive(Serialize)]
struct IdempotencyTerms<'a> {
    order: OrderId,
    provider: &'a str,
    method: &'a str,
    source: Option<&'a str>,
}

/// Pays an order: by its customer, the guest with its cart token, or staff. A refused payment is an answer as well, by its
/// status; so is one of which the provider has not told in time. Sent again with the same key it answers the same payment
/// as it is now, and asks nobody.
/// # Errors
/// UNAUTHENTICATED for somebody unknown without a cart token; user errors: NOT_FOUND, ILLEGAL_TRANSITION for a cancelled
/// order, PAYMENT_EXISTS, OUT_OF_RANGE where there is nothing to pay or it was tried too often, INVALID for a provider,
/// method or source that is not taken here, IDEMPOTENCY_MISMATCH.
pub async fn create(
    db: &Db,
    providers: &Providers,
    viewer: &Viewer,
    request: PaymentRequest,
    key: String,
) -> Result<crate::payments::model::PaymentRow> {
    let owner = Owner::of(viewer.holder()).map_or_else(|| viewer.require_user().map(Owner::User), Ok)?;
    let key = IdempotencyKey { owner, operation: "paymentCreate", key };
    key.check()?;
    check(providers, &request)?;
    let terms = IdempotencyTerms {
        order: request.order,
        provider: request.provider.as_str(),
        method: request.method.as_str(),
        source: request.source.as_deref(),
    };
    let scope = match viewer.scope(Permission::ManagePayments) {
        Scope::Seller(me) => Scope::Own(me),
        other => other,
    };
    let opened = db.transaction(async |conn| {
        let claimed = match key.claim(conn, &terms).await? {
            Claim::New(claimed) => claimed,
            Claim::Done(payment) => return Ok((PaymentId(payment), None)),
        };
        let order = orders::store::lock(conn, &scope, request.order).await?;
        let order = order.ok_or_else(|| Error::not_found("orderId", "order"))?;
        let started = open(conn, providers, order, &request, viewer.user_id()).await?;
        claimed.store_result(conn, started.payment.id.0).await?;
        Ok((started.payment.id, Some(started)))
    });
    let (id, started) = opened.await?;
    if let Some(started) = started {
        execute(db, providers, &started).await?;
    }
    reread(db, id).await
}

/// What can be said before anything is written.
fn check(providers: &Providers, request: &PaymentRequest) -> Result<()> {
    let missing = || Error::bad_input("provider", "this provider is not set up here");
    let provider = providers.get(request.provider).ok_or_else(missing)?;
    let source = request.source.as_deref();
    if source.is_some_and(|source| source.chars().count() > MAX_SOURCE) {
        let rule = format!("a source has at most {MAX_SOURCE} characters");
        return Err(Error::user(UserErrorCode::TooLong, "source", rule));
    }
    provider.check(request.method, source)
}

async fn open(
    conn: &Conn,
    providers: &Providers,
    order: OrderRow,
    request: &PaymentRequest,
    me: Option<UserId>,
) -> Result<StartedOperation> {
    if order.status == OrderStatus::Cancelled {
        return Err(Error::user(UserErrorCode::IllegalTransition, "orderId", "this order is cancelled"));
    }
    if let Some(active) = store::find_active(conn, order.id).await? {
        let rule = format!("this order has a payment that is {}", active.status.as_str());
        return Err(Error::user(UserErrorCode::PaymentExists, "orderId", rule));
    }
    if order.total_amount <= Decimal::ZERO {
        return Err(Error::user(UserErrorCode::OutOfRange, "orderId", "there is nothing to pay of this order"));
    }
    if store::count_by_order(conn, order.id).await? >= MAX_PAYMENTS {
        let rule = format!("this order was tried to be paid {MAX_PAYMENTS} times: ask the shop");
        return Err(Error::user(UserErrorCode::OutOfRange, "orderId", rule));
    }
    let website = websites::store::by_ids(conn, &[order.source_website_id]).await?.pop();
    let website = website.ok_or_else(|| Error::Internal("an order without its website".into()))?;
    let new = NewPayment {
        order_id: order.id,
        provider: request.provider,
        method: request.method,
        amount: order.total_amount,
        currency: website.currency().to_string(),
    };
    let exists =
        || UserError::new(UserErrorCode::PaymentExists, "orderId", "this order has a payment that is under way");
    let payment = store::insert(conn, &new).await.map_err(|error| error.on_constraint("payments_one_live", exists))?;
    let authorize = NewOperation {
        payment_id: payment.id,
        kind: Kind::Authorize,
        amount: payment.amount,
        user_id: me,
        reason: None,
    };
    start_operation(conn, providers, payment, &authorize, request.source.clone()).await
}
