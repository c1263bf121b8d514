//! Creating payments of orders.

use rust_decimal::Decimal;
use serde::Serialize;

use super::{StartedOperation, execute, reread, start_operation};
use crate::{
    auth::{Permission, Scope, Viewer},
    carts::model::Shopper,
    config::OrderSettings,
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

/// Input of [`create`].
#[derive(Debug, Clone)]
pub struct PaymentRequest {
    /// The order; its whole total is paid.
    pub order: OrderId,
    /// The provider.
    pub provider: ProviderName,
    /// The payment method.
    pub method: Method,
    /// Token for the customer's card or account, if the provider requires one.
    pub source: Option<String>,
}

/// The fields that two requests with the same idempotency key must have in common.
#[derive(Serialize)]
struct IdempotencyTerms<'a> {
    order: OrderId,
    provider: &'a str,
    method: &'a str,
    source: Option<&'a str>,
}

/// Creates a payment of an order, for its customer, the guest with its cart token, or staff. A declined payment is a
/// result, not an error, and so is one whose outcome is not known in time; both show in the payment's status. Repeating
/// the request with the same key returns the same payment in its current state without calling the provider.
/// # Errors
/// UNAUTHENTICATED for anonymous viewers without a cart token; FORBIDDEN for an API key without
/// [`Permission::ManagePayments`]; user errors: NOT_FOUND; ILLEGAL_TRANSITION for a
/// canceled order; PAYMENT_EXISTS; OUT_OF_RANGE if there is nothing to pay, there were too many attempts, or the order holds
/// too much to be paid on delivery; INVALID for a provider, method or source that is not accepted; IDEMPOTENCY_MISMATCH.
pub async fn create(
    db: &Db,
    providers: &Providers,
    settings: OrderSettings,
    viewer: &Viewer,
    shopper: &Shopper,
    request: PaymentRequest,
    key: String,
) -> Result<crate::payments::model::PaymentRow> {
    let owner = Owner::of(viewer.holder()).map_or_else(|| viewer.require_user().map(Owner::User), Ok)?;
    let scope = match viewer.scope(Permission::ManagePayments) {
        Scope::Public | Scope::Seller { .. } => Scope::Own(viewer.require_account()?),
        other => other,
    };
    let key = IdempotencyKey { owner, operation: "paymentCreate", key };
    key.check()?;
    check(providers, &request)?;
    let terms = IdempotencyTerms {
        order: request.order,
        provider: request.provider.as_str(),
        method: request.method.as_str(),
        source: request.source.as_deref(),
    };
    let opened = db.transaction(async |conn| {
        let claimed = match key.claim(conn, &terms).await? {
            Claim::New(claimed) => claimed,
            Claim::Done(payment) => return Ok((PaymentId(payment), None)),
        };
        let order = orders::store::lock(conn, &scope, request.order).await?;
        let order = order.ok_or_else(|| Error::not_found("orderId", "order"))?;
        // Staff may take the risk.
        if request.method == Method::CashOnDelivery && !viewer.can(Permission::ManagePayments) {
            orders::actions::check_payment_on_delivery(conn, shopper, &order).await?;
        }
        extend_wait(conn, settings, &order, request.method).await?;
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

/// Checks everything that does not depend on the database.
fn check(providers: &Providers, request: &PaymentRequest) -> Result<()> {
    let missing = || Error::bad_input("provider", "this provider is not configured");
    let provider = providers.get(request.provider).ok_or_else(missing)?;
    let source = request.source.as_deref();
    if source.is_some_and(|source| source.chars().count() > MAX_SOURCE) {
        let rule = format!("must be at most {MAX_SOURCE} characters long");
        return Err(Error::user(UserErrorCode::TooLong, "source", rule));
    }
    provider.check(request.method, source)
}

/// Lets an order that waits for payment wait as long as the method allows, from its placement: so a customer cannot hold
/// units longer by paying again and again.
async fn extend_wait(conn: &Conn, settings: OrderSettings, order: &OrderRow, method: Method) -> Result<()> {
    let wait = match method {
        Method::Card => return Ok(()),
        Method::BankTransfer => settings.bank_transfer_wait(),
        Method::CashOnDelivery => settings.cash_on_delivery_wait(),
    };
    orders::store::unpaid::extend(conn, order.id, wait.map(|wait| order.placed_at + wait)).await
}

async fn open(
    conn: &Conn,
    providers: &Providers,
    order: OrderRow,
    request: &PaymentRequest,
    me: Option<UserId>,
) -> Result<StartedOperation> {
    if order.status == OrderStatus::Cancelled {
        return Err(Error::user(UserErrorCode::IllegalTransition, "orderId", "the order is canceled"));
    }
    if let Some(active) = store::find_active(conn, order.id).await? {
        let rule = format!("the order already has a payment with status {}", active.status.as_str());
        return Err(Error::user(UserErrorCode::PaymentExists, "orderId", rule));
    }
    if order.total_amount <= Decimal::ZERO {
        return Err(Error::user(
            UserErrorCode::OutOfRange,
            "orderId",
            "the order's total is 0; there is nothing to pay",
        ));
    }
    if store::count_by_order(conn, order.id).await? >= MAX_PAYMENTS {
        let rule = format!("The order has reached the limit of {MAX_PAYMENTS} payment attempts. Contact the shop.");
        return Err(Error::user(UserErrorCode::OutOfRange, "orderId", rule));
    }
    let website = websites::store::by_ids(conn, &[order.source_website_id]).await?.pop();
    let website = website.ok_or_else(|| Error::Internal("the website of an order does not exist".into()))?;
    let new = NewPayment {
        order_id: order.id,
        provider: request.provider,
        method: request.method,
        amount: order.total_amount,
        currency: website.currency().to_string(),
    };
    let exists =
        || UserError::new(UserErrorCode::PaymentExists, "orderId", "the order already has a payment in progress");
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
