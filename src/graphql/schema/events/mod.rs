//! Notifications of staff: what happened that somebody should look at.

use async_graphql::Context;
use souk_macros::object;

use crate::{
    auth::Permission,
    error::Result,
    events::model::{NotificationKind, Topic},
    graphql::{
        engine::guards::PermissionGuard,
        schema::{
            context::ContextExt,
            jobs::{Job, job},
            orders::{Order, order},
            payments::{Payment, payment},
            products::{Product, product},
            reviews::{Review, review},
            subscriptions::{event, event_object},
        },
    },
    ids::{JobId, OrderId, PaymentId, ProductId, ReviewId},
};

event_object! {
    /// A notification of staff. It has the resource of its kind; the others are null.
    Notification {
        /// Subject of the notification.
        kind: NotificationKind,
        /// The order that was placed.
        order: Option<Order>,
        /// The product whose stock became low.
        product: Option<Product>,
        /// The payment that failed, or whose capture or refund failed.
        payment: Option<Payment>,
        /// The job that failed for good.
        job: Option<Job>,
        /// The review that was submitted.
        review: Option<Review>,
    }
}

/// Permissions of which each is required for one kind of notification.
const NOTIFIED: &[Permission] = &[
    Permission::ManageOrders,
    Permission::ManageStock,
    Permission::ManagePayments,
    Permission::ManageJobs,
    Permission::ManageReviews,
];

/// Returns the permission that a kind of notification requires.
fn permission(kind: NotificationKind) -> Permission {
    match kind {
        NotificationKind::NewOrder => Permission::ManageOrders,
        NotificationKind::LowStock => Permission::ManageStock,
        NotificationKind::FailedPayment => Permission::ManagePayments,
        NotificationKind::DeadJob => Permission::ManageJobs,
        NotificationKind::NewReview => Permission::ManageReviews,
    }
}

/// Subscription root for notifications.
#[derive(Default)]
pub struct NotificationSubscription;

#[object]
impl NotificationSubscription {
    /// Sends notifications of staff, about the websites that the viewer's permissions cover. `FORBIDDEN` for a kind that
    /// the viewer lacks the permission for. Requires `MANAGE_ORDERS`, `MANAGE_STOCK`, `MANAGE_PAYMENTS`, `MANAGE_JOBS` or
    /// `MANAGE_REVIEWS`.
    #[graphql(guard = "PermissionGuard(NOTIFIED)")]
    async fn notifications(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Send only these kinds. Default: all that the viewer has the permission for.")] kinds: Option<
            Vec<NotificationKind>,
        >,
        #[graphql(desc = "Send the events after this cursor first.")] after: Option<String>,
    ) -> Result<Option<Notification>> {
        let viewer = ctx.viewer();
        let kinds = match kinds {
            None => NotificationKind::ALL.iter().copied().filter(|kind| viewer.can(permission(*kind))).collect(),
            Some(kinds) => {
                for kind in &kinds {
                    viewer.require_any(&[permission(*kind)])?;
                }
                kinds
            }
        };
        let topics = kinds.iter().copied().map(Topic::Notification);
        let Some(event) = event(ctx, topics, after)? else { return Ok(None) };
        let Some(kind) = event.row.notification().filter(|kind| kinds.contains(kind)) else { return Ok(None) };
        let loaders = ctx.loaders();
        let mut notification =
            Notification { event, kind, order: None, product: None, payment: None, job: None, review: None };
        let event = &notification.event;
        let is_visible = match kind {
            NotificationKind::NewOrder => {
                notification.order = loaders.row::<OrderId>(event.subject()).await?.map(order);
                notification.order.is_some()
            }
            NotificationKind::LowStock => {
                let row = loaders.row::<ProductId>(event.subject()).await?;
                let row = row.filter(|row| viewer.can_at(Permission::ManageStock, row.source_website_id));
                notification.product = row.map(product);
                notification.product.is_some()
            }
            NotificationKind::FailedPayment => {
                notification.payment = loaders.row::<PaymentId>(event.subject()).await?.map(payment);
                notification.payment.is_some()
            }
            NotificationKind::DeadJob => {
                notification.job = loaders.row::<JobId>(event.subject()).await?.map(job);
                notification.job.is_some()
            }
            NotificationKind::NewReview => {
                notification.review = loaders.row::<ReviewId>(event.subject()).await?.map(review);
                notification.review.is_some()
            }
        };
        Ok(is_visible.then_some(notification))
    }
}
