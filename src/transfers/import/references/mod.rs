//! The categories, brands, suppliers and groups that the rows of a batch refer to.

pub mod actions;
pub mod model;
pub mod store;
