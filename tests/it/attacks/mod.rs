//! Attacks as strangers send them, and what holds them. `docs/operations/attacks.md` has the list.

mod expensive_reads;
mod hidden_filters;
mod hidden_products;
mod introspection;
mod rates;
mod api_key_as_owner;
mod hidden_filters;
mod hidden_products;
mod introspection;
mod orders_of_other_sellers;
mod refresh_cookie;
mod response_headers;
mod stronger_users;
mod unconfirmed_accounts;
mod website_imports;
mod order_emails;
mod refresh_cookie;
mod response_headers;
mod unpaid_stock;
mod website_hosts;
