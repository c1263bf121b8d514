//! Stock: the ledger of what came and went. Owns `stock_movements`.
//! Rule: a product's stock is the sum of its movements, and the database keeps it; a movement is never changed.

pub mod actions;
pub mod model;
pub mod sale;
pub mod store;
