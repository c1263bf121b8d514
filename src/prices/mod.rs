//! Price history: what each product cost over time. Owns `price_changes`.
//! Rule: a database trigger adds an entry whenever a product's price changes; entries are immutable.

pub mod actions;
pub mod model;
pub mod store;
