//! Attacks as strangers send them, and what holds them. `docs/operations/attacks.md` has the list.

mod hidden_filters;
mod hidden_products;
mod introspection;
mod order_emails;
mod refresh_cookie;
mod response_headers;
mod unpaid_stock;
mod website_hosts;
