//! Stock ledger: all changes of products' stock. Owns `stock_movements`.
//! Rule: a product's stock is the sum of its movements, maintained by the database; movements are immutable.

pub mod actions;
pub mod model;
pub mod sale;
pub mod store;
