//! SQL statements on orders whose confirmation email is deferred until they are paid or confirmed.

use diesel::{prelude::*, sql_types::BigInt};
use diesel_async::RunQueryDsl;

use crate::{
    db::{
        Conn,
        insert_rows::{Statement, insert_rows},
        tables::deferred_confirmations as deferred,
    },
    error::Result,
    ids::OrderId,
    orders::model::PlacedOrder,
};

insert_rows! {
    /// Defers the confirmation emails of orders.
    DeferConfirmations in deferred_confirmations of PlacedOrder { order_id: OrderId as BigInt = id }
}

/// Returns the statement that defers the confirmation emails of orders, as a part of the statement that places the orders;
/// none if there are none.
pub fn defer_statement(new: &[PlacedOrder]) -> Option<Statement<'static>> {
    DeferConfirmations::new(new).map(|insert| Box::new(insert) as Statement<'_>)
}

/// Removes an order whose confirmation email was deferred; returns whether it was.
pub async fn take(mut conn: &Conn, order: OrderId) -> Result<bool> {
    Ok(diesel::delete(deferred::table.find(order)).execute(&mut conn).await? > 0)
}
