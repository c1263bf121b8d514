//! Payments of orders, by providers. Owns `payments`, `payment_operations` and `payment_webhooks`.
//! Rule: three steps. The intent is committed with a job that looks after it; then the provider is called, with a time
//! limit and without a connection; then what it said is settled. Whoever brings the news, an answer, a webhook or the job,
//! settles by the same function, and what is settled never changes. Nothing personal is kept here but which order it is.

pub mod actions;
pub mod model;
pub mod providers;
pub mod store;
