//! The category tree: writing categories, moving them, and the products below them.

mod mutations;
mod slow;
mod tree;
