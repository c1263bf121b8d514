//! GraphQL types of accounts: sessions, registration and recovery, API keys, roles.

pub mod account;
pub mod api_key;
pub mod cookie;
pub mod expired_credentials;
pub mod role;
pub mod session;
pub mod tokens;
