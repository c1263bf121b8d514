//! Reviews of products by customers. Owns `reviews`.
//! Rule: a customer has at most one review of a product. Only approved reviews are public and count in the product's
//! rating, which the database maintains.

pub mod actions;
pub mod model;
pub mod store;
