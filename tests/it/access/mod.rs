//! Accounts, sessions, tokens, API keys and roles: who can log in, with what, and what a role permits.
//! Which fields and rows each actor sees is tested in `schema`.

mod access_tokens;
mod accounts;
mod api_key_requests;
pub mod api_keys;
mod expired_credentials;
mod jwt_keys;
mod login_throttle;
mod recovery;
mod registration;
mod roles;
mod sessions;
mod slow;
mod verification;
mod website_roles;
