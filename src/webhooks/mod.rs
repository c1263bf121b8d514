//! Webhooks: other systems subscribe to events, which are sent to their URLs. Owns `webhook_subscriptions` and
//! `webhook_deliveries`. A trigger queues the deliveries of each event.
//! Rule: an event is delivered at least once, and the events of one entity one after the other. A payload shows what the owner of
//! the subscription may see when it is sent.

pub mod actions;
pub mod model;
pub mod store;
