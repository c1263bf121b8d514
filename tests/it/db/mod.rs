//! The database layer: migrations, the tables' invariants, retried transactions, outages, and the diagrams in the
//! README.
//! The embedded PostgreSQL and query plans are in `slow`.

mod concurrency;
mod country_migration;
mod diagram;
mod invariants;
mod migrations;
mod outage;
mod placed_orders;
mod slow;
mod transaction_retries;
