//! Mutations of webhooks.

use async_graphql::{Context, ID, InputObject, MaybeUndefined};
use souk_macros::object;

use super::{WebhookDelivery, WebhookSubscription, payload::QueryCheck, webhook_delivery, webhook_subscription};
use crate::{
    auth::Permission,
    error::Result,
    events::model::ShopEventKind,
    graphql::{
        engine::{
            guards::PermissionGuard,
            patch,
            payload::{UserError, payload, payload_object, split_user_errors},
        },
        schema::{context::ContextExt, websites::named_website},
    },
    ids::{RowId, WebhookDeliveryId, WebhookSubscriptionId},
    outbound::Addresses,
    webhooks::{
        actions,
        model::{NewSubscription, SubscriptionPatch},
    },
};

/// Input for `webhookSubscriptionCreate`.
#[derive(InputObject)]
pub struct WebhookSubscriptionCreateInput {
    /// URL to which events are sent: http or https on the default port of a public host, at most 2,000 characters.
    url: String,
    /// Kinds of events to send. Each requires the permission in its description.
    events: Vec<ShopEventKind>,
    /// Secret with which requests are signed: 16 to 255 printable ASCII characters without spaces. Default: a random one, which
    /// is returned in `secret`.
    secret: Option<String>,
    /// Send only events of orders and products of this website, by ID or code. Required for a role that is limited to websites.
    website: Option<String>,
    /// GraphQL document of the payload, at most 20,000 characters: one subscription to `event`,
    /// with no variables that need a value, such as `subscription { event { eventId kind order { orderNumber } } }`. Default: the most important fields of each event.
    query: Option<String>,
}

/// Input for `webhookSubscriptionUpdate`. An omitted field keeps its value; null clears an optional one.
#[derive(InputObject)]
pub struct WebhookSubscriptionUpdateInput {
    /// ID of the webhook subscription.
    id: ID,
    /// URL to which events are sent.
    url: MaybeUndefined<String>,
    /// Kinds of events to send. Each requires the permission in its description.
    events: MaybeUndefined<Vec<ShopEventKind>>,
    /// New secret. Requests are signed with the earlier one as well for 24 hours.
    secret: MaybeUndefined<String>,
    /// Send only events of orders and products of this website, by ID or code.
    website: MaybeUndefined<String>,
    /// GraphQL document of the payload: a subscription to `event`.
    query: MaybeUndefined<String>,
    /// Whether events are sent. True also delivers at once what could not be delivered before.
    is_enabled: MaybeUndefined<bool>,
}

/// Input for `webhookSubscriptionDelete`.
#[derive(Debug, InputObject)]
pub struct WebhookSubscriptionDeleteInput {
    /// ID of the webhook subscription.
    id: ID,
}

/// Input for `webhookTest`.
#[derive(Debug, InputObject)]
pub struct WebhookTestInput {
    /// ID of the webhook subscription.
    id: ID,
}

/// Input for `webhookRedeliver`.
#[derive(Debug, InputObject)]
pub struct WebhookRedeliverInput {
    /// ID of a delivery of an event that is not `PENDING`.
    id: ID,
}

payload_object! {
    /// Result of `webhookSubscriptionCreate`.
    WebhookSubscriptionCreatePayload {
        /// The created webhook subscription.
        webhook_subscription: Option<WebhookSubscription>,
        /// The secret if it was generated. It is not shown again.
        secret: Option<String>,
        /// Validation and business-rule errors; empty on success.
        user_errors: Vec<UserError>,
    }
}
payload! {
    /// Result of `webhookSubscriptionUpdate`.
    WebhookSubscriptionUpdatePayload {
        /// The updated webhook subscription.
        webhook_subscription: WebhookSubscription
    }
}
payload! {
    /// Result of `webhookSubscriptionDelete`.
    WebhookSubscriptionDeletePayload {
        /// ID of the deleted webhook subscription.
        deleted_id: ID
    }
}
payload! {
    /// Result of `webhookTest`.
    WebhookTestPayload {
        /// The queued delivery. Query it by its ID to see the response of the receiver.
        webhook_delivery: WebhookDelivery
    }
}
payload! {
    /// Result of `webhookRedeliver`.
    WebhookRedeliverPayload {
        /// The new delivery of the event.
        webhook_delivery: WebhookDelivery
    }
}

