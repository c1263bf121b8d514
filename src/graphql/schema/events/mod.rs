//! Notifications for staff, and events of the shop.

pub mod shop_event;

use std::sync::Arc;

use async_graphql::Context;
use souk_macros::object;

use crate::{
    auth::Permission,
    error::{Error, Result},
    events::model::{Event, NotificationKind, Topic},
    graphql::{
        engine::guards::PermissionGuard,
        schema::{
            context::ContextExt,
            jobs::{self, Job},
            orders::{self, Order},
            payments::{self, Payment},
            products::{self, Product},
            reviews::{self, Review},
            subscriptions::{event, event_object},
        },
    },
    ids::{JobId, OrderId, PaymentId, ProductId, ReviewId},
};

event_object! {
    /// A notification for staff. It has the resource of its kind; the others are null.
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
    /// Sends notifications for staff, about the websites that the viewer's permissions cover. `FORBIDDEN` for a kind that
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
            Some(kinds) if kinds.is_empty() => return Err(Error::bad_input("kinds", "must have at least one kind")),
            Some(kinds) => kinds,
        };
        for kind in &kinds {
            viewer.require_any(&[permission(*kind)])?;
        }
        let topics = NotificationKind::ALL.iter().filter(|kind| kinds.contains(kind));
        let Some(event) = event(ctx, topics.copied().map(Topic::Notification), NOTIFIED, after)? else {
            return Ok(None);
        };
        let Some(kind) = event.row.notification().filter(|kind| kinds.contains(kind)) else { return Ok(None) };
        if event.row.website.is_some_and(|website| !viewer.can_at(permission(kind), website)) {
            return Ok(None);
        }
        Notification::of(ctx, event, kind).await
    }
}

impl Notification {
    /// Returns the notification of an event; none if the viewer does not see its resource.
    async fn of(ctx: &Context<'_>, event: Arc<Event>, kind: NotificationKind) -> Result<Option<Self>> {
        let loaders = ctx.loaders();
        let (mut order, mut product, mut payment, mut job, mut review) = (None, None, None, None, None);
        match kind {
            NotificationKind::NewOrder => {
                order = loaders.row::<OrderId>(event.subject()).await?.map(orders::order);
            }
            NotificationKind::LowStock => {
                product = loaders.row::<ProductId>(event.subject()).await?.map(products::product);
            }
            NotificationKind::FailedPayment => {
                payment = loaders.row::<PaymentId>(event.subject()).await?.map(payments::payment);
            }
            NotificationKind::DeadJob => job = loaders.row::<JobId>(event.subject()).await?.map(jobs::job),
            NotificationKind::NewReview => {
                review = loaders.row::<ReviewId>(event.subject()).await?.map(reviews::review);
            }
        }
        let is_visible = order.is_some() || product.is_some() || payment.is_some() || job.is_some() || review.is_some();
        Ok(is_visible.then_some(Self { event, kind, order, product, payment, job, review }))
    }
}
