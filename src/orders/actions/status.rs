//! Moving an order along, and calling it off.
//! Rule: [`crate::orders::model::MOVES`] says who may make which move; whoever moves an order has locked it first.

use super::editor_scope;
use crate::{
    auth::{Permission, Viewer},
    db::{Conn, Db},
    error::{Error, Result, UserErrorCode},
    ids::{OrderId, ProductId},
    jobs::{self, model::NewJob},
    orders::{
        model::{CANCELLED, Mover, OrderRow, PaymentStatus, Status},
        store,
    },
    products,
    stock::{
        self,
        model::{NewMovement, Reason},
    },
};

/// Moves an order along: for staff, and for sellers where it holds their products.
/// # Errors
/// FORBIDDEN without a permission to run orders; NOT_FOUND for an order that is not the viewer's to run;
/// ILLEGAL_TRANSITION for a move that is not allowed.
pub async fn update_status(db: &Db, viewer: &Viewer, id: OrderId, status: Status) -> Result<OrderRow> {
    db.transaction(async |conn| {
        let order = lock_to_run(conn, viewer, id, "id").await?;
        become_status(conn, viewer, order, status, "status").await
    })
    .await
}

/// Cancels an order and puts its stock back: its customer while it is pending, staff until something is shipped.
/// # Errors
/// UNAUTHENTICATED for the anonymous; NOT_FOUND for an order that is not the viewer's; ILLEGAL_TRANSITION too late.
pub async fn cancel(db: &Db, viewer: &Viewer, id: OrderId) -> Result<OrderRow> {
    let scope = editor_scope(viewer)?;
    db.transaction(async |conn| {
        let order = store::lock(conn, &scope, id).await?.ok_or_else(|| Error::not_found("id", "order"))?;
        become_status(conn, viewer, order, Status::Cancelled, "id").await
    })
    .await
}

/// Locks an order that the viewer runs as staff or as a seller. What they bought themselves others run.
/// # Errors
/// FORBIDDEN without a permission to run orders; NOT_FOUND of the field.
pub(super) async fn lock_to_run(conn: &Conn, viewer: &Viewer, id: OrderId, field: &'static str) -> Result<OrderRow> {
    viewer.require_any(&[Permission::ManageOrders, Permission::SellProducts])?;
    let scope = viewer.scope(Permission::ManageOrders);
    let order = store::lock(conn, &scope, id).await?.filter(|order| mover(viewer, order) != Mover::Customer);
    order.ok_or_else(|| Error::not_found(field, "order"))
}

/// As whom somebody who sees an order acts on it.
pub(super) fn mover(viewer: &Viewer, order: &OrderRow) -> Mover {
    if viewer.can_at(Permission::ManageOrders, order.source_website_id) {
        Mover::Staff
    } else if viewer.guest().is_some() || order.user_id == viewer.user_id() {
        Mover::Customer
    } else {
        Mover::Seller
    }
}

async fn become_status(
    conn: &Conn,
    viewer: &Viewer,
    order: OrderRow,
    status: Status,
    field: &'static str,
) -> Result<OrderRow> {
    let illegal = |rule: String| Error::user(UserErrorCode::IllegalTransition, field, rule);
    order.status.check_move(status, mover(viewer, &order)).map_err(illegal)?;
    if status == Status::Cancelled {
        put_stock_back(conn, viewer, order.id).await?;
        if order.payment_status != PaymentStatus::None {
            let payload = serde_json::json!({ "order": order.id });
            jobs::store::enqueue(conn, &NewJob { kind: CANCELLED, payload, user_id: None, run_at: None }).await?;
        }
    }
    store::update_status(conn, order.id, status).await
}

/// Gives back what the ledger says the order took, no more: an imported order took nothing.
async fn put_stock_back(conn: &Conn, viewer: &Viewer, order: OrderId) -> Result<()> {
    let taken = stock::store::taken_by_order(conn, order).await?;
    let ids: Vec<ProductId> = taken.iter().map(|(product, _)| *product).collect();
    products::store::lock(conn, &ids).await?;
    let back = taken
        .into_iter()
        .map(|(product, pieces)| {
            let pieces =
                i32::try_from(pieces).map_err(|_| Error::Internal("the ledger of an order overflows".into()))?;
            Ok(NewMovement::new(product, Some(order), viewer.user_id(), Reason::Cancellation, pieces))
        })
        .collect::<Result<Vec<_>>>()?;
    stock::store::insert(conn, &back).await
}
