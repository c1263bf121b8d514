//! Orders: checkout, placing and changing orders, their status, shipments and returns.
//! The model test of the whole shop and the tests under load are in `slow`.

mod addresses;
mod checkout;
mod checkout_locks;
mod dated_lists;
mod guests;
mod history_and_notes;
mod lines;
mod lookup;
mod order_diagram;
mod placing;
mod rejections;
mod returns;
mod round_trips;
mod shipments;
mod slow;
mod status;
