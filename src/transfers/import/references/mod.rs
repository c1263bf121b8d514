//! Categories, brands, suppliers and groups that the rows of a batch refer to.
//! Rule: a batch finds them with a few statements, and creates missing ones only for rows that will be imported.

pub mod actions;
pub mod model;
pub mod store;
