//! All SQL statements on returns. A return is visible to everyone who can see its order.

use diesel::{dsl::now, prelude::*};
use diesel_async::RunQueryDsl;

use crate::{
    db::{
        Conn,
        tables::{orders, return_lines, returns},
    },
    error::Result,
    ids::{OrderDetailId, OrderId, ReturnId, UserId},
    orders::model::{ReturnLineRow, ReturnRequest, ReturnRow, ReturnStatus},
};

/// Returns the returns with these IDs, in no particular order.
pub async fn by_ids(mut conn: &Conn, ids: &[ReturnId]) -> Result<Vec<ReturnRow>> {
    let query = returns::table.filter(returns::id.eq_any(ids)).select(ReturnRow::as_select());
    Ok(query.load(&mut conn).await?)
}

/// Returns the returns of these orders, oldest first within an order.
pub async fn by_order_ids(mut conn: &Conn, ids: &[OrderId]) -> Result<Vec<ReturnRow>> {
    let query = returns::table
        .filter(returns::order_id.eq_any(ids))
        .order((returns::order_id, returns::id))
        .select(ReturnRow::as_select());
    Ok(query.load(&mut conn).await?)
}

/// Returns the lines of these returns, in the order of the order lines.
pub async fn lines_by_return_ids(mut conn: &Conn, ids: &[ReturnId]) -> Result<Vec<ReturnLineRow>> {
    let query = return_lines::table
        .filter(return_lines::return_id.eq_any(ids))
        .order((return_lines::return_id, return_lines::order_detail_id))
        .select(ReturnLineRow::as_select());
    Ok(query.load(&mut conn).await?)
}

/// Returns the number of returns of an order.
pub async fn count_by_order(mut conn: &Conn, order: OrderId) -> Result<i64> {
    Ok(returns::table.filter(returns::order_id.eq(order)).count().get_result(&mut conn).await?)
}

/// Inserts a return; triggers update the order's lines. The caller holds the lock of the order.
pub async fn insert(mut conn: &Conn, request: &ReturnRequest) -> Result<ReturnRow> {
    let insert = diesel::insert_into(returns::table)
        .values((returns::order_id.eq(request.order), returns::note.eq(&request.note)));
    let row = insert.returning(ReturnRow::as_returning()).get_result(&mut conn).await?;
    let lines = request.lines.iter().map(|line| {
        (
            return_lines::return_id.eq(row.id),
            return_lines::order_detail_id.eq(line.line),
            return_lines::quantity.eq(line.quantity),
            return_lines::reason.eq(&line.reason),
        )
    });
    let lines: Vec<_> = lines.collect();
    diesel::insert_into(return_lines::table).values(&lines).execute(&mut conn).await?;
    Ok(row)
}

/// Marks the lines of a return that went back to stock.
pub async fn update_restocked(mut conn: &Conn, id: ReturnId, lines: &[OrderDetailId]) -> Result<()> {
    let back =
        return_lines::table.filter(return_lines::return_id.eq(id)).filter(return_lines::order_detail_id.eq_any(lines));
    diesel::update(back).set(return_lines::is_restocked.eq(true)).execute(&mut conn).await?;
    Ok(())
}

/// Marks a return as received, or as rejected with a reason.
pub async fn update_settled(
    mut conn: &Conn,
    id: ReturnId,
    status: ReturnStatus,
    rejection: Option<&str>,
) -> Result<ReturnRow> {
    let settled = (returns::status.eq(status), returns::rejection.eq(rejection), returns::settled_at.eq(now));
    let query = diesel::update(returns::table.find(id)).set(settled).returning(ReturnRow::as_returning());
    Ok(query.get_result(&mut conn).await?)
}

/// Erases the texts written about the returns of a user's orders.
pub async fn erase_personal_data(mut conn: &Conn, user: UserId) -> Result<()> {
    let own = orders::table.filter(orders::user_id.assume_not_null().eq(user)).select(orders::id);
    let texts = returns::table.filter(returns::order_id.eq_any(own));
    let ids = diesel::update(texts)
        .set((returns::note.eq(None::<String>), returns::rejection.eq(None::<String>)))
        .returning(returns::id);
    let ids: Vec<ReturnId> = ids.get_results(&mut conn).await?;
    let reasons = return_lines::table.filter(return_lines::return_id.eq_any(ids));
    diesel::update(reasons).set(return_lines::reason.eq(None::<String>)).execute(&mut conn).await?;
    Ok(())
}
