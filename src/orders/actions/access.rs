//! Who may do what with an order: its customer, the guest who placed it, sellers and staff.
//! Rule: an order that is not the viewer's to see is NOT_FOUND.

use crate::{
    auth::{Permission, Scope, Viewer},
    db::Conn,
    error::{Error, Result},
    ids::OrderId,
    orders::{
        model::{OrderActor, OrderRow},
        store,
    },
};

/// Who runs orders: staff, and sellers those that hold their products.
pub(super) const MAY_FULFILL: &[Permission] = &[Permission::ManageOrders, Permission::SellProducts];

/// Who may change the lines of an order and cancel it: its customer, the guest who placed it, or staff.
/// # Errors
/// UNAUTHENTICATED for the anonymous without a cart token.
pub(super) fn editor_scope(viewer: &Viewer) -> Result<Scope> {
    match viewer.scope(Permission::ManageOrders) {
        Scope::Seller(me) => Ok(Scope::Own(me)),
        Scope::Public => viewer.require_user().map(Scope::Own),
        other => Ok(other),
    }
}

/// Reads an order again after a change.
pub(super) async fn reread(conn: &Conn, id: OrderId) -> Result<OrderRow> {
    let order = store::by_ids(conn, &Scope::All, &[id]).await?.pop();
    order.ok_or_else(|| Error::Internal("the order is gone".into()))
}

/// Locks an order that the viewer, one of the [`MAY_FULFILL`], runs. What they bought themselves others run.
/// # Errors
/// NOT_FOUND of the field, which names this resource_type.
pub(super) async fn lock_to_fulfill(
    conn: &Conn,
    viewer: &Viewer,
    id: OrderId,
    field: &'static str,
    resource: &str,
) -> Result<OrderRow> {
    let scope = viewer.scope(Permission::ManageOrders);
    let order = store::lock(conn, &scope, id).await?.filter(|order| actor_of(viewer, order) != OrderActor::Customer);
    order.ok_or_else(|| Error::not_found(field, resource))
}

/// As whom somebody who sees an order acts on it.
pub(super) fn actor_of(viewer: &Viewer, order: &OrderRow) -> OrderActor {
    if viewer.can_at(Permission::ManageOrders, order.source_website_id) {
        OrderActor::Staff
    } else if viewer.guest().is_some() || order.user_id == viewer.user_id() {
        OrderActor::Customer
    } else {
        OrderActor::Seller
    }
}
