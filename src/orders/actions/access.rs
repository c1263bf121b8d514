//! Which viewers may do what with an order: its customer, the guest who placed it, sellers and staff.
//! Rule: an order that the viewer may not see is NOT_FOUND.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    auth::{Permission, Scope, Viewer},
    carts,
    db::Conn,
    error::{Error, Result},
    ids::{OrderId, ProductId},
    orders::{
        model::{OrderActor, OrderRow},
        store,
    },
    products::{self, model::ProductRow},
};

/// Permissions that allow fulfilling orders: staff all orders of their websites, sellers their own lines.
pub(super) const MAY_FULFILL: &[Permission] = &[Permission::ManageOrders, Permission::SellProducts];

/// Returns the scope of orders whose lines the viewer may change and which they may cancel: those that they placed as a
/// user or a guest, and for staff those of their websites.
/// # Errors
/// UNAUTHENTICATED for anonymous viewers without a cart token; FORBIDDEN for API keys without the permission.
pub(super) fn editor_scope(viewer: &Viewer) -> Result<Scope> {
    match viewer.scope(Permission::ManageOrders) {
        Scope::Public | Scope::Seller { .. } => viewer.require_account().map(Scope::Own),
        other => Ok(other),
    }
}

/// Removes the products that the viewer may not see, so that they are handled like missing ones. Products that the viewer
/// ordered before or has in a cart are kept: who knows a product may learn that it is no longer for sale.
/// # Errors
/// Database errors.
pub(super) async fn retain_known(
    conn: &Conn,
    viewer: &Viewer,
    products: &mut BTreeMap<ProductId, ProductRow>,
) -> Result<()> {
    let scope = viewer.scope(Permission::ManageProducts);
    let hidden = products.values().filter(|product| !products::store::can_see(&scope, product));
    let hidden: Vec<ProductId> = hidden.map(|product| product.id).collect();
    if hidden.is_empty() {
        return Ok(());
    }
    let carts = carts::store::by_holder(conn, &viewer.holder()).await?;
    let carts: Vec<_> = carts.iter().map(|cart| cart.id).collect();
    let lines = carts::store::lines_by_cart_ids(conn, &carts).await?;
    let mut known: BTreeSet<ProductId> = lines.iter().map(|line| line.product_id).collect();
    if let Some(user) = viewer.account() {
        known.extend(store::ordered_products(conn, user, &hidden).await?);
    }
    products.retain(|id, _| known.contains(id) || !hidden.contains(id));
    Ok(())
}

/// Reads an order again after a change.
pub(super) async fn reread(conn: &Conn, id: OrderId) -> Result<OrderRow> {
    let order = store::by_ids(conn, &Scope::All, &[id]).await?.pop();
    order.ok_or_else(|| Error::Internal("the order no longer exists".into()))
}

/// Locks an order that the viewer, who has one of the [`MAY_FULFILL`] permissions, may fulfill. Sellers cannot fulfill
/// orders that they placed themselves.
/// # Errors
/// NOT_FOUND for this field and resource type.
pub(super) async fn lock_to_fulfill(
    conn: &Conn,
    viewer: &Viewer,
    id: OrderId,
    field: &'static str,
    resource: &str,
) -> Result<OrderRow> {
    let scope = viewer.scope(Permission::ManageOrders);
    let is_own = |order: &OrderRow| order.user_id.is_some() && order.user_id == viewer.user_id();
    let may_fulfill = |order: &OrderRow| match OrderActor::of(viewer, order) {
        OrderActor::Staff => true,
        OrderActor::Seller => !is_own(order),
        OrderActor::Customer => false,
    };
    let order = store::lock(conn, &scope, id).await?.filter(may_fulfill);
    order.ok_or_else(|| Error::not_found(field, resource))
}
