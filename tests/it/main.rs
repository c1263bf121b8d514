//! The integration tests: one binary, a fresh database for each test, the router in process.

mod support;

mod batching;
mod cli;
mod accounts;
mod addresses;
mod catalogue;
mod concurrency;
mod documents;
mod doors;
mod embedded;
mod http;
mod ide;
mod import;
mod order_lines;
mod order_refusals;
mod order_status;
mod orders;
mod outage;
mod plans;
mod retry;
mod tokens;
mod toy;
mod products;
mod stock;
mod texts;
mod access;
mod contract;
mod embedded;
mod floors;
mod ide;
mod invariants;
mod migrations;
mod scopes;
mod walk;
