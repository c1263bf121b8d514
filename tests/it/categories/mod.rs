//! The category tree: writing categories, moving them, and the products below them.

mod slow;
mod tree;
mod mutations;
