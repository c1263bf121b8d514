//! Attacks as strangers send them, and what holds them. `docs/operations/attacks.md` has the list.

mod api_key_as_owner;
mod hidden_filters;
mod hidden_products;
mod introspection;
mod orders_of_other_sellers;
mod refresh_cookie;
mod response_headers;
