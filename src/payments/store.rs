//! Every statement on payments.
//! What a scope means here: `All` sees every payment, a user and a seller those of the orders that they placed, staff of
//! some websites also those of orders placed there, a guest those of orders placed with their cart token, the public none.

use chrono::Utc;
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

/// The states in which something can still become of a payment.
const ACTIVE: [Status; 3] = [Status::Pending, Status::Authorized, Status::Captured];

fn visible(scope: &Scope) -> Condition<'static, payments::table> {
    let order = orders::table.filter(orders::id.eq(payments::order_id));
    match scope {
        Scope::All => constant(true),
        Scope::Public => constant(false),
        Scope::Own(user) | Scope::Seller(user) => Box::new(exists(order.filter(orders::user_id.eq(*user)))),
        Scope::Guest(guest) => Box::new(exists(order.filter(orders::cart_token_hash.eq(guest.hash().to_vec())))),
        Scope::Websites(user, websites) => {
            let there = orders::source_website_id.eq_any(websites.to_vec());
            Box::new(exists(order.filter(orders::user_id.is_not_distinct_from(*user).or(there))))
        }
    }
}

/// The visible payments with these ids, in no order.
pub async fn by_ids(mut conn: &Conn, scope: &Scope, ids: &[PaymentId]) -> Result<Vec<PaymentRow>> {
    let query = payments::table.filter(payments::id.eq_any(ids)).select(PaymentRow::as_select()).into_boxed();
    Ok(query.filter(visible(scope)).load(&mut conn).await?)
}

/// The visible payments of these orders, the oldest first.
pub async fn by_order_ids(mut conn: &Conn, scope: &Scope, ids: &[OrderId]) -> Result<Vec<PaymentRow>> {
    let query = payments::table
        .filter(payments::order_id.eq_any(ids))
        .order((payments::order_id, payments::id))
        .select(PaymentRow::as_select())
        .into_boxed();
    Ok(query.filter(visible(scope)).load(&mut conn).await?)
}

/// The operations of these payments, the oldest first. Who may see them is decided by their payment.
pub async fn operations_by_payment_ids(mut conn: &Conn, ids: &[PaymentId]) -> Result<Vec<OperationRow>> {
    let query = payment_operations::table
        .filter(payment_operations::payment_id.eq_any(ids))
        .order((payment_operations::payment_id, payment_operations::id))
        .select(OperationRow::as_select());
    Ok(query.load(&mut conn).await?)
}

/// All payments of the orders of a user, the oldest first.
pub async fn all_by_user(mut conn: &Conn, user: UserId) -> Result<Vec<PaymentRow>> {
    let own = orders::table.filter(orders::user_id.assume_not_null().eq(user)).select(orders::id);
    let query =
        payments::table.filter(payments::order_id.eq_any(own)).order(payments::id).select(PaymentRow::as_select());
    Ok(query.load(&mut conn).await?)
}

/// How many payments an order has had.
pub async fn count_by_order(mut conn: &Conn, order: OrderId) -> Result<i64> {
    Ok(payments::table.filter(payments::order_id.eq(order)).count().get_result(&mut conn).await?)
}

/// The payment of an order of which something can still become, if there is one.
pub async fn find_active(mut conn: &Conn, order: OrderId) -> Result<Option<PaymentRow>> {
    let query = payments::table.filter(payments::order_id.eq(order)).filter(payments::status.eq_any(ACTIVE));
    Ok(query.select(PaymentRow::as_select()).first(&mut conn).await.optional()?)
}

/// Locks a payment against changes by others. Its order is locked before.
pub async fn lock(mut conn: &Conn, id: PaymentId) -> Result<Option<PaymentRow>> {
    let query = payments::table.find(id).select(PaymentRow::as_select());
    Ok(query.for_no_key_update().first(&mut conn).await.optional()?)
}

/// Adds a payment.
/// # Errors
/// The constraint `payments_one_live` where the order has one of which something can still become.
pub async fn insert(mut conn: &Conn, new: &NewPayment) -> Result<PaymentRow> {
    let query = diesel::insert_into(payments::table).values(new).returning(PaymentRow::as_returning());
    Ok(query.get_result(&mut conn).await?)
}

/// Adds an operation, with a key of its own.
pub async fn insert_operation(mut conn: &Conn, new: &NewOperation) -> Result<OperationRow> {
    let query = diesel::insert_into(payment_operations::table).values(new).returning(OperationRow::as_returning());
    Ok(query.get_result(&mut conn).await?)
}

/// An operation by its id.
pub async fn find_operation(mut conn: &Conn, id: PaymentOperationId) -> Result<Option<OperationRow>> {
    let query = payment_operations::table.find(id).select(OperationRow::as_select());
    Ok(query.first(&mut conn).await.optional()?)
}

/// An operation by its key, if its payment is this provider's.
pub async fn find_operation_by_key(mut conn: &Conn, provider: ProviderName, key: Uuid) -> Result<Option<OperationRow>> {
    let query = payment_operations::table
        .inner_join(payments::table)
        .filter(payment_operations::key.eq(key))
        .filter(payments::provider.eq(provider))
        .select(OperationRow::as_select());
    Ok(query.first(&mut conn).await.optional()?)
}

/// Settles an operation; the payment and the order follow.
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
        // A reference that is known stays where the news have none.
        reference.map(|reference| payment_operations::provider_reference.eq(reference)),
    );
    diesel::update(payment_operations::table.find(id)).set(settled).execute(&mut conn).await?;
    Ok(())
}

/// Notes what the provider calls an operation that is pending.
pub async fn update_reference(mut conn: &Conn, id: PaymentOperationId, reference: &str) -> Result<()> {
    let noted = payment_operations::provider_reference.eq(reference);
    diesel::update(payment_operations::table.find(id)).set(noted).execute(&mut conn).await?;
    Ok(())
}

/// Notes the job that looks after a pending operation.
pub async fn update_job(mut conn: &Conn, id: PaymentOperationId, job: JobId) -> Result<()> {
    let noted = payment_operations::job_id.eq(job);
    diesel::update(payment_operations::table.find(id)).set(noted).execute(&mut conn).await?;
    Ok(())
}

/// Notes an event of a provider, as unknown at first: its key, or none where it was noted before. Another delivery of it
/// waits here until this transaction ends.
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

/// Notes what an event came to.
pub async fn update_webhook(mut conn: &Conn, id: i64, outcome: SettleOutcome) -> Result<()> {
    let noted = payment_webhooks::outcome.eq(outcome);
    diesel::update(payment_webhooks::table.find(id)).set(noted).execute(&mut conn).await?;
    Ok(())
}
