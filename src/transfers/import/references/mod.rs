//! The categories, brands, suppliers and groups that the rows of a batch refer to.
//! Rule: a batch finds them by a few statements, and creates what is missing only for rows that will be imported.

pub mod actions;
pub mod model;
pub mod store;
