//! Brands: who a product is made by, as shoppers know it. Owns `brands`.
//! Rule: a brand is deleted only when no product names it.

pub mod actions;
pub mod model;
pub mod store;
