//! Placing, changing and cancelling orders.
//! Every action locks in one order: the order, then its products by id. So no two wait for each other in a circle.

mod access;
mod checkout;
mod create;
mod emails;
mod lines;
mod notes;
mod place;
mod quantities;
mod returns;
mod shipments;
mod status;

pub use self::{
    checkout::{CheckoutRequest, ContactRequest, Destination, checkout},
    create::{OrderRequest, create},
    lines::{add_line, remove_line, update_line},
    notes::add_note,
    returns::{ReturnWithOrder, create_return, receive_return, reject_return},
    shipments::{ShipmentWithOrder, create_shipment, deliver_shipment, update_shipment},
    status::{cancel, update_status},
};
