//! Suppliers that products are purchased from. Owns `suppliers`.
//! Rule: only staff see suppliers; a supplier can be deleted only if no product refers to it.

pub mod actions;
pub mod model;
pub mod store;
