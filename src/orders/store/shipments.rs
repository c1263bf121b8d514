//! All SQL statements on shipments. A shipment is visible to everyone who can see its order.

use diesel::{dsl::now, prelude::*};
use diesel_async::RunQueryDsl;

use crate::{
    db::{
        Conn,
        tables::{shipment_lines, shipments},
    },
    error::Result,
    ids::{OrderDetailId, OrderId, ShipmentId},
    orders::model::{ShipmentLineRow, ShipmentRow, Tracking, TrackingPatch},
};

/// Returns the shipments with these IDs, in no particular order.
pub async fn by_ids(mut conn: &Conn, ids: &[ShipmentId]) -> Result<Vec<ShipmentRow>> {
    let query = shipments::table.filter(shipments::id.eq_any(ids)).select(ShipmentRow::as_select());
    Ok(query.load(&mut conn).await?)
}

/// Returns the shipments of these orders, oldest first within an order.
pub async fn by_order_ids(mut conn: &Conn, ids: &[OrderId]) -> Result<Vec<ShipmentRow>> {
    let query = shipments::table
        .filter(shipments::order_id.eq_any(ids))
        .order((shipments::order_id, shipments::id))
        .select(ShipmentRow::as_select());
    Ok(query.load(&mut conn).await?)
}

/// Returns the lines of these shipments, in the order of the order lines.
pub async fn lines_by_shipment_ids(mut conn: &Conn, ids: &[ShipmentId]) -> Result<Vec<ShipmentLineRow>> {
    let query = shipment_lines::table
        .filter(shipment_lines::shipment_id.eq_any(ids))
        .order((shipment_lines::shipment_id, shipment_lines::order_detail_id))
        .select(ShipmentLineRow::as_select());
    Ok(query.load(&mut conn).await?)
}

/// Returns the number of shipments of an order.
pub async fn count_by_order(mut conn: &Conn, order: OrderId) -> Result<i64> {
    Ok(shipments::table.filter(shipments::order_id.eq(order)).count().get_result(&mut conn).await?)
}

/// Inserts a shipment of these quantities. Triggers update the order's lines, and its status if nothing is left to
/// ship. The caller holds the lock of the order.
pub async fn insert(
    mut conn: &Conn,
    order: OrderId,
    tracking: &Tracking,
    quantities: &[(OrderDetailId, i32)],
) -> Result<ShipmentRow> {
    let insert = diesel::insert_into(shipments::table).values((shipments::order_id.eq(order), tracking));
    let shipment = insert.returning(ShipmentRow::as_returning()).get_result(&mut conn).await?;
    let line = |(line, quantity): &(OrderDetailId, i32)| ShipmentLineRow {
        shipment_id: shipment.id,
        order_detail_id: *line,
        quantity: *quantity,
    };
    let lines: Vec<ShipmentLineRow> = quantities.iter().map(line).collect();
    diesel::insert_into(shipment_lines::table).values(&lines).execute(&mut conn).await?;
    Ok(shipment)
}

/// Changes the tracking details of a shipment.
pub async fn update(mut conn: &Conn, id: ShipmentId, patch: &TrackingPatch) -> Result<ShipmentRow> {
    let query = diesel::update(shipments::table.find(id)).set(patch).returning(ShipmentRow::as_returning());
    Ok(query.get_result(&mut conn).await?)
}

/// Marks these shipments as delivered now; a trigger updates the order's status once all of its shipments are
/// delivered.
pub async fn update_delivered(mut conn: &Conn, ids: &[ShipmentId]) -> Result<Vec<ShipmentRow>> {
    let query = diesel::update(shipments::table.filter(shipments::id.eq_any(ids)))
        .set(shipments::delivered_at.eq(now))
        .returning(ShipmentRow::as_returning());
    Ok(query.get_results(&mut conn).await?)
}
