//! Websites: the shops that share the server. Owns `websites`.
//! Rule: a website's currency never changes, because its prices and orders are stored in it.

pub mod actions;
pub mod language;
pub mod model;
pub mod name_order;
pub mod store;
