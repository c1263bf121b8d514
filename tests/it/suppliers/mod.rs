//! Suppliers: writing them, and what a product costs the shop.

mod purchases;
mod mutations;
