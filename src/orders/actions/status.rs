//! Status changes and cancellation of orders.
//! Rule: [`crate::orders::model::TRANSITIONS`] says who may make which change; the order is locked before its status is
//! checked.

use super::{
    access::{MAY_FULFILL, editor_scope, lock_to_fulfill, reread},
    emails, shipments,
};
use crate::{
    auth::Viewer,
    db::{Conn, Db},
    error::{Error, Result, UserErrorCode},
    ids::{OrderId, ProductId, UserId},
    jobs::{self, model::NewJob},
    orders::{
        model::{OrderActor, OrderDetailRow, OrderRow, PaymentStatus, REVERSE_PAYMENTS, Status},
        store,
    },
    products,
    stock::{
        self,
        model::{NewMovement, Reason},
    },
};

/// Changes the status of an order for staff, and for sellers of all of its lines. For sellers of some of its lines the
/// change applies to their lines, and the order's status follows once it applies to all.
/// # Errors
/// FORBIDDEN without a permission to fulfill orders; NOT_FOUND for an order that the viewer may not fulfill;
/// ILLEGAL_TRANSITION for a change that is not allowed; PERMISSION_NOT_HELD for sellers who cancel lines of others.
pub async fn update_status(db: &Db, viewer: &Viewer, id: OrderId, status: Status) -> Result<OrderRow> {
    viewer.require_any(MAY_FULFILL)?;
    db.contended_transaction(async |conn| {
        let order = lock_to_fulfill(conn, viewer, id, "id", "order").await?;
        change_status(conn, viewer, order, status, "status").await
    })
    .await
}

/// Cancels an order and returns its units to stock. The customer can cancel a pending order, staff an order that has no
/// shipment.
/// # Errors
/// UNAUTHENTICATED for anonymous viewers; NOT_FOUND for an order that is not the viewer's; ILLEGAL_TRANSITION if it is
/// too late.
pub async fn cancel(db: &Db, viewer: &Viewer, id: OrderId) -> Result<OrderRow> {
    let scope = editor_scope(viewer)?;
    db.contended_transaction(async |conn| {
        let order = store::lock(conn, &scope, id).await?.ok_or_else(|| Error::not_found("id", "order"))?;
        change_status(conn, viewer, order, Status::Cancelled, "id").await
    })
    .await
}

async fn change_status(
    conn: &Conn,
    viewer: &Viewer,
    order: OrderRow,
    status: Status,
    field: &'static str,
) -> Result<OrderRow> {
    let illegal = |rule: String| Error::user(UserErrorCode::IllegalTransition, field, rule);
    let transition = order.status.transition(status).map_err(illegal)?;
    // Before the actor is checked: the message must not name the shop if the order cannot be canceled at all.
    let unshipped = if status == Status::Cancelled { unshipped_lines(conn, &order, field).await? } else { Vec::new() };
    let actor = OrderActor::of(viewer, &order);
    transition.check_actor(actor).map_err(illegal)?;
    if actor == OrderActor::Seller {
        let lines = store::lines_by_order_ids(conn, &[order.id]).await?;
        if !lines.iter().all(|line| line.is_visible_to(viewer, &order)) {
            return change_own_lines(conn, viewer, order, status, field).await;
        }
    }
    match status {
        Status::Shipped => shipments::ship_remaining(conn, viewer, &order).await?,
        Status::Delivered => shipments::deliver_remaining(conn, viewer, &order).await?,
        Status::Cancelled => apply_cancellation(conn, viewer.user_id(), &order, &unshipped).await?,
        Status::Confirmed => emails::queue_deferred_confirmation(conn, &order).await?,
        Status::Pending => {}
    }
    let order = reread(conn, order.id).await?;
    // The triggers have changed the status along with the shipments; an imported order without shipments is updated
    // here.
    if order.status == status { Ok(order) } else { store::update_status(conn, order.id, status).await }
}

/// Applies the change to the seller's own lines, where the order has others. The order's status changes with the last
/// line.
async fn change_own_lines(
    conn: &Conn,
    viewer: &Viewer,
    order: OrderRow,
    status: Status,
    field: &'static str,
) -> Result<OrderRow> {
    match status {
        Status::Confirmed => {
            store::confirm_lines(conn, order.id, viewer.require_user()?).await?;
            let lines = store::lines_by_order_ids(conn, &[order.id]).await?;
            if lines.iter().all(|line| line.is_confirmed(order.status)) {
                emails::queue_deferred_confirmation(conn, &order).await?;
                store::update_status(conn, order.id, status).await?;
            }
        }
        Status::Shipped => shipments::ship_remaining(conn, viewer, &order).await?,
        Status::Delivered => shipments::deliver_remaining(conn, viewer, &order).await?,
        Status::Pending | Status::Cancelled => {
            let rule = "the order has lines of others; only staff can cancel it";
            return Err(Error::user(UserErrorCode::PermissionNotHeld, field, rule));
        }
    }
    reread(conn, order.id).await
}

/// Returns the lines of an order of which nothing was shipped.
/// # Errors
/// ILLEGAL_TRANSITION of this field if a part of the order was shipped.
pub(super) async fn unshipped_lines(conn: &Conn, order: &OrderRow, field: &'static str) -> Result<Vec<OrderDetailRow>> {
    let lines = store::lines_by_order_ids(conn, &[order.id]).await?;
    if lines.iter().any(|line| line.shipped_quantity > 0) {
        let rule = "A part of the order was shipped. Request a return instead.";
        return Err(Error::user(UserErrorCode::IllegalTransition, field, rule));
    }
    Ok(lines)
}

/// Applies what a cancellation entails: stock is returned, payments are undone by a job, and the customer gets an
/// email. `user` is the user who cancels it; none for guests and for the system.
pub(super) async fn apply_cancellation(
    conn: &Conn,
    user: Option<UserId>,
    order: &OrderRow,
    lines: &[OrderDetailRow],
) -> Result<()> {
    restore_stock(conn, user, order.id).await?;
    if order.payment_status != PaymentStatus::None {
        let payload = serde_json::json!({ "order": order.id });
        jobs::store::enqueue(conn, &NewJob { kind: REVERSE_PAYMENTS.kind, payload, user_id: None, run_at: None })
            .await?;
    }
    emails::queue_cancelled(conn, order, lines).await
}

/// Returns to stock what the ledger says the order took and no more, since imported orders took nothing.
async fn restore_stock(conn: &Conn, user: Option<UserId>, order: OrderId) -> Result<()> {
    let taken = stock::store::deducted_by_order(conn, order).await?;
    let ids: Vec<ProductId> = taken.iter().map(|(product, _)| *product).collect();
    products::store::lock(conn, &ids).await?;
    let back = taken
        .into_iter()
        .map(|(product, quantity)| {
            let quantity = i32::try_from(quantity)
                .map_err(|_| Error::Internal("the ledger quantity of an order overflows".into()))?;
            Ok(NewMovement::new(product, Some(order), user, Reason::Cancellation, quantity))
        })
        .collect::<Result<Vec<_>>>()?;
    stock::store::insert(conn, &back).await
}
