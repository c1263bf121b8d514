//! Webhook subscriptions and their deliveries.

pub mod delivery;
mod lists;
pub mod signature;
pub(in crate::webhooks) mod subscription;

pub use self::{
    lists::{DeliveryCondition, DeliveryOrderField, SubscriptionCondition, SubscriptionOrderField},
    subscription::{MAX_SUBSCRIPTIONS, NewSubscription, Owner, SubscriptionPatch, SubscriptionRow, SubscriptionStatus},
};

/// Version of the payloads of new subscriptions. A subscription keeps its version, so that a change of the payload does not break
/// its receiver.
pub const VERSION: i32 = 1;
