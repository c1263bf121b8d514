//! Deliveries that staff ask for: tests, and events that are delivered again.

use super::{required_scope, subscriptions::not_found};
use crate::{
    auth::Viewer,
    db::Db,
    error::{Error, Result, UserErrorCode},
    ids::{WebhookDeliveryId, WebhookSubscriptionId},
    webhooks::{
        model::{
            SubscriptionRow, SubscriptionStatus,
            delivery::{DeliveryRow, DeliveryStatus, TEST},
        },
        store,
    },
};

/// Queues a test of a subscription.
/// # Errors
/// FORBIDDEN without the permission; NOT_FOUND; ILLEGAL_TRANSITION if the subscription is disabled.
pub async fn test(db: &Db, viewer: &Viewer, id: WebhookSubscriptionId) -> Result<DeliveryRow> {
    let scope = required_scope(viewer)?;
    db.transaction(async |conn| {
        check_active(&store::lock(conn, &scope, id).await?.ok_or_else(not_found)?)?;
        // Staff wait for the result, also if the receiver was not reachable before.
        store::pause(conn, id, None).await?;
        store::deliveries::insert_test(conn, id).await
    })
    .await
}

/// Queues the event of a completed delivery again, as a new delivery.
/// # Errors
/// FORBIDDEN without the permission; NOT_FOUND; INVALID for a test; ILLEGAL_TRANSITION if the delivery is pending, or the subscription is disabled.
pub async fn redeliver(db: &Db, viewer: &Viewer, id: WebhookDeliveryId) -> Result<DeliveryRow> {
    let scope = required_scope(viewer)?;
    db.transaction(async |conn| {
        let unknown = || Error::not_found("id", "webhook delivery");
        let earlier = store::deliveries::by_ids(conn, &scope, &[id]).await?.pop().ok_or_else(unknown)?;
        check_active(&store::lock(conn, &scope, earlier.subscription_id).await?.ok_or_else(unknown)?)?;
        if earlier.event == TEST {
            return Err(Error::bad_input("id", "a test has no event: use webhookTest to send another one"));
        }
        if earlier.status == DeliveryStatus::Pending {
            let rule = "the delivery is pending: it is attempted again by itself";
            return Err(Error::user(UserErrorCode::IllegalTransition, "id", rule));
        }
        store::deliveries::insert_again(conn, &earlier).await
    })
    .await
}

fn check_active(subscription: &SubscriptionRow) -> Result<()> {
    match subscription.status {
        SubscriptionStatus::Active => Ok(()),
        SubscriptionStatus::Disabled => {
            let rule = "the webhook subscription is disabled; enable it first";
            Err(Error::user(UserErrorCode::IllegalTransition, "id", rule))
        }
    }
}
