//! Slow tests of orders: load, outages, random sequences against a model, and thousands of random carts.
//! `bench/chaos.sh` and `bench/concurrent_checkouts.sh` run the `checkout_*` tests for longer.

mod checkout_idempotency;
mod checkout_load;
mod checkout_outage;
mod selling_model;
mod totals;
