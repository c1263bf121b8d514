//! Suppliers: creating and updating them, and cost prices of products.

mod purchases;
mod mutations;
