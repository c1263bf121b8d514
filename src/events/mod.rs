//! Events: what happened to orders, products, carts and others, for those that subscribe to them. Owns `events`.
//! Rule: events are delivered at least once, and those of one entity in the order of its changes. An event says that something
//! changed; what the client receives is read from the tables, as its viewer sees them.

pub mod actions;
pub mod model;
pub mod store;
