//! Slow tests of subscriptions: server processes that are killed.

mod killed_server;
