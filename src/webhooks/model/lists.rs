//! Filters and sort orders of the lists of subscriptions and deliveries.

use chrono::{DateTime, Utc};

use super::{
    SubscriptionRow, SubscriptionStatus,
    delivery::{DeliveryRow, DeliveryStatus},
};
use crate::{db::filter::Op, ids::WebhookSubscriptionId, paging::SortKey};

/// A filter condition on subscriptions.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum SubscriptionCondition {
    /// By status.
    Status(Op<SubscriptionStatus>),
}

/// Fields that subscriptions can be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, async_graphql::Enum)]
#[graphql(name = "WebhookSubscriptionOrderField")]
pub enum SubscriptionOrderField {
    /// When the subscription was created.
    #[default]
    CreatedAt,
}

impl SubscriptionOrderField {
    /// Returns the name of the list in cursors.
    pub fn list(self) -> &'static str {
        "webhook_subscriptions:created_at"
    }

    /// Returns the sort key of a row.
    pub fn key(self, row: &SubscriptionRow) -> SortKey {
        SortKey::Time(row.created_at)
    }
}

/// A filter condition on deliveries.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum DeliveryCondition {
    /// By subscription.
    Subscription(Op<WebhookSubscriptionId>),
    /// By status.
    Status(Op<DeliveryStatus>),
    /// By creation time.
    CreatedAt(Op<DateTime<Utc>>),
}

/// Fields that deliveries can be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, async_graphql::Enum)]
#[graphql(name = "WebhookDeliveryOrderField")]
pub enum DeliveryOrderField {
    /// When the delivery was queued.
    #[default]
    CreatedAt,
}

impl DeliveryOrderField {
    /// Returns the name of the list in cursors.
    pub fn list(self) -> &'static str {
        "webhook_deliveries:created_at"
    }

    /// Returns the sort key of a row.
    pub fn key(self, row: &DeliveryRow) -> SortKey {
        SortKey::Time(row.created_at)
    }
}
