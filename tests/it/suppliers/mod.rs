//! Suppliers: creating and updating them, and cost prices of products.

mod mutations;
mod purchases;
