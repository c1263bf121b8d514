//! Products: what has a SKU, a price and a stock at one website. Owns `products`.
//! Rule: a product is never deleted, only deactivated, and never moves to another website; its stock is written by the
//! ledger alone.

pub mod actions;
pub mod model;
pub mod store;
