//! Attacks as strangers send them, and what holds them. `docs/operations/attacks.md` has the list.

mod demo_in_production;
mod hidden_filters;
mod hidden_products;
mod hosts;
mod introspection;
mod planted_suggestions;
mod readable_files;
mod readiness;
mod refresh_cookie;
mod response_headers;
mod slow_clients;
mod uploads;