/// Mutations of webhooks.
#[derive(Default)]
pub struct WebhookMutation;

#[object]
impl WebhookMutation {
    /// Subscribes another system to events, which are sent to its URL from now on. There can be 100 subscriptions. Requires
    /// `MANAGE_WEBHOOKS`.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageWebhooks])")]
    async fn webhook_subscription_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Webhook subscription to create.")] input: WebhookSubscriptionCreateInput,
    ) -> Result<WebhookSubscriptionCreatePayload> {
        let created = async {
            let WebhookSubscriptionCreateInput { url, events, secret, website, query } = input;
            let website = named_website(ctx, "website", website).await?;
            let new = NewSubscription { url, events, website, query, secret };
            actions::create(ctx.db(), ctx.viewer(), new, addresses(ctx), &QueryCheck(ctx)).await
        };
        let (created, user_errors) = split_user_errors(created.await)?;
        let (row, secret) = created.unzip();
        let webhook_subscription = row.map(webhook_subscription);
        Ok(WebhookSubscriptionCreatePayload { webhook_subscription, secret: secret.flatten(), user_errors })
    }

    /// Updates a webhook subscription. Only its owner can change what it sends, and where; others can enable and disable it. Requires
    /// `MANAGE_WEBHOOKS`.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageWebhooks])")]
    async fn webhook_subscription_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Webhook subscription and the fields to change.")] input: WebhookSubscriptionUpdateInput,
    ) -> Result<WebhookSubscriptionUpdatePayload> {
        let updated = async {
            let id = WebhookSubscriptionId::parse("id", &input.id)?;
            let website = match input.website {
                MaybeUndefined::Undefined => None,
                MaybeUndefined::Null => Some(None),
                MaybeUndefined::Value(code) => Some(named_website(ctx, "website", Some(code)).await?),
            };
            let patch = SubscriptionPatch {
                url: patch::required("url", input.url)?,
                events: patch::required("events", input.events)?,
                website,
                query: input.query.into(),
                secret: patch::required("secret", input.secret)?,
                is_enabled: patch::required("isEnabled", input.is_enabled)?,
            };
            actions::update(ctx.db(), ctx.viewer(), id, patch, addresses(ctx), &QueryCheck(ctx)).await
        };
        WebhookSubscriptionUpdatePayload::of(updated.await.map(webhook_subscription))
    }

    /// Deletes a webhook subscription. What is pending is not sent any more. Requires `MANAGE_WEBHOOKS`.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageWebhooks])")]
    async fn webhook_subscription_delete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Webhook subscription to delete.")] input: WebhookSubscriptionDeleteInput,
    ) -> Result<WebhookSubscriptionDeletePayload> {
        let deleted = async {
            actions::delete(ctx.db(), ctx.viewer(), WebhookSubscriptionId::parse("id", &input.id)?).await?;
            Ok(input.id.clone())
        };
        WebhookSubscriptionDeletePayload::of(deleted.await)
    }

    /// Sends a test to the URL of a webhook subscription, within a few seconds: a request with the event `TEST` and without
    /// data. Requires `MANAGE_WEBHOOKS`.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageWebhooks])")]
    async fn webhook_test(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Webhook subscription to test.")] input: WebhookTestInput,
    ) -> Result<WebhookTestPayload> {
        let queued =
            async { actions::test(ctx.db(), ctx.viewer(), WebhookSubscriptionId::parse("id", &input.id)?).await };
        WebhookTestPayload::of(queued.await.map(webhook_delivery))
    }

    /// Delivers an event again, with the same ID of the event and the data as they are now. Requires `MANAGE_WEBHOOKS`.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageWebhooks])")]
    async fn webhook_redeliver(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Delivery to repeat.")] input: WebhookRedeliverInput,
    ) -> Result<WebhookRedeliverPayload> {
        let queued =
            async { actions::redeliver(ctx.db(), ctx.viewer(), WebhookDeliveryId::parse("id", &input.id)?).await };
        WebhookRedeliverPayload::of(queued.await.map(webhook_delivery))
    }
}

/// Returns the addresses to which events may be sent.
fn addresses(ctx: &Context<'_>) -> Addresses {
    ctx.services().image_processor.fetch_policy().addresses
}
