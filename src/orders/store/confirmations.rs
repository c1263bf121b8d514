//! SQL statements on orders whose confirmation email is deferred until they are paid or confirmed.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use crate::{
    db::{Conn, tables::deferred_confirmations as deferred},
    error::Result,
    ids::OrderId,
};

/// Defers the confirmation emails of these orders.
pub async fn insert_all(mut conn: &Conn, orders: &[OrderId]) -> Result<()> {
    if orders.is_empty() {
        return Ok(());
    }
    let rows: Vec<_> = orders.iter().map(|order| deferred::order_id.eq(*order)).collect();
    diesel::insert_into(deferred::table).values(rows).execute(&mut conn).await?;
    Ok(())
}

/// Removes an order whose confirmation email was deferred; returns whether it was.
pub async fn take(mut conn: &Conn, order: OrderId) -> Result<bool> {
    Ok(diesel::delete(deferred::table.find(order)).execute(&mut conn).await? > 0)
}
