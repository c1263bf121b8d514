//! Prices as they were: what each product cost from when on. Owns `price_changes`.
//! Rule: an entry follows from a change of a product, and the database writes it; an entry is never changed.

pub mod actions;
pub mod model;
pub mod store;
