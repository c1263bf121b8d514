//! All SQL statements on payments.
//! Scopes: `All` sees every payment; a user and a seller those of orders that they placed; staff of some websites also
//! those of orders of these websites; a guest those of orders placed with their cart token; the public none.

use chrono::{DateTime, Utc};
use diesel::{dsl::exists, prelude::*};
use diesel_async::RunQueryDsl;
use serde_json::Value;
use uuid::Uuid;

use super::model::{
    NewOperation, NewPayment, OperationRow, OperationStatus, PaymentRow, ProviderName, SettleOutcome, Status,
};
use crate::{
    auth::Scope,
    db::{
        Conn,
        filter::{Condition, constant},
        tables::{orders, payment_operations, payment_webhooks, payments},
    },
    error::Result,
    ids::{JobId, OrderId, PaymentId, PaymentOperationId, UserId},
};

/// Statuses that are not final.
const ACTIVE: [Status; 3] = [Status::Pending, Status::Authorized, Status::Captured];

fn visible(scope: &Scope) -> Condition<'static, payments::table> {
    let order = orders::table.filter(orders::id.eq(payments::order_id));
    match scope {
        Scope::All => constant(true),
        Scope::Public => constant(false),
        // No index has this comparison: the order is found by the payment, and not among all orders of the user.
        Scope::Own(user) | Scope::Seller { own: user, .. } => {
            Box::new(exists(order.filter(orders::user_id.is_not_distinct_from(*user))))
        }
        Scope::Guest(guest) => Box::new(exists(order.filter(orders::cart_token_hash.eq(guest.hash().to_vec())))),
        Scope::Websites(user, websites) => {
            let there = orders::source_website_id.eq_any(websites.to_vec());
            Box::new(exists(order.filter(orders::user_id.is_not_distinct_from(*user).or(there))))
        }
    }
}

/// Returns the visible payments with these IDs, in no particular order.
pub async fn by_ids(mut conn: &Conn, scope: &Scope, ids: &[PaymentId]) -> Result<Vec<PaymentRow>> {
    let query = payments::table.filter(payments::id.eq_any(ids)).select(PaymentRow::as_select()).into_boxed();
    Ok(query.filter(visible(scope)).load(&mut conn).await?)
}

/// Returns the visible payments of these orders, oldest first.
pub async fn by_order_ids(mut conn: &Conn, scope: &Scope, ids: &[OrderId]) -> Result<Vec<PaymentRow>> {
    let query = payments::table
        .filter(payments::order_id.eq_any(ids))
        .order((payments::order_id, payments::id))
        .select(PaymentRow::as_select())
        .into_boxed();
    Ok(query.filter(visible(scope)).load(&mut conn).await?)
}

/// Returns the operations of these payments, oldest first. An operation is visible to everyone who can see its payment.
pub async fn operations_by_payment_ids(mut conn: &Conn, ids: &[PaymentId]) -> Result<Vec<OperationRow>> {
    let query = payment_operations::table
        .filter(payment_operations::payment_id.eq_any(ids))
        .order((payment_operations::payment_id, payment_operations::id))
        .select(OperationRow::as_select());
    Ok(query.load(&mut conn).await?)
}

/// Returns all visible payments of a user's orders, oldest first.
pub async fn all_by_user(mut conn: &Conn, scope: &Scope, user: UserId) -> Result<Vec<PaymentRow>> {
    let own = orders::table.filter(orders::user_id.assume_not_null().eq(user)).select(orders::id);
    let query =
        payments::table.filter(payments::order_id.eq_any(own)).order(payments::id).select(PaymentRow::as_select());
    Ok(query.into_boxed().filter(visible(scope)).load(&mut conn).await?)
}

/// Returns the number of payments of an order.
pub async fn count_by_order(mut conn: &Conn, order: OrderId) -> Result<i64> {
    Ok(payments::table.filter(payments::order_id.eq(order)).count().get_result(&mut conn).await?)
}

/// Returns the payment of an order whose status is not final, if there is one.
pub async fn find_active(mut conn: &Conn, order: OrderId) -> Result<Option<PaymentRow>> {
    let query = payments::table.filter(payments::order_id.eq(order)).filter(payments::status.eq_any(ACTIVE));
    Ok(query.select(PaymentRow::as_select()).first(&mut conn).await.optional()?)
}

/// Locks a payment against concurrent changes. The caller has locked its order.
pub async fn lock(mut conn: &Conn, id: PaymentId) -> Result<Option<PaymentRow>> {
    let query = payments::table.find(id).select(PaymentRow::as_select());
    Ok(query.for_no_key_update().first(&mut conn).await.optional()?)
}

/// Inserts a payment.
/// # Errors
/// The constraint `payments_one_live` if the order has a payment whose status is not final.
pub async fn insert(mut conn: &Conn, new: &NewPayment) -> Result<PaymentRow> {
    let query = diesel::insert_into(payments::table).values(new).returning(PaymentRow::as_returning());
    Ok(query.get_result(&mut conn).await?)
}

/// Inserts an operation with a new key.
pub async fn insert_operation(mut conn: &Conn, new: &NewOperation) -> Result<OperationRow> {
    let query = diesel::insert_into(payment_operations::table).values(new).returning(OperationRow::as_returning());
    Ok(query.get_result(&mut conn).await?)
}

