//! Orders: their lines, shipments, returns and history. Owns `orders`, `order_details`, `shipments`, `shipment_lines`,
//! `returns`, `return_lines`, `order_events` and the numbers of orders.
//! Rule: an order's total is the sum of its lines, kept by the database; its status moves only along the arrows of
//! [`model::TRANSITIONS`]; what it takes from stock it takes through the ledger.

pub mod actions;
pub mod model;
pub mod store;
