//! Every statement on the ledger.
//! What a scope means here: `All` sees every movement, staff of some websites those of what is sold there, a seller those of
//! their own products, anybody else none.

use diesel::{dsl::sum, prelude::*};
use diesel_async::RunQueryDsl;

use super::model::{MovementRow, NewMovement};
use crate::{
    auth::Permission,
    db::{
        Conn,
        export::{Export, columns, utc_timestamp},
        tables::stock_movements as ledger,
    },
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
    diesel::insert_into(ledger::table).values(movements).execute(&mut conn).await.map_err(constraint_error)?;
    Ok(())
}

/// Adds any number of movements, in several statements if need be; the caller holds the products' locks.
/// # Errors
/// Those of [`insert`].
pub async fn insert_many(conn: &Conn, movements: &[NewMovement]) -> Result<()> {
    /// Movements in one statement, whose parameters are limited.
    const CHUNK_SIZE: usize = 1_000;
    for movements in movements.chunks(CHUNK_SIZE) {
        insert(conn, movements).await?;
    }
    Ok(())
}

/// All movements that a user made, the oldest first.
pub async fn all_by_user(mut conn: &Conn, user: UserId) -> Result<Vec<MovementRow>> {
    let query = ledger::table.filter(ledger::user_id.eq(user)).order(ledger::id).select(MovementRow::as_select());
    Ok(query.load(&mut conn).await?)
}

/// What an order has taken of each product by the ledger, in id order: positive pieces, products with none left out.
pub async fn deducted_by_order(mut conn: &Conn, order: OrderId) -> Result<Vec<(ProductId, i64)>> {
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

fn constraint_error(error: diesel::result::Error) -> Error {
    Error::from(error).on_constraint("products_stock_not_negative", || {
        UserError::new(UserErrorCode::OutOfStock, "delta", "the stock would fall below zero")
    })
}

/// The export of the stock of products.
pub const STOCK: Export = Export {
    permission: Permission::ManageStock,
    has_website: true,
    is_importable: true,
    with: "",
    table: "products p",
    joins: "",
    filter: "p.source_website_id = ANY ($1)",
    order: "p.id",
    columns: columns! {
        sku: Text = "p.sku",
        stock: Integer = "p.stock",
        low_stock_threshold: Integer = "p.low_stock_threshold",
    },
};

/// The export of the stock ledger.
pub const STOCK_MOVEMENTS: Export = Export {
    permission: Permission::ManageStock,
    has_website: true,
    is_importable: false,
    with: "",
    table: "stock_movements m",
    joins: "JOIN products p ON p.id = m.product_id
        LEFT JOIN orders o ON o.id = m.order_id
        LEFT JOIN users u ON u.id = m.user_id",
    filter: "m.product_id IN (SELECT q.id FROM products q WHERE q.source_website_id = ANY ($1))",
    order: "m.id",
    columns: columns! {
        sku: Text = "p.sku",
        created_at: Text = utc_timestamp!("m.created_at"),
        reason: Text = "m.reason",
        delta: Integer = "m.delta",
        balance: Integer = "m.balance",
        order: Text = "o.order_number",
        user: Text = "u.name",
        note: Text = "m.note",
    },
};
