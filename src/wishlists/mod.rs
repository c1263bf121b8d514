//! Wishlists: products that users keep for later, on lists of their own. Owns `wishlists` and `wishlist_items`.
//! Rule: a wishlist is its owner's. Whoever has the token of its link reads it, until the link is revoked.

pub mod actions;
pub mod model;
pub mod store;
