//! Slow tests of subscriptions: server processes that are killed, and statements on many rows.

mod killed_server;
mod plans;
mod slow_client;
