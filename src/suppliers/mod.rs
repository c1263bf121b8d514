//! Suppliers: whom the shop buys from. Owns `suppliers`.
//! Rule: only staff see suppliers; one is deleted only when no product names it.

pub mod actions;
pub mod model;
pub mod store;
