//! Websites: the shops whose products, customers and orders live side by side. Owns `websites`.
//! Rule: a website's currency never changes, since prices and orders are kept in it.

pub mod actions;
pub mod language;
pub mod model;
pub mod store;
