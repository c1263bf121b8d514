//! Attacks as strangers send them, and what holds them. `docs/operations/attacks.md` has the list.

mod api_key_as_owner;
mod demo_in_production;
mod expensive_reads;
mod hidden_filters;
mod hidden_images;
mod hidden_products;
mod hosts;
mod introspection;
mod order_emails;
mod orders_of_other_sellers;
mod planted_suggestions;
mod rates;
mod readable_files;
mod readiness;
mod refresh_cookie;
mod response_headers;
mod slow_clients;
mod stronger_users;
mod unconfirmed_accounts;
mod unpaid_stock;
mod uploads;
mod website_accounts;
mod website_hosts;
mod website_imports;
