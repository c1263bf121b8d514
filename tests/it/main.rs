//! The integration tests: one binary, a fresh database for each test, the router in process.

mod support;

mod concurrency;
mod documents;
mod doors;
mod batching;
mod embedded;
mod http;
mod ide;
mod order_lines;
mod order_refusals;
mod order_status;
mod orders;
mod tokens;
mod toy;
mod walk;
