//! Access: roles and the permissions they give, logging in, and writes that touch another person's rights. Owns `roles`,
//! `role_permissions`, `role_websites`, `permissions`, `sessions`, `refresh_tokens`, `account_tokens`, `address_notices`,
//! `api_keys`, `api_key_permissions`, `api_key_websites` and `login_throttles`.
//! Rule: nobody grants, or acts on someone who holds, more than they hold themselves.

pub mod actions;
pub mod model;
pub mod store;
