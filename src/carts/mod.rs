//! Carts and what is reserved for them. Owns `carts`, `cart_lines` and `cart_reservations`.
//! Rule: a cart promises nothing but what it has reserved: prices and stock are today's whenever somebody looks. A
//! reservation is made and released under the lock of its product.

pub mod actions;
pub mod model;
pub mod store;
