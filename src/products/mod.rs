//! Products: items with SKU, price and stock, each sold at one website. Owns `products`.
//! Rule: a product is never deleted, only deactivated, and never moves to another website; only the stock ledger writes
//! its stock.

pub mod actions;
pub mod model;
pub mod store;
