//! Deliveries of events to webhooks.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject};
use chrono::{DateTime, Utc};
use souk_macros::object;

use super::{WebhookSubscription, webhook_subscription};
use crate::{
    auth::Permission,
    db::filter::Filter,
    error::Result,
    events::model::ShopEventKind,
    graphql::{
        engine::{
            filters::{DateTimeFilter, FilterBuilder, IdFilter},
            list_args::{Where, order_by, where_input},
            scalars::global_id,
        },
        schema::{context::ContextExt, resource::resource},
    },
    ids::WebhookDeliveryId,
    webhooks::{
        self,
        model::{
            DeliveryCondition, DeliveryOrderField,
            delivery::{DeliveryRow, DeliveryStatus, TEST},
        },
    },
};

/// A delivery of an event.
#[derive(Clone)]
pub struct WebhookDelivery(Arc<DeliveryRow>);

resource! {
    WebhookDelivery(webhook_delivery) by WebhookDeliveryId of DeliveryRow,
    |conn, context, ids| webhooks::store::deliveries::by_ids(conn, &context.scope(Permission::ManageWebhooks), &ids),
    row => row.id,
}

/// A delivery of an event to a webhook. Requires `MANAGE_WEBHOOKS`.
#[object]
impl WebhookDelivery {
    /// Opaque global ID.
    pub fn id(&self) -> ID {
        global_id(self.0.id)
    }

    /// ID of the event, by which the receiver recognizes an event that it has received before.
    fn event_id(&self) -> ID {
        ID(self.0.event_id())
    }

    /// Kind of the event; null for a test.
    fn event(&self) -> Option<ShopEventKind> {
        self.0.kind()
    }

    /// Whether the delivery is a test.
    fn is_test(&self) -> bool {
        self.0.event == TEST
    }

    /// The webhook subscription; null if it was deleted.
    async fn subscription(&self, ctx: &Context<'_>) -> Result<Option<WebhookSubscription>> {
        Ok(ctx.loaders().row(self.0.subscription_id).await?.map(webhook_subscription))
    }

    /// Current status.
    fn status(&self) -> DeliveryStatus {
        self.0.status
    }

    /// Number of attempts so far.
    fn attempts(&self) -> i32 {
        self.0.attempts
    }

    /// When the next attempt is due (UTC); null unless the delivery is `PENDING`. If it waits for an earlier event of the same order
    /// or product, it is made once that one has been delivered.
    fn next_attempt_at(&self) -> Option<DateTime<Utc>> {
        Some(self.0.attempt_at).filter(|_| self.0.status == DeliveryStatus::Pending)
    }

    /// When the last attempt was made (UTC); null if there was none.
    fn last_attempt_at(&self) -> Option<DateTime<Utc>> {
        self.0.last_attempt_at
    }

    /// Time that the last attempt took, in milliseconds; null if there was none.
    fn duration_ms(&self) -> Option<i32> {
        self.0.duration_ms
    }

    /// HTTP status of the last response; null if there was none.
    fn response_status(&self) -> Option<i32> {
        self.0.response_status
    }

    /// Beginning of the last response, at most 1,000 characters; null if there was none.
    fn response_excerpt(&self) -> Option<&str> {
        self.0.response_excerpt.as_deref()
    }

    /// Why the last attempt failed; null if it did not.
    fn failure(&self) -> Option<&str> {
        self.0.failure.as_deref()
    }

    /// When the event happened (UTC).
    fn event_at(&self) -> DateTime<Utc> {
        self.0.event_at
    }

    /// When the delivery was queued (UTC).
    fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }
}

/// Filter by status; conditions are combined with AND.
#[derive(Debug, Default, InputObject)]
pub struct WebhookDeliveryStatusFilter {
    /// Matches this value.
    eq: Option<DeliveryStatus>,
    /// Matches any of these values (at most 100).
    r#in: Option<Vec<DeliveryStatus>>,
}

where_input! {
    /// Filters for webhook deliveries; conditions are combined with AND.
    WebhookDeliveryWhere {
        /// Filter by webhook subscription.
        subscription: Option<IdFilter>,
        /// Filter by status.
        status: Option<WebhookDeliveryStatusFilter>,
        /// Filter by the time at which the delivery was queued.
        created_at: Option<DateTimeFilter>,
    }
}

impl Where for WebhookDeliveryWhere {
    type Condition = DeliveryCondition;

    fn into_filter(self) -> Result<Filter<DeliveryCondition>> {
        use DeliveryCondition as C;
        let mut filter = FilterBuilder::with_nested(self.and, self.or, self.not, Self::into_filter)?;
        let status = self.status.unwrap_or_default();
        filter.id("subscription", self.subscription, C::Subscription)?;
        filter.choice("status", status.eq, status.r#in, C::Status)?;
        filter.time(self.created_at, C::CreatedAt);
        filter.build()
    }
}

order_by! {
    /// Sort order of webhook deliveries.
    WebhookDeliveryOrder by DeliveryOrderField
}
