//! Sending orders on their way, in parts or as a whole, until they arrive.
//! The order is locked first; what follows of a shipment, its lines' pieces and the order's status, the database keeps.

use super::{
    access::{MAY_FULFILL, lock_to_fulfill, reread},
    emails,
    quantities::{LineQuantities, check_quantities},
};
use crate::{
    auth::{Permission, Viewer},
    db::{
        Conn, Db,
        idempotency::{Claim, IdempotencyKey, Owner},
    },
    error::{Error, Result, UserErrorCode},
    ids::ShipmentId,
    orders::{
        model::{
            MAX_SHIPMENTS, OrderDetailRow, OrderRow, ShipmentRequest, ShipmentRow, Status, Tracking, TrackingPatch,
        },
        store,
    },
};

/// A shipment and its order, as they are now.
pub type ShipmentWithOrder = (ShipmentRow, OrderRow);

/// Ships pieces of a confirmed order, all that is left where none are named. Sent again with the same key it answers the
/// same shipment.
/// # Errors
/// FORBIDDEN without a permission to run orders; NOT_FOUND for an order that is not the viewer's to run;
/// ILLEGAL_TRANSITION unless it is confirmed; user errors of the lines and of the tracking; IDEMPOTENCY_MISMATCH.
pub async fn create_shipment(
    db: &Db,
    viewer: &Viewer,
    request: ShipmentRequest,
    key: String,
) -> Result<ShipmentWithOrder> {
    viewer.require_any(MAY_FULFILL)?;
    let me = viewer.require_user()?;
    let key = IdempotencyKey { owner: Owner::User(me), operation: "shipmentCreate", key };
    key.check()?;
    request.tracking.check()?;
    db.transaction(async |conn| {
        let claimed = match key.claim(conn, &request).await? {
            Claim::New(claimed) => claimed,
            Claim::Done(shipment) => return find(conn, viewer, ShipmentId(shipment)).await,
        };
        let order = lock_to_fulfill(conn, viewer, request.order, "orderId", "order").await?;
        if order.status != Status::Confirmed {
            let rule = format!("only a confirmed order is shipped; this one is {}", order.status.as_str());
            return Err(Error::user(UserErrorCode::IllegalTransition, "orderId", rule));
        }
        let lines = store::lines_by_order_ids(conn, &[order.id]).await?;
        let remaining = unshipped(&lines);
        let quantities = match &request.lines {
            Some(named) => {
                check_quantities(named, &lines, OrderDetailRow::left_to_ship, "ship")?;
                named.clone()
            }
            None => remaining.clone(),
        };
        let takes_all = total_quantity(&quantities) == total_quantity(&remaining);
        let existing = store::shipments::count_by_order(conn, order.id).await?;
        if !takes_all && existing + 1 >= MAX_SHIPMENTS as i64 {
            let rule = format!("an order has at most {MAX_SHIPMENTS} shipments: the last one takes all that is left");
            return Err(Error::user(UserErrorCode::OutOfRange, "lines", rule));
        }
        let shipment = ship(conn, &order, &lines, &request.tracking, &quantities).await?;
        claimed.store_result(conn, shipment.id.0).await?;
        Ok((shipment, reread(conn, order.id).await?))
    })
    .await
}

/// Changes how a shipment can be followed.
/// # Errors
/// FORBIDDEN without a permission to run orders; NOT_FOUND for a shipment of an order that is not the viewer's to run;
/// user errors of the tracking.
pub async fn update_shipment(
    db: &Db,
    viewer: &Viewer,
    id: ShipmentId,
    patch: TrackingPatch,
) -> Result<ShipmentWithOrder> {
    viewer.require_any(MAY_FULFILL)?;
    patch.check()?;
    db.transaction(async |conn| {
        let (shipment, order) = lock(conn, viewer, id).await?;
        if patch.is_empty() {
            return Ok((shipment, order));
        }
        Ok((store::shipments::update(conn, id, &patch).await?, order))
    })
    .await
}

/// Notes that a shipment has arrived. With the last one of a shipped order the order is delivered.
/// # Errors
/// As [`update_shipment`]; ILLEGAL_TRANSITION for one that has arrived before.
pub async fn deliver_shipment(db: &Db, viewer: &Viewer, id: ShipmentId) -> Result<ShipmentWithOrder> {
    viewer.require_any(MAY_FULFILL)?;
    db.transaction(async |conn| {
        let (shipment, order) = lock(conn, viewer, id).await?;
        if shipment.delivered_at.is_some() {
            return Err(Error::user(UserErrorCode::IllegalTransition, "id", "this shipment has arrived already"));
        }
        let arrived = store::shipments::update_delivered(conn, &[id]).await?.pop().ok_or_else(missing)?;
        Ok((arrived, reread(conn, order.id).await?))
    })
    .await
}

/// Ships what is left of an order, if anything; the caller has locked it.
pub(super) async fn ship_remaining(conn: &Conn, order: &OrderRow) -> Result<()> {
    let lines = store::lines_by_order_ids(conn, &[order.id]).await?;
    let remaining = unshipped(&lines);
    if !remaining.is_empty() {
        ship(conn, order, &lines, &Tracking::default(), &remaining).await?;
    }
    Ok(())
}

/// Notes that every shipment of an order has arrived; the caller has locked it.
pub(super) async fn deliver_remaining(conn: &Conn, order: &OrderRow) -> Result<()> {
    let shipments = store::shipments::by_order_ids(conn, &[order.id]).await?;
    let undelivered: Vec<ShipmentId> =
        shipments.iter().filter(|shipment| shipment.delivered_at.is_none()).map(|shipment| shipment.id).collect();
    store::shipments::update_delivered(conn, &undelivered).await?;
    Ok(())
}

fn unshipped(lines: &[OrderDetailRow]) -> LineQuantities {
    lines.iter().map(|line| (line.id, line.left_to_ship())).filter(|(_, left)| *left > 0).collect()
}

fn total_quantity(quantities: &LineQuantities) -> i64 {
    quantities.iter().map(|(_, quantity)| i64::from(*quantity)).sum()
}

async fn ship(
    conn: &Conn,
    order: &OrderRow,
    lines: &[OrderDetailRow],
    tracking: &Tracking,
    quantities: &LineQuantities,
) -> Result<ShipmentRow> {
    let shipment = store::shipments::insert(conn, order.id, tracking, quantities).await?;
    let left = total_quantity(&unshipped(lines)) - total_quantity(quantities);
    emails::queue_shipped(conn, order, lines, tracking, quantities, left).await?;
    Ok(shipment)
}

fn missing() -> Error {
    Error::not_found("id", "shipment")
}

/// Locks the order of a shipment; gives both as they stand then.
async fn lock(conn: &Conn, viewer: &Viewer, id: ShipmentId) -> Result<ShipmentWithOrder> {
    let seen = store::shipments::by_ids(conn, &[id]).await?.pop().ok_or_else(missing)?;
    let order = lock_to_fulfill(conn, viewer, seen.order_id, "id", "shipment").await?;
    let shipment = store::shipments::by_ids(conn, &[id]).await?.pop().ok_or_else(missing)?;
    Ok((shipment, order))
}

async fn find(conn: &Conn, viewer: &Viewer, id: ShipmentId) -> Result<ShipmentWithOrder> {
    let shipment = store::shipments::by_ids(conn, &[id]).await?.pop().ok_or_else(missing)?;
    let scope = viewer.scope(Permission::ManageOrders);
    let order = store::by_ids(conn, &scope, &[shipment.order_id]).await?.pop().ok_or_else(missing)?;
    Ok((shipment, order))
}
