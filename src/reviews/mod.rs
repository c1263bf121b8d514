//! Reviews: what customers say of products. Owns `reviews`.
//! Rule: a customer has one review of a product; what counts and what the public reads are the approved ones, and the
//! database keeps the products' ratings from them.

pub mod actions;
pub mod model;
pub mod store;
