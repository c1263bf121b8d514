//! Groups: products that are the same thing in other sizes or colours. Owns `product_groups`.
//! Rule: each product of a group has one value for each option that the group varies by, and no two have the same ones.

pub mod actions;
pub mod model;
pub mod store;
