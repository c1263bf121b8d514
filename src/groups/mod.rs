//! Product groups: variants of one product, such as sizes or colors. Owns `product_groups`.
//! Rule: each product of a group has one value for each option of the group, and no two products have the same values.

pub mod actions;
pub mod model;
pub mod store;