async fn insert_operation_at(mut conn: &Conn, new: &NewOperation, at: DateTime<Utc>) -> Result<OperationRow> {
    let insert = diesel::insert_into(payment_operations::table).values((new, payment_operations::created_at.eq(at)));
    Ok(insert.returning(OperationRow::as_returning()).get_result(&mut conn).await?)
}

/// Inserts a payment that was created at this time in the past.
/// # Errors
/// As [`insert`].
pub async fn insert_past(mut conn: &Conn, new: &NewPayment, at: DateTime<Utc>) -> Result<PaymentRow> {
    let query = diesel::insert_into(payments::table).values((new, payments::created_at.eq(at)));
    Ok(query.returning(PaymentRow::as_returning()).get_result(&mut conn).await?)
}

/// Inserts an operation that was started at this time in the past and is pending at the provider.
pub async fn insert_past_pending(
    conn: &Conn,
    new: &NewOperation,
    reference: &str,
    at: DateTime<Utc>,
) -> Result<OperationRow> {
    let operation = insert_operation_at(conn, new, at).await?;
    update_reference(conn, operation.id, reference).await?;
    Ok(operation)
}

/// Inserts an operation that was settled at this time in the past: it succeeded with a reference of the provider or failed for
/// a reason. Triggers update the payment and the order.
pub async fn insert_past_operation(
    mut conn: &Conn,
    new: &NewOperation,
    outcome: std::result::Result<&str, &str>,
    at: DateTime<Utc>,
) -> Result<()> {
    let id = insert_operation_at(conn, new, at).await?.id;
    let status = if outcome.is_ok() { OperationStatus::Succeeded } else { OperationStatus::Failed };
    let settled = (
        payment_operations::status.eq(status),
        payment_operations::provider_reference.eq(outcome.ok()),
        payment_operations::failure.eq(outcome.err()),
        payment_operations::settled_at.eq(at),
    );
    diesel::update(payment_operations::table.find(id)).set(settled).execute(&mut conn).await?;
    Ok(())
}

/// Returns an operation by its ID.
pub async fn find_operation(mut conn: &Conn, id: PaymentOperationId) -> Result<Option<OperationRow>> {
    let query = payment_operations::table.find(id).select(OperationRow::as_select());
    Ok(query.first(&mut conn).await.optional()?)
}

/// Returns the operation with this key, if its payment is processed by this provider.
pub async fn find_operation_by_key(mut conn: &Conn, provider: ProviderName, key: Uuid) -> Result<Option<OperationRow>> {
    let query = payment_operations::table
        .inner_join(payments::table)
        .filter(payment_operations::key.eq(key))
        .filter(payments::provider.eq(provider))
        .select(OperationRow::as_select());
    Ok(query.first(&mut conn).await.optional()?)
}

/// Settles an operation; triggers update the payment and the order.
pub async fn update_settled(
    mut conn: &Conn,
    id: PaymentOperationId,
    status: OperationStatus,
    reference: Option<&str>,
    failure: Option<&str>,
) -> Result<()> {
    let settled = (
        payment_operations::status.eq(status),
        payment_operations::failure.eq(failure),
        payment_operations::settled_at.eq(Utc::now()),
        // An existing reference stays if the outcome has none.
        reference.map(|reference| payment_operations::provider_reference.eq(reference)),
    );
    diesel::update(payment_operations::table.find(id)).set(settled).execute(&mut conn).await?;
    Ok(())
}

/// Stores the provider's reference of a pending operation.
pub async fn update_reference(mut conn: &Conn, id: PaymentOperationId, reference: &str) -> Result<()> {
    let noted = payment_operations::provider_reference.eq(reference);
    diesel::update(payment_operations::table.find(id)).set(noted).execute(&mut conn).await?;
    Ok(())
}

/// Stores the job that resolves a pending operation.
pub async fn update_job(mut conn: &Conn, id: PaymentOperationId, job: JobId) -> Result<()> {
    let noted = payment_operations::job_id.eq(job);
    diesel::update(payment_operations::table.find(id)).set(noted).execute(&mut conn).await?;
    Ok(())
}

/// Inserts a webhook event with the outcome `unknown`; returns its key, or none if the event was received before. A
/// concurrent delivery of the same event waits until this transaction ends.
pub async fn insert_webhook(
    mut conn: &Conn,
    provider: ProviderName,
    event: &str,
    payload: &Value,
) -> Result<Option<i64>> {
    let row = (
        payment_webhooks::provider.eq(provider),
        payment_webhooks::event_id.eq(event),
        payment_webhooks::payload.eq(payload),
        payment_webhooks::outcome.eq(SettleOutcome::Unknown),
    );
    let query = diesel::insert_into(payment_webhooks::table).values(row).on_conflict_do_nothing();
    Ok(query.returning(payment_webhooks::id).get_result(&mut conn).await.optional()?)
}

/// Stores the outcome of a webhook event.
pub async fn update_webhook(mut conn: &Conn, id: i64, outcome: SettleOutcome) -> Result<()> {
    let noted = payment_webhooks::outcome.eq(outcome);
    diesel::update(payment_webhooks::table.find(id)).set(noted).execute(&mut conn).await?;
    Ok(())
}
