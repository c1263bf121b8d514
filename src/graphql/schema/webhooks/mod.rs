//! GraphQL types and queries of webhooks.

pub mod delivery;
mod mutation;
pub mod payload;

pub use self::{
    delivery::{WebhookDelivery, webhook_delivery},
    mutation::WebhookMutation,
};

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject};
use chrono::{DateTime, Utc};
use souk_macros::object;

use self::delivery::{WebhookDeliveryOrder, WebhookDeliveryWhere};
use crate::{
    auth::Permission,
    db::filter::Filter,
    error::Result,
    events::model::ShopEventKind,
    graphql::{
        engine::{
            connections::{Connection, root_connection},
            filters::FilterBuilder,
            guards::PermissionGuard,
            list_args::{ListArgs, Where, order_by, where_input},
            scalars::global_id,
        },
        schema::{
            context::ContextExt,
            resource::resource,
            users::{User, user},
            websites::{Website, website},
        },
    },
    ids::WebhookSubscriptionId,
    paging::Direction,
    webhooks::{
        self,
        model::{
            DeliveryOrderField, SubscriptionCondition, SubscriptionOrderField, SubscriptionRow, SubscriptionStatus,
        },
        store::{self, SubscriptionList, deliveries::DeliveryList},
    },
};

/// A webhook subscription.
#[derive(Clone)]
pub struct WebhookSubscription(Arc<SubscriptionRow>);

resource! {
    WebhookSubscription(webhook_subscription) by WebhookSubscriptionId of SubscriptionRow,
    |conn, context, ids| webhooks::store::by_ids(conn, &context.scope(Permission::ManageWebhooks), &ids), row => row.id,
}

/// A subscription of another system to events: each event is sent to its URL as a signed POST request. Requires
/// `MANAGE_WEBHOOKS`.
#[object]
impl WebhookSubscription {
    /// Opaque global ID.
    pub fn id(&self) -> ID {
        global_id(self.0.id)
    }

    /// URL to which events are sent.
    fn url(&self) -> &str {
        &self.0.url
    }

    /// Kinds of events that are sent.
    fn events(&self) -> Vec<ShopEventKind> {
        self.0.events.clone()
    }

    /// Website whose events are sent; null for those of all websites.
    async fn website(&self, ctx: &Context<'_>) -> Result<Option<Website>> {
        let Some(id) = self.0.website_id else { return Ok(None) };
        Ok(ctx.loaders().row(id).await?.map(website))
    }

    /// GraphQL document of the payload: a subscription to `event`. Null for the default payload.
    fn query(&self) -> Option<&str> {
        self.0.query.as_deref()
    }

    /// Version of the payload. A subscription keeps the version with which it was created.
    fn version(&self) -> i32 {
        self.0.version
    }

    /// Current status.
    fn status(&self) -> SubscriptionStatus {
        self.0.status
    }

    /// Why the subscription is disabled; null if it is active.
    fn disabled_reason(&self) -> Option<&str> {
        self.0.disabled_reason.as_deref()
    }

    /// When deliveries started to fail (UTC); null if the last attempt succeeded.
    fn failing_since(&self) -> Option<DateTime<Utc>> {
        self.0.failing_since
    }

    /// User who created the subscription. Payloads show what this user may see, or the API key with which it was created. Null if the
    /// viewer may not see the user.
    async fn owner(&self, ctx: &Context<'_>) -> Result<Option<User>> {
        Ok(ctx.loaders().row(self.0.user_id).await?.map(user))
    }

    /// When the subscription was created (UTC).
    fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When the subscription was last updated (UTC).
    fn updated_at(&self) -> DateTime<Utc> {
        self.0.updated_at
    }
}

/// Filter by status; conditions are combined with AND.
#[derive(Debug, Default, InputObject)]
pub struct WebhookSubscriptionStatusFilter {
    /// Matches this value.
    eq: Option<SubscriptionStatus>,
    /// Matches any of these values (at most 100).
    r#in: Option<Vec<SubscriptionStatus>>,
}

where_input! {
    /// Filters for webhook subscriptions; conditions are combined with AND.
    WebhookSubscriptionWhere {
        /// Filter by status.
        status: Option<WebhookSubscriptionStatusFilter>,
    }
}

impl Where for WebhookSubscriptionWhere {
    type Condition = SubscriptionCondition;

    fn into_filter(self) -> Result<Filter<SubscriptionCondition>> {
        let mut filter = FilterBuilder::with_nested(self.and, self.or, self.not, Self::into_filter)?;
        let status = self.status.unwrap_or_default();
        filter.choice("status", status.eq, status.r#in, SubscriptionCondition::Status)?;
        filter.build()
    }
}

order_by! {
    /// Sort order of webhook subscriptions.
    WebhookSubscriptionOrder by SubscriptionOrderField
}

/// Queries of webhooks.
#[derive(Default)]
pub struct WebhookQuery;

#[object]
impl WebhookQuery {
    /// Webhook subscriptions, by default newest first. A role that is limited to websites sees those of its websites. Requires
    /// `MANAGE_WEBHOOKS`.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageWebhooks])")]
    async fn webhook_subscriptions(
        &self,
        ctx: &Context<'_>,
        list_args: ListArgs<WebhookSubscriptionWhere, WebhookSubscriptionOrder>,
    ) -> Result<Connection<WebhookSubscription>> {
        let order = (SubscriptionOrderField::CreatedAt, Direction::Desc);
        let list: SubscriptionList = list_args.into_list(order, SubscriptionOrderField::list)?;
        let scope = ctx.viewer().scope(Permission::ManageWebhooks);
        let rows = ctx.db().read(async |conn| store::page(conn, &scope, &list).await);
        let count = ctx.db().read(async |conn| store::count(conn, &scope, &list).await);
        root_connection(ctx, &list.page, rows, count, |row| (list.order.key(row), row.id), webhook_subscription).await
    }

    /// Deliveries of events to webhooks, by default newest first: of the last 7 days, and those that failed of the last 30 days.
    /// Requires `MANAGE_WEBHOOKS`.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageWebhooks])")]
    async fn webhook_deliveries(
        &self,
        ctx: &Context<'_>,
        list_args: ListArgs<WebhookDeliveryWhere, WebhookDeliveryOrder>,
    ) -> Result<Connection<WebhookDelivery>> {
        let order = (DeliveryOrderField::CreatedAt, Direction::Desc);
        let list: DeliveryList = list_args.into_list(order, DeliveryOrderField::list)?;
        let scope = ctx.viewer().scope(Permission::ManageWebhooks);
        let rows = ctx.db().read(async |conn| store::deliveries::page(conn, &scope, &list).await);
        let count = ctx.db().read(async |conn| store::deliveries::count(conn, &scope, &list).await);
        root_connection(ctx, &list.page, rows, count, |row| (list.order.key(row), row.id), webhook_delivery).await
    }
}
