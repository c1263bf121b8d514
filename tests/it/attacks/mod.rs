//! Attacks as strangers send them, and what holds them. `docs/operations/attacks.md` has the list.

mod hidden_filters;
mod hidden_products;
mod introspection;
mod response_headers;
