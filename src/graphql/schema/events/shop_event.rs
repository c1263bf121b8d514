//! Events of the shop for staff and webhooks: everything that other systems follow, in one subscription.

use std::sync::Arc;

use async_graphql::{Context, ID};
use souk_macros::object;

use crate::{
    auth::Permission,
    error::{Error, Result},
    events::model::{Event, ShopEventKind, public_id},
    graphql::{
        engine::{guards::PermissionGuard, scalars::global_id},
        schema::{
            context::ContextExt,
            jobs::{self, Job},
            orders::{self, Order},
            payments::{self, Payment},
            products::{self, Product},
            reviews::{self, Review},
            subscriptions::{event, event_object, website_of},
        },
    },
    ids::{JobId, OrderId, PaymentId, ProductId, ReviewId},
};

event_object! {
    /// Something that happened in the shop. It has the resource of its kind; the others are null.
    ShopEvent {
        /// ID of the event. An event that is sent twice has the same ID.
        event_id: ID,
        /// Kind of the event.
        kind: ShopEventKind,
        /// ID of the order, product, payment, review or job.
        subject_id: ID,
        /// Status of the order, or availability of the product, before the event, such as `PENDING`. Null if the event did not
        /// change it.
        previous_state: Option<String>,
        /// Status of the order, or availability of the product, after the event. Null if the event did not change it.
        state: Option<String>,
        /// The order, as it is when the event is sent.
        order: Option<Order>,
        /// The product, as it is when the event is sent. Null if it was deleted.
        product: Option<Product>,
        /// The payment that failed, or whose capture or refund failed.
        payment: Option<Payment>,
        /// The review that was submitted.
        review: Option<Review>,
        /// The job that failed for good.
        job: Option<Job>,
    }
}

/// Permissions of which each is required for some events.
const EVENT_STAFF: &[Permission] = &[
    Permission::ManageOrders,
    Permission::ManageProducts,
    Permission::ManageStock,
    Permission::ManagePayments,
    Permission::ManageReviews,
    Permission::ManageJobs,
];

/// Subscription root for events of the shop.
#[derive(Default)]
pub struct EventSubscription;

#[object]
impl EventSubscription {
    /// Sends the events of the shop, about the websites that the viewer's permissions cover. A subscription to this field is the
    /// `query` of a webhook. `FORBIDDEN` for a kind that the viewer lacks the permission for. Requires `MANAGE_ORDERS`,
    /// `MANAGE_PRODUCTS`, `MANAGE_STOCK`, `MANAGE_PAYMENTS`, `MANAGE_REVIEWS` or `MANAGE_JOBS`.
    #[graphql(guard = "PermissionGuard(EVENT_STAFF)")]
    async fn event(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Send only these kinds. Default: all that the viewer has the permission for.")] kinds: Option<
            Vec<ShopEventKind>,
        >,
        #[graphql(
            desc = "Send only events of orders and products of this website, by ID or code. Default: all websites."
        )]
        website: Option<ID>,
        #[graphql(desc = "Send the events after this cursor first.")] after: Option<String>,
    ) -> Result<Option<ShopEvent>> {
        let viewer = ctx.viewer();
        let kinds = match kinds {
            None => ShopEventKind::ALL.iter().copied().filter(|kind| viewer.can(kind.permission())).collect(),
            Some(kinds) if kinds.is_empty() => return Err(Error::bad_input("kinds", "must have at least one kind")),
            Some(kinds) => kinds,
        };
        for kind in &kinds {
            viewer.require_any(&[kind.permission()])?;
        }
        let website = website_of(ctx, website).await?;
        let topics = kinds.iter().map(|kind| kind.topic(website));
        let Some(event) = event(ctx, topics, EVENT_STAFF, after)? else { return Ok(None) };
        let is_of_website = website.is_none_or(|website| event.row.website == Some(website));
        let is_covered = |kind: &ShopEventKind| match event.row.website {
            Some(website) => viewer.can_at(kind.permission(), website),
            None => viewer.can(kind.permission()),
        };
        match ShopEventKind::of(event.row.kind).filter(|kind| kinds.contains(kind) && is_of_website && is_covered(kind))
        {
            Some(kind) => ShopEvent::load(ctx, event, kind).await,
            None => Ok(None),
        }
    }
}

impl ShopEvent {
    /// Returns an event with its resource; none if the viewer does not see the resource.
    async fn load(ctx: &Context<'_>, event: Arc<Event>, kind: ShopEventKind) -> Result<Option<Self>> {
        use ShopEventKind as K;
        let loaders = ctx.loaders();
        let (mut order, mut product, mut payment, mut review, mut job) = (None, None, None, None, None);
        let subject_id = match kind {
            K::OrderPlaced | K::OrderStatusChanged | K::OrderUpdated => {
                order = loaders.row::<OrderId>(event.subject()).await?.map(orders::order);
                global_id(event.subject::<OrderId>())
            }
            K::ProductCreated | K::ProductUpdated | K::ProductDeleted | K::StockChanged => {
                product = loaders.row::<ProductId>(event.subject()).await?.map(products::product);
                global_id(event.subject::<ProductId>())
            }
            K::PaymentFailed => {
                payment = loaders.row::<PaymentId>(event.subject()).await?.map(payments::payment);
                global_id(event.subject::<PaymentId>())
            }
            K::ReviewCreated => {
                review = loaders.row::<ReviewId>(event.subject()).await?.map(reviews::review);
                global_id(event.subject::<ReviewId>())
            }
            K::JobDied => {
                job = loaders.row::<JobId>(event.subject()).await?.map(jobs::job);
                global_id(event.subject::<JobId>())
            }
        };
        let has_resource =
            order.is_some() || product.is_some() || payment.is_some() || review.is_some() || job.is_some();
        // A product that was deleted is not there any more; neither is one whose deletion follows.
        let is_of_product = kind.topic(None) == K::ProductUpdated.topic(None);
        if !has_resource && !is_of_product {
            return Ok(None);
        }
        let is_changed = event.row.from_state != event.row.to_state;
        let upper = |state: &Option<String>| state.as_ref().filter(|_| is_changed).map(|state| state.to_uppercase());
        let (previous_state, state) = (upper(&event.row.from_state), upper(&event.row.to_state));
        let event_id = ID(public_id(event.row.id));
        Ok(Some(Self {
            event,
            event_id,
            kind,
            subject_id,
            previous_state,
            state,
            order,
            product,
            payment,
            review,
            job,
        }))
    }
}
