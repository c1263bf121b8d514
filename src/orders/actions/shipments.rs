//! Shipments of orders, in part or in full, until delivery.
//! Rule: the order is locked first; the database updates the shipped quantities of the lines and the order's status.

use std::collections::{HashMap, HashSet};

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
            MAX_SHIPMENTS, OrderActor, OrderDetailRow, OrderRow, ShipmentRequest, ShipmentRow, Status, Tracking,
            TrackingPatch,
        },
        store,
    },
};

/// A shipment and its order in their current state.
pub type ShipmentWithOrder = (ShipmentRow, OrderRow);

/// Ships units of a confirmed order; all remaining units if no lines are given. Sellers ship their own lines. Repeating
/// the request with the same key returns the same shipment.
/// # Errors
/// FORBIDDEN without a permission to fulfill orders; NOT_FOUND for an order that the viewer may not fulfill;
/// ILLEGAL_TRANSITION unless the order is confirmed; user errors of the lines, among them NOT_FOUND for a line of
/// another seller, and of the tracking; IDEMPOTENCY_MISMATCH.
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
    let request = ShipmentRequest { tracking: request.tracking.checked()?, ..request };
    db.transaction(async |conn| {
        let claimed = match key.claim(conn, &request).await? {
            Claim::New(claimed) => claimed,
            Claim::Done(shipment) => return find(conn, viewer, ShipmentId(shipment)).await,
        };
        let order = lock_to_fulfill(conn, viewer, request.order, "orderId", "order").await?;
        if order.status != Status::Confirmed {
            let rule = format!("only a confirmed order can be shipped; this order is {}", order.status.as_str());
            return Err(Error::user(UserErrorCode::IllegalTransition, "orderId", rule));
        }
        let lines = store::lines_by_order_ids(conn, &[order.id]).await?;
        let own = visible_lines(viewer, &order, &lines);
        let quantities = match &request.lines {
            Some(named) => {
                check_quantities(named, &own, OrderDetailRow::left_to_ship, "ship")?;
                named.clone()
            }
            None => unshipped(&own),
        };
        if quantities.is_empty() {
            return Err(Error::user(UserErrorCode::OutOfRange, "lines", "no units of your lines are left to ship"));
        }
        let takes_all = total_quantity(&quantities) == total_quantity(&unshipped(&lines));
        let existing = store::shipments::count_by_order(conn, order.id).await?;
        if !takes_all && existing + 1 >= MAX_SHIPMENTS as i64 {
            let rule =
                format!("an order has at most {MAX_SHIPMENTS} shipments; the last must contain all remaining units");
            return Err(Error::user(UserErrorCode::OutOfRange, "lines", rule));
        }
        let shipment = ship(conn, &order, &lines, &request.tracking, &quantities).await?;
        claimed.store_result(conn, shipment.id.0).await?;
        Ok((shipment, reread(conn, order.id).await?))
    })
    .await
}

/// Changes the tracking details of a shipment.
/// # Errors
/// FORBIDDEN without a permission to fulfill orders; NOT_FOUND for a shipment that the viewer does not see or of an
/// order that they may not fulfill; PERMISSION_NOT_HELD for sellers if it has lines of others; user errors of the
/// tracking.
pub async fn update_shipment(
    db: &Db,
    viewer: &Viewer,
    id: ShipmentId,
    patch: TrackingPatch,
) -> Result<ShipmentWithOrder> {
    viewer.require_any(MAY_FULFILL)?;
    let patch = patch.checked()?;
    db.transaction(async |conn| {
        let (shipment, order) = lock(conn, viewer, id).await?;
        if patch.is_empty() {
            return Ok((shipment, order));
        }
        Ok((store::shipments::update(conn, id, &patch).await?, order))
    })
    .await
}

/// Marks a shipment as delivered. When all shipments of a shipped order are delivered, the order is too.
/// # Errors
/// As [`update_shipment`]; ILLEGAL_TRANSITION if the shipment was delivered before.
pub async fn deliver_shipment(db: &Db, viewer: &Viewer, id: ShipmentId) -> Result<ShipmentWithOrder> {
    viewer.require_any(MAY_FULFILL)?;
    db.transaction(async |conn| {
        let (shipment, order) = lock(conn, viewer, id).await?;
        if shipment.delivered_at.is_some() {
            return Err(Error::user(UserErrorCode::IllegalTransition, "id", "the shipment was already delivered"));
        }
        let arrived = store::shipments::update_delivered(conn, &[id]).await?.pop().ok_or_else(missing)?;
        Ok((arrived, reread(conn, order.id).await?))
    })
    .await
}

