//! Every statement on the ledger.
//! What a scope means here: `All` sees every movement, staff of some websites those of what is sold there, a seller those of
//! their own products, anybody else none.

use diesel::{dsl::sum, prelude::*};
use diesel_async::RunQueryDsl;

use super::model::{MovementRow, NewMovement};
use crate::{
    db::{Conn, tables::stock_movements as ledger},
    error::{Error, Result, UserError, UserErrorCode},
    ids::{OrderId, ProductId, StockMovementId, UserId},
    products::store::history::history,
};

history!(ledger of MovementRow by StockMovementId);

/// Enters movements; the caller holds the products' locks, taken in id order.
/// # Errors
/// OUT_OF_STOCK where a stock would fall below zero; OUT_OF_RANGE where it would not fit.
pub async fn insert(mut conn: &Conn, movements: &[NewMovement]) -> Result<()> {
    if movements.is_empty() {
        return Ok(());
    }
    diesel::insert_into(ledger::table).values(movements).execute(&mut conn).await.map_err(refused)?;
    Ok(())
}

/// All movements that a user made, the oldest first.
pub async fn all_by_user(mut conn: &Conn, user: UserId) -> Result<Vec<MovementRow>> {
    let query = ledger::table.filter(ledger::user_id.eq(user)).order(ledger::id).select(MovementRow::as_select());
    Ok(query.load(&mut conn).await?)
}

/// What an order has taken of each product by the ledger, in id order: positive pieces, products with none left out.
pub async fn taken_by_order(mut conn: &Conn, order: OrderId) -> Result<Vec<(ProductId, i64)>> {
    let rows: Vec<(ProductId, Option<i64>)> = ledger::table
        .filter(ledger::order_id.eq(order))
        .group_by(ledger::product_id)
        .select((ledger::product_id, sum(ledger::delta)))
        .order(ledger::product_id)
        .load(&mut conn)
        .await?;
    Ok(rows
        .into_iter()
        .map(|(product, delta)| (product, -delta.unwrap_or(0)))
        .filter(|(_, taken)| *taken != 0)
        .collect())
}

fn refused(error: diesel::result::Error) -> Error {
    Error::from(error).on_constraint("products_stock_not_negative", || {
        UserError::new(UserErrorCode::OutOfStock, "delta", "the stock would fall below zero")
    })
}
