//! The integration tests: one binary, a fresh database for each test, the router in process.

mod support;

mod embedded;
mod ide;
mod walk;
