//! The integration tests: one binary, a fresh database for each test, the router in process.

mod support;

mod documents;
mod doors;
mod embedded;
mod http;
mod ide;
mod tokens;
mod toy;
mod walk;
