//! Payments of orders through payment providers. Owns `payments`, `payment_operations` and `payment_webhooks`.
//! Rule: three steps. The operation is committed with a job that resolves it if nothing else does; then the provider is
//! called, with a timeout and without holding a connection; then the outcome is settled. Responses, webhooks and jobs
//! settle through the same function, and a settled operation never changes. No personal data is stored here except the
//! order.

pub mod actions;
pub mod model;
pub mod providers;
pub mod store;
