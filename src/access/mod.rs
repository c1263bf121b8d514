//! Access control: roles and permissions, login and sessions, account administration. Owns the tables `roles`,
//! `role_permissions`, `role_websites`, `permissions`, `sessions`, `refresh_tokens`, `account_tokens`,
//! `address_notices`, `api_keys`, `api_key_permissions`, `api_key_websites` and `login_throttles`.
//! Rule: viewers cannot grant permissions that they do not hold, or change users who hold more than they do.

pub mod actions;
pub mod model;
pub mod store;
