//! SQL statements that insert the past of an order: the order, shipments, returns and events with the times at which they happened.
//! Rule: triggers update statuses and quantities as usual. Events of triggers have the current time, so the caller suppresses
//! them ([`crate::audit::store::suppress`]) and inserts the events itself.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::returns;
use crate::{
    db::{
        Conn,
        tables::{order_details, order_events, orders, returns as return_rows, shipment_lines, shipments},
    },
    error::Result,
    ids::{OrderDetailId, OrderId, ReturnId, ShipmentId},
    orders::model::{NewEvent, NewOrder, NewOrderDetail, ReturnRequest, ReturnStatus, ShipmentLineRow, Tracking},
};

/// Inserts an order without lines that was created when it was placed.
pub async fn insert_order(mut conn: &Conn, new: &NewOrder) -> Result<OrderId> {
    let insert = diesel::insert_into(orders::table).values((new, orders::created_at.eq(new.placed_at)));
    Ok(insert.returning(orders::id).get_result(&mut conn).await?)
}

/// Inserts lines that were created at this time. A trigger updates the order's total.
pub async fn insert_lines(mut conn: &Conn, lines: &[NewOrderDetail], at: DateTime<Utc>) -> Result<()> {
    let lines: Vec<_> = lines.iter().map(|line| (line, order_details::created_at.eq(at))).collect();
    diesel::insert_into(order_details::table).values(lines).execute(&mut conn).await?;
    Ok(())
}

/// Inserts events; the events of one order are sorted by time.
pub async fn insert_events(mut conn: &Conn, events: &[NewEvent]) -> Result<()> {
    diesel::insert_into(order_events::table).values(events).execute(&mut conn).await?;
    Ok(())
}

/// Inserts a shipment that left at this time. Triggers update the order's lines, and its status if nothing is left to ship.
pub async fn insert_shipment(
    mut conn: &Conn,
    order: OrderId,
    tracking: &Tracking,
    quantities: &[(OrderDetailId, i32)],
    at: DateTime<Utc>,
) -> Result<ShipmentId> {
    let new = (shipments::order_id.eq(order), shipments::shipped_at.eq(at), shipments::created_at.eq(at), tracking);
    let insert = diesel::insert_into(shipments::table).values(new).returning(shipments::id);
    let shipment_id: ShipmentId = insert.get_result(&mut conn).await?;
    let lines = quantities.iter().map(|(line, quantity)| ShipmentLineRow {
        shipment_id,
        order_detail_id: *line,
        quantity: *quantity,
    });
    let lines: Vec<_> = lines.collect();
    diesel::insert_into(shipment_lines::table).values(&lines).execute(&mut conn).await?;
    Ok(shipment_id)
}

/// Sets when a shipment was delivered. A trigger updates the order's status if it was the last one.
pub async fn update_delivered(mut conn: &Conn, id: ShipmentId, at: DateTime<Utc>) -> Result<()> {
    diesel::update(shipments::table.find(id)).set(shipments::delivered_at.eq(at)).execute(&mut conn).await?;
    Ok(())
}

/// Inserts a return that was requested at this time. A trigger updates the order's lines.
pub async fn insert_return(mut conn: &Conn, request: &ReturnRequest, at: DateTime<Utc>) -> Result<ReturnId> {
    let id = returns::insert(conn, request).await?.id;
    diesel::update(return_rows::table.find(id)).set(return_rows::created_at.eq(at)).execute(&mut conn).await?;
    Ok(id)
}

/// Marks a return as received or rejected at this time.
pub async fn update_return_settled(
    mut conn: &Conn,
    id: ReturnId,
    status: ReturnStatus,
    rejection: Option<&str>,
    at: DateTime<Utc>,
) -> Result<()> {
    let settled =
        (return_rows::status.eq(status), return_rows::rejection.eq(rejection), return_rows::settled_at.eq(at));
    diesel::update(return_rows::table.find(id)).set(settled).execute(&mut conn).await?;
    Ok(())
}
