//! All statements on the stock ledger.
//! Visibility by scope: `All` sees every movement, website staff those of products sold there, a seller those of their
//! own products, everyone else none.

use diesel::{
    QueryResult,
    dsl::sum,
    pg::Pg,
    prelude::*,
    query_builder::{AstPass, QueryFragment, QueryId},
    sql_types::{Array, BigInt, Integer},
};
use diesel_async::RunQueryDsl;

use super::model::{MovementRow, NewMovement};
use crate::{
    auth::{Permission, Scope},
    db::{
        Conn,
        export::{Export, columns, utc_timestamp},
        insert_rows::Statement,
        tables::stock_movements as ledger,
    },
    error::{Error, Result, UserError, UserErrorCode},
    ids::{OrderId, ProductId, StockMovementId, UserId},
    products::store::history::history,
};

history!(ledger of MovementRow by StockMovementId);

/// Inserts movements. The caller holds the products' locks, taken in ID order.
/// # Errors
/// Returns OUT_OF_STOCK if a stock would fall below zero, or below -1,000,000 on backorder, OUT_OF_RANGE if it would exceed the maximum.
pub async fn insert(mut conn: &Conn, movements: &[NewMovement]) -> Result<()> {
    if movements.is_empty() {
        return Ok(());
    }
    diesel::insert_into(ledger::table)
        .values(movements)
        .execute(&mut conn)
        .await
        .map_err(|error| constraint_error(error.into()))?;
    Ok(())
}

/// The statement that takes the stock for orders, as a part of the statement that inserts the orders as `placed`: one
/// update of all products of an order, see the view `stock_sales` of the migrations.
struct TakeStock {
    orders: Vec<OrderId>,
    products: Vec<ProductId>,
    quantities: Vec<i32>,
}

impl QueryId for TakeStock {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}
impl QueryFragment<Pg> for TakeStock {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(
            "INSERT INTO stock_sales (order_id, user_id, product_ids, quantities)
                SELECT placed.id, placed.user_id, array_agg(s.product ORDER BY s.product), array_agg(s.quantity ORDER BY s.product)
                FROM placed JOIN unnest(",
        );
        out.push_bind_param::<Array<BigInt>, _>(&self.orders)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<BigInt>, _>(&self.products)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Integer>, _>(&self.quantities)?;
        out.push_sql(
            ") AS s (placed, product, quantity) ON s.placed = placed.id
                GROUP BY placed.id, placed.user_id ORDER BY placed.id",
        );
        Ok(())
    }
}

/// Returns the statement that takes these quantities of products for orders, as a part of the statement that inserts the
/// orders as `placed`; none if there are none. The caller has locked the products, and passes the error of the whole
/// statement to [`constraint_error`].
pub fn take_statement(sold: &[(OrderId, ProductId, i32)]) -> Option<Statement<'static>> {
    if sold.is_empty() {
        return None;
    }
    Some(Box::new(TakeStock {
        orders: sold.iter().map(|(order, ..)| *order).collect(),
        products: sold.iter().map(|(_, product, _)| *product).collect(),
        quantities: sold.iter().map(|(.., quantity)| *quantity).collect(),
    }))
}

/// Inserts any number of movements, in several statements if needed. The caller holds the products' locks.
/// # Errors
/// Returns those of [`insert`].
pub async fn insert_many(conn: &Conn, movements: &[NewMovement]) -> Result<()> {
    /// Movements per statement; the number of bind parameters is limited.
    const CHUNK_SIZE: usize = 1_000;
    for movements in movements.chunks(CHUNK_SIZE) {
        insert(conn, movements).await?;
    }
    Ok(())
}

/// Returns all visible movements made by a user, oldest first.
pub async fn all_by_user(mut conn: &Conn, scope: &Scope, user: UserId) -> Result<Vec<MovementRow>> {
    let query = ledger::table.filter(ledger::user_id.eq(user)).order(ledger::id).select(MovementRow::as_select());
    Ok(query.into_boxed().filter(visible(scope)).load(&mut conn).await?)
}

/// Returns the quantity of each product that an order has deducted from stock, in ID order, without products whose
/// quantity is 0.
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

/// Turns a violation of the limits of the stock into a user error.
pub fn constraint_error(error: Error) -> Error {
    error.on_constraint("products_stock_range", || {
        UserError::new(UserErrorCode::OutOfStock, "delta", "the stock would fall below zero")
    })
}

/// Export of the stock of products.
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
        inventory_policy: Text = "p.inventory_policy",
        backorders: Text = "p.backorders",
    },
};

/// Export of the stock ledger.
pub const STOCK_MOVEMENTS: Export = Export {
    permission: Permission::ManageStock,
    has_website: true,
    is_importable: false,
    with: "",
    table: "stock_movements m",
    joins: "JOIN products p ON p.id = m.product_id
        LEFT JOIN orders o ON o.id = m.order_id
        LEFT JOIN users u ON u.id = m.user_id AND ($2 IS NULL OR u.source_website_id = ANY ($2))",
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
