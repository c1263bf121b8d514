//! Carts and their reservations. Owns `carts`, `cart_lines` and `cart_reservations`.
//! Rule: a cart guarantees only what it has reserved; prices and stock are always the current ones. A reservation is
//! made and released under the lock of its product.

pub mod actions;
pub mod model;
pub mod store;
