//! Placing, changing and cancelling orders.
//! Every action locks in one order: the order, then its products by id. So no two wait for each other in a circle.

mod checkout;
mod create;
mod lines;
mod place;

use super::{
    model::{OrderRow, Status},
    store,
};
use crate::{
    auth::{Permission, Scope, Viewer},
    db::{Conn, Db},
    error::{Error, Result, UserErrorCode},
    ids::{OrderId, ProductId},
    products,
    stock::{
        self,
        model::{NewMovement, Reason},
    },
};

pub use self::{
    checkout::{CheckoutRequest, ContactRequest, Destination, checkout},
    create::{OrderRequest, create},
    lines::{add_line, remove_line, update_line},
};

/// Who may change the lines of an order and cancel it: its customer, or staff.
fn editor_scope(viewer: &Viewer) -> Result<Scope> {
    let me = viewer.require_user()?;
    Ok(match viewer.scope(Permission::ManageOrders) {
        Scope::Seller(_) => Scope::Own(me),
        other => other,
    })
}

async fn reread(conn: &Conn, id: OrderId) -> Result<OrderRow> {
    let order = store::by_ids(conn, &Scope::All, &[id]).await?.pop();
    order.ok_or_else(|| Error::Internal("the order is gone".into()))
}

/// Moves an order along: for staff, and for sellers where it holds their products.
/// # Errors
/// FORBIDDEN without a permission to run orders; NOT_FOUND for an order that is not the viewer's to see;
/// ILLEGAL_TRANSITION for a move that is not allowed.
pub async fn update_status(db: &Db, viewer: &Viewer, id: OrderId, status: Status) -> Result<OrderRow> {
    viewer.require_any(&[Permission::ManageOrders, Permission::SellProducts])?;
    let scope = viewer.scope(Permission::ManageOrders);
    db.transaction(async |conn| {
        let order = store::lock(conn, &scope, id).await?.ok_or_else(|| Error::not_found("id", "order"))?;
        if !may_run(viewer, &order) {
            return Err(Error::not_found("id", "order"));
        }
        become_status(conn, viewer, order, status, "status").await
    })
    .await
}

/// A seller runs the orders that hold their products, not what they bought themselves.
fn may_run(viewer: &Viewer, order: &OrderRow) -> bool {
    viewer.can_at(Permission::ManageOrders, order.source_website_id) || order.user_id != viewer.user_id()
}

/// Cancels an order and puts its stock back: its customer while it is pending, staff until it is shipped.
/// # Errors
/// UNAUTHENTICATED for the anonymous; NOT_FOUND for an order that is not the viewer's; ILLEGAL_TRANSITION too late.
pub async fn cancel(db: &Db, viewer: &Viewer, id: OrderId) -> Result<OrderRow> {
    let scope = editor_scope(viewer)?;
    db.transaction(async |conn| {
        let order = store::lock(conn, &scope, id).await?.ok_or_else(|| Error::not_found("id", "order"))?;
        if order.status == Status::Confirmed && !viewer.can_at(Permission::ManageOrders, order.source_website_id) {
            return Err(Error::user(
                UserErrorCode::IllegalTransition,
                "id",
                "the shop has confirmed this order: ask them to cancel it",
            ));
        }
        become_status(conn, viewer, order, Status::Cancelled, "id").await
    })
    .await
}

async fn become_status(
    conn: &Conn,
    viewer: &Viewer,
    order: OrderRow,
    status: Status,
    field: &'static str,
) -> Result<OrderRow> {
    if !order.status.may_become(status) {
        let rule = format!("an order that is {} cannot become {}", order.status.as_str(), status.as_str());
        return Err(Error::user(UserErrorCode::IllegalTransition, field, rule));
    }
    if status == Status::Cancelled {
        // What the ledger says it took, no more: an imported order took nothing.
        let taken = stock::store::taken_by_order(conn, order.id).await?;
        let ids: Vec<ProductId> = taken.iter().map(|(product, _)| *product).collect();
        products::store::lock(conn, &ids).await?;
        let back = taken
            .into_iter()
            .map(|(product, pieces)| {
                let pieces =
                    i32::try_from(pieces).map_err(|_| Error::Internal("the ledger of an order overflows".into()))?;
                Ok(NewMovement::new(product, Some(order.id), viewer.user_id(), Reason::Cancellation, pieces))
            })
            .collect::<Result<Vec<_>>>()?;
        stock::store::insert(conn, &back).await?;
    }
    store::update_status(conn, order.id, status).await
}
