//! SQL statements on orders that wait for payment. A trigger removes an order from the table when it is paid or confirmed,
//! and marks it when it is canceled.

use chrono::{DateTime, Duration, Utc};
use diesel::{
    define_sql_function,
    dsl::{exists, now},
    prelude::*,
    sql_types::{BigInt, Bytea, Nullable, Text, Timestamptz},
};
use diesel_async::RunQueryDsl;

use crate::{
    db::{
        Conn,
        insert_rows::{Statement, insert_rows},
        tables::unpaid_orders as unpaid,
    },
    error::Result,
    ids::{OrderId, UserId},
    orders::model::NewUnpaidOrder,
};

define_sql_function! {
    /// Function of the migrations, see [`exists_for_email`].
    fn unpaid_order_exists(email: Text) -> Bool;
}

/// Maximum number of rows per batch.
const BATCH_SIZE: i64 = 100;

insert_rows! {
    /// Inserts orders that wait for payment.
    InsertUnpaid in unpaid_orders of NewUnpaidOrder {
        order_id: OrderId as BigInt,
        user_id: Option<UserId> as Nullable<BigInt>,
        network: Option<Vec<u8>> as Nullable<Bytea>,
        expires_at: Option<DateTime<Utc>> as Nullable<Timestamptz>,
    }
}

/// Returns the statement that inserts orders that wait for payment, as a part of the statement that places the orders;
/// none if there are none.
pub fn insert_statement(new: &[NewUnpaidOrder]) -> Option<Statement<'static>> {
    InsertUnpaid::new(new).map(|insert| Box::new(insert) as Statement<'_>)
}

/// Returns a batch of orders after this one whose time to pay is over, sorted by ID.
pub async fn expired(mut conn: &Conn, after: OrderId) -> Result<Vec<OrderId>> {
    let query = unpaid::table
        .filter(unpaid::ended_at.is_null())
        .filter(unpaid::expires_at.assume_not_null().le(now))
        .filter(unpaid::order_id.gt(after))
        .order(unpaid::order_id)
        .limit(BATCH_SIZE)
        .select(unpaid::order_id);
    Ok(query.load(&mut conn).await?)
}

/// Returns whether the time to pay for an order is over. The caller has locked the order.
pub async fn is_expired(mut conn: &Conn, order: OrderId) -> Result<bool> {
    let expired = unpaid::table
        .filter(unpaid::order_id.eq(order))
        .filter(unpaid::ended_at.is_null())
        .filter(unpaid::expires_at.assume_not_null().le(now));
    Ok(diesel::select(exists(expired)).get_result(&mut conn).await?)
}

/// Lets an order wait until this time, or for ever. A later time stays.
pub async fn extend(mut conn: &Conn, order: OrderId, until: Option<DateTime<Utc>>) -> Result<()> {
    let waiting = unpaid::order_id.eq(order).and(unpaid::ended_at.is_null());
    match until {
        None => {
            let orders = diesel::update(unpaid::table.filter(waiting));
            orders.set(unpaid::expires_at.eq(None::<DateTime<Utc>>)).execute(&mut conn).await?
        }
        Some(until) => {
            let orders = diesel::update(unpaid::table.filter(waiting).filter(unpaid::expires_at.lt(until)));
            orders.set(unpaid::expires_at.eq(until)).execute(&mut conn).await?
        }
    };
    Ok(())
}

/// Lets an order that did not expire, because there was nothing to pay, expire at this time.
pub async fn start(mut conn: &Conn, order: OrderId, expires_at: DateTime<Utc>) -> Result<()> {
    let waiting = unpaid::order_id.eq(order).and(unpaid::ended_at.is_null());
    let orders = diesel::update(unpaid::table.filter(waiting));
    orders.set(unpaid::expires_at.eq(expires_at)).execute(&mut conn).await?;
    Ok(())
}

/// Deletes an order that no longer waits for payment.
pub async fn delete(mut conn: &Conn, order: OrderId) -> Result<()> {
    diesel::delete(unpaid::table.find(order)).execute(&mut conn).await?;
    Ok(())
}

/// Deletes the orders that were canceled before this period; returns how many.
pub async fn delete_ended(mut conn: &Conn, period: Duration) -> Result<usize> {
    let ended = unpaid::table.filter(unpaid::ended_at.lt(Utc::now() - period));
    Ok(diesel::delete(ended).execute(&mut conn).await?)
}

/// Returns whether an order with this contact email address waits for payment, or was canceled unpaid in the past day.
/// Concurrent calls for the same address wait for each other's transactions.
pub async fn exists_for_email(mut conn: &Conn, email: &str) -> Result<bool> {
    Ok(diesel::select(unpaid_order_exists(email)).get_result(&mut conn).await?)
}
