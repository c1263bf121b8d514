//! Orders with their lines, shipments, returns and history. Owns `orders`, `order_details`, `shipments`,
//! `shipment_lines`, `returns`, `return_lines`, `order_events`, `unpaid_orders`, `deferred_confirmations`,
//! `order_email_confirmations` and the order number sequence.
//! Rule: an order's total is the sum of its lines and is maintained by the database; its status changes only by the
//! transitions in [`model::TRANSITIONS`]; stock changes only through the ledger.

pub mod actions;
pub mod model;
pub mod store;
