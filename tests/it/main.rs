//! The integration tests: one binary, a fresh database for each test, the router in process.
//!
//! The directories mirror the domains of `src`, with four more: `attacks` (what strangers try), `engine` (the GraphQL
//! engine), `schema` (the schema as a whole, across domains) and `support` (code that the tests share).
//! `architecture.rs` has the rules on the sources.
//!
//! Slow tests are in a `slow` module of their domain, for example `tests/it/orders/slow/`. A test is slow if it starts
//! a server process or a PostgreSQL server, fills a database with tens of thousands of rows, runs many random sequences
//! or load from many clients, or measures time. `cargo test` runs them, too:
//!
//! * `cargo test` runs every test;
//! * `cargo test --test it -- --skip slow::` runs all but the slow tests;
//! * `cargo test --test it slow::` runs only the slow tests;
//! * `cargo test --test it orders::` runs the tests of one domain.

mod support;

mod access;
mod analytics;
mod architecture;
mod attacks;
mod audit;
mod brands;
mod cache;
mod carts;
mod categories;
mod cli;
mod db;
mod docs;
mod engine;
mod events;
mod groups;
mod http;
mod jobs;
mod language;
mod mail;
mod media;
mod orders;
mod payments;
mod prices;
mod privacy;
mod products;
mod reviews;
mod schema;
mod search;
mod sources;
mod stock;
mod storage;
mod suppliers;
mod transfers;
mod users;
mod webhooks;
mod websites;
mod wishlists;

/// The domains that contribute fixtures to the tests of all domains.
const DOMAINS: &[support::domain_fixtures::DomainFixtures] = &[wishlists::FIXTURES, webhooks::FIXTURES];
