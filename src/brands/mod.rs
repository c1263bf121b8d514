//! Brands of products. Owns `brands`.
//! Rule: a brand can be deleted only if no product refers to it.

pub mod actions;
pub mod model;
pub mod store;
