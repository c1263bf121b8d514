//! Wishlists: lists of products that users keep for later. Owns `wishlists` and `wishlist_items`.
//! Rule: only the owner edits a wishlist. Everyone who has the token of its share link can read it, until the link is
//! revoked.

pub mod actions;
pub mod model;
pub mod store;
