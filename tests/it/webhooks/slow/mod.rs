//! Slow tests of webhooks: a server that is killed, a receiver that does not respond, and the plans on many rows.

mod killed_server;
mod plans;