/// Ships the remaining units of an order that the viewer may ship, if any; the caller has locked the order.
pub(super) async fn ship_remaining(conn: &Conn, viewer: &Viewer, order: &OrderRow) -> Result<()> {
    let lines = store::lines_by_order_ids(conn, &[order.id]).await?;
    let remaining = unshipped(&visible_lines(viewer, order, &lines));
    if !remaining.is_empty() {
        ship(conn, order, &lines, &Tracking::default(), &remaining).await?;
    }
    Ok(())
}

/// Marks every shipment of an order that the viewer may change as delivered; the caller has locked the order.
pub(super) async fn deliver_remaining(conn: &Conn, viewer: &Viewer, order: &OrderRow) -> Result<()> {
    let shipments = store::shipments::by_order_ids(conn, &[order.id]).await?;
    let mut undelivered: Vec<ShipmentId> =
        shipments.iter().filter(|shipment| shipment.delivered_at.is_none()).map(|shipment| shipment.id).collect();
    if let Some(parts) = seller_parts(conn, viewer, order, &undelivered).await? {
        undelivered.retain(|id| parts.get(id) == Some(&SellerPart::All));
    }
    store::shipments::update_delivered(conn, &undelivered).await?;
    Ok(())
}

/// Returns the lines that the viewer may ship.
fn visible_lines(viewer: &Viewer, order: &OrderRow, lines: &[OrderDetailRow]) -> Vec<OrderDetailRow> {
    lines.iter().filter(|line| line.is_visible_to(viewer, order)).cloned().collect()
}

/// Which lines of a shipment are a seller's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SellerPart {
    All,
    Some,
}

/// Returns which lines of these shipments are the seller's, without shipments that have none of them; `None` if the
/// viewer is not a seller and may change all.
async fn seller_parts(
    conn: &Conn,
    viewer: &Viewer,
    order: &OrderRow,
    ids: &[ShipmentId],
) -> Result<Option<HashMap<ShipmentId, SellerPart>>> {
    if OrderActor::of(viewer, order) != OrderActor::Seller {
        return Ok(None);
    }
    let lines = store::lines_by_order_ids(conn, &[order.id]).await?;
    let own: HashSet<_> = visible_lines(viewer, order, &lines).iter().map(|line| line.id).collect();
    let shipped = store::shipments::lines_by_shipment_ids(conn, ids).await?;
    let mut counts: HashMap<ShipmentId, (usize, usize)> = HashMap::new();
    for line in shipped {
        let (of_seller, all) = counts.entry(line.shipment_id).or_default();
        *of_seller += usize::from(own.contains(&line.order_detail_id));
        *all += 1;
    }
    let parts = counts.into_iter().filter(|(_, (of_seller, _))| *of_seller > 0);
    let part = |(of_seller, all)| if of_seller == all { SellerPart::All } else { SellerPart::Some };
    Ok(Some(parts.map(|(id, counts)| (id, part(counts))).collect()))
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

/// Locks the order of a shipment that the viewer may change; returns both in their current state.
async fn lock(conn: &Conn, viewer: &Viewer, id: ShipmentId) -> Result<ShipmentWithOrder> {
    let seen = store::shipments::by_ids(conn, &[id]).await?.pop().ok_or_else(missing)?;
    let order = lock_to_fulfill(conn, viewer, seen.order_id, "id", "shipment").await?;
    let shipment = store::shipments::by_ids(conn, &[id]).await?.pop().ok_or_else(missing)?;
    if let Some(parts) = seller_parts(conn, viewer, &order, &[id]).await? {
        match parts.get(&id) {
            Some(SellerPart::All) => {}
            Some(SellerPart::Some) => {
                let rule = "the shipment contains lines of others; only staff can change it";
                return Err(Error::user(UserErrorCode::PermissionNotHeld, "id", rule));
            }
            None => return Err(missing()),
        }
    }
    Ok((shipment, order))
}

async fn find(conn: &Conn, viewer: &Viewer, id: ShipmentId) -> Result<ShipmentWithOrder> {
    let shipment = store::shipments::by_ids(conn, &[id]).await?.pop().ok_or_else(missing)?;
    let scope = viewer.scope(Permission::ManageOrders);
    let order = store::by_ids(conn, &scope, &[shipment.order_id]).await?.pop().ok_or_else(missing)?;
    Ok((shipment, order))
}
