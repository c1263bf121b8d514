//! Use cases of orders: placing, changing, fulfilling, returning and canceling.
//! Rule: every action locks the order first, then its products by ID, so that no two actions deadlock.

mod access;
mod checkout;
mod create;
mod email_confirmation;
mod emails;
pub mod expiry;
mod lines;
mod lookup;
mod notes;
mod payment_on_delivery;
mod place;
mod quantities;
mod returns;
mod shipments;
mod status;

pub use self::{
    checkout::{Billing, CheckoutRequest, ContactRequest, Destination, checkout},
    create::{OrderRequest, create},
    email_confirmation::confirm_email,
    emails::queue_deferred_confirmation,
    lines::{add_line, remove_line, update_line},
    lookup::find_by_number_and_email,
    notes::add_note,
    payment_on_delivery::check_payment_on_delivery,
    returns::{ReturnWithOrder, create_return, receive_return, reject_return},
    shipments::{ShipmentWithOrder, create_shipment, deliver_shipment, update_shipment},
    status::{cancel, update_status},
};
