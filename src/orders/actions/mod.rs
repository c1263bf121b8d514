//! Placing, changing and cancelling orders.
//! Every action locks in one order: the order, then its products by id. So no two wait for each other in a circle.

mod checkout;
mod create;
mod letters;
mod lines;
mod notes;
mod pieces;
mod place;
mod returns;
mod shipments;
mod status;

use super::{model::OrderRow, store};
use crate::{
    auth::{Permission, Scope, Viewer},
    db::Conn,
    error::{Error, Result},
    ids::OrderId,
};

pub use self::{
    checkout::{CheckoutRequest, ContactRequest, Destination, checkout},
    create::{OrderRequest, create},
    lines::{add_line, remove_line, update_line},
    notes::add_note,
    returns::{ReturnOf, create_return, receive_return, reject_return},
    shipments::{ShipmentOf, create_shipment, deliver_shipment, update_shipment},
    status::{cancel, update_status},
};

/// Who may change the lines of an order and cancel it: its customer, the guest who placed it, or staff.
/// # Errors
/// UNAUTHENTICATED for the anonymous without a cart token.
fn editor_scope(viewer: &Viewer) -> Result<Scope> {
    match viewer.scope(Permission::ManageOrders) {
        Scope::Seller(me) => Ok(Scope::Own(me)),
        Scope::Public => viewer.require_user().map(Scope::Own),
        other => Ok(other),
    }
}

async fn reread(conn: &Conn, id: OrderId) -> Result<OrderRow> {
    let order = store::by_ids(conn, &Scope::All, &[id]).await?.pop();
    order.ok_or_else(|| Error::Internal("the order is gone".into()))
}
