//! Events, and the topics to which one can subscribe.

mod cursor;
mod shop_event;

pub use self::{cursor::EventCursor, shop_event::ShopEventKind};

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use crate::{
    auth::{GuestKey, Holder},
    db::{
        changes::{Moment, Position},
        tables::events,
    },
    ids::{OrderId, ProductId, RowId, TransferId, UserId, WebsiteId},
    text_enum,
};

/// Time for which a client can resume a subscription.
pub const RESUME_PERIOD: Duration = Duration::from_secs(600);

/// Time for which events are stored: longer, because clocks differ and transactions take time.
pub const RETENTION: chrono::Duration = chrono::Duration::minutes(15);

text_enum! {
    /// What happened.
    pub enum EventKind {
        /// An order was placed.
        OrderPlaced => "order_placed",
        /// The status of an order changed.
        OrderStatusChanged => "order_status_changed",
        /// Something else of an order changed.
        OrderUpdated => "order_updated",
        /// A product was created.
        ProductCreated => "product_created",
        /// A product was changed.
        ProductUpdated => "product_updated",
        /// A product was deleted.
        ProductDeleted => "product_deleted",
        /// The stock of a product changed, or the units that are reserved.
        StockChanged => "stock_changed",
        /// A cart changed, or was deleted.
        CartUpdated => "cart_updated",
        /// An import or export made progress.
        TransferUpdated => "transfer_updated",
        /// An operation of a payment failed.
        PaymentFailed => "payment_failed",
        /// A background job failed for good.
        JobDied => "job_died",
        /// A review was submitted.
        ReviewCreated => "review_created",
    }
}

text_enum! {
    /// Subject of a notification.
    pub enum NotificationKind {
        /// An order was placed. Requires `MANAGE_ORDERS`.
        NewOrder => "new_order",
        /// The stock of a product became low, or ran out. Requires `MANAGE_STOCK`.
        LowStock => "low_stock",
        /// A payment failed, or its capture or refund. Requires `MANAGE_PAYMENTS`.
        FailedPayment => "failed_payment",
        /// A background job failed for good. Requires `MANAGE_JOBS`.
        DeadJob => "dead_job",
        /// A customer submitted a review. Requires `MANAGE_REVIEWS`.
        NewReview => "new_review",
    }
}

/// A stored event.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = events, check_for_backend(diesel::pg::Pg))]
pub struct EventRow {
    /// Key; increases with each change of one entity.
    pub id: i64,
    /// The transaction that made the change.
    pub transaction_id: i64,
    /// What happened.
    pub kind: EventKind,
    /// Key of the entity: the order, product, cart, transfer, payment, job or review.
    pub subject: i64,
    /// Website of the order or product.
    pub website: Option<WebsiteId>,
    /// Whether customers can see what changed.
    pub is_public: bool,
    /// Status of the order, or availability of the product, before the event.
    pub from_state: Option<String>,
    /// Status of the order, or availability of the product, after the event.
    pub to_state: Option<String>,
    /// User who owns the cart.
    pub owner: Option<UserId>,
    /// Hash of the token of a guest's cart.
    pub token_hash: Option<Vec<u8>>,
    /// When the transaction began.
    pub created_at: DateTime<Utc>,
}

/// Where a window begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// After a moment: with the events that were not visible then.
    Moment(Moment),
    /// At its time, or shortly before. For positions of another start of the database server, which cannot be compared.
    Time,
}

/// The events that became visible between two positions of the database. They are in the order of their IDs.
#[derive(Debug)]
pub struct Window {
    /// Where the window begins.
    pub start: Start,
    /// When it begins.
    pub since: DateTime<Utc>,
    /// The position where it ends.
    pub until: Position,
}

/// An event for subscribers.
#[derive(Debug)]
pub struct Event {
    /// The event.
    pub row: EventRow,
    /// The window that it belongs to.
    pub window: Arc<Window>,
}

impl Event {
    /// Returns the key of the entity as an ID.
    pub fn subject<I: RowId>(&self) -> I {
        I::from_key(self.row.subject)
    }
}

/// What one can subscribe to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Topic {
    /// One order.
    Order(OrderId),
    /// The orders of a website, or of all.
    Orders(Option<WebsiteId>),
    /// One product.
    Product(ProductId),
    /// The products of a website, or of all.
    Products(Option<WebsiteId>),
    /// The stock of one product.
    Stock(ProductId),
    /// The stock of the products of a website, or of all.
    Stocks(Option<WebsiteId>),
    /// The carts of a user.
    CartsOfUser(UserId),
    /// The carts of a guest.
    CartsOfGuest(GuestKey),
    /// One import or export.
    Transfer(TransferId),
    /// Notifications for staff.
    Notification(NotificationKind),
}

impl Topic {
    /// Returns the topics of the carts of an owner.
    pub fn carts_of(holder: Holder) -> Vec<Self> {
        holder.user.map(Self::CartsOfUser).into_iter().chain(holder.guest.map(Self::CartsOfGuest)).collect()
    }

    /// Returns the kinds of events of this topic.
    pub fn kinds(self) -> &'static [EventKind] {
        use EventKind as K;
        match self {
            Self::Order(_) | Self::Orders(_) => &[K::OrderPlaced, K::OrderStatusChanged, K::OrderUpdated],
            Self::Product(_) | Self::Products(_) => &[K::ProductCreated, K::ProductUpdated, K::ProductDeleted],
            Self::Stock(_) | Self::Stocks(_) => &[K::StockChanged],
            Self::CartsOfUser(_) | Self::CartsOfGuest(_) => &[K::CartUpdated],
            Self::Transfer(_) => &[K::TransferUpdated],
            Self::Notification(NotificationKind::NewOrder) => &[K::OrderPlaced],
            Self::Notification(NotificationKind::LowStock) => &[K::StockChanged],
            Self::Notification(NotificationKind::FailedPayment) => &[K::PaymentFailed],
            Self::Notification(NotificationKind::DeadJob) => &[K::JobDied],
            Self::Notification(NotificationKind::NewReview) => &[K::ReviewCreated],
        }
    }

    /// Returns the key of the entity, if the topic is about one.
    pub fn subject(self) -> Option<i64> {
        match self {
            Self::Order(id) => Some(id.0),
            Self::Product(id) | Self::Stock(id) => Some(id.0),
            Self::Transfer(id) => Some(id.0),
            _ => None,
        }
    }
}

/// Returns the ID of the event with this key, as clients see it.
pub fn public_id(key: i64) -> String {
    format!("event-{key}")
}

impl EventRow {
    /// Returns the topics of the event.
    pub fn topics(&self) -> Vec<Topic> {
        use EventKind as K;
        let Self { subject, website, .. } = *self;
        let about = |one: Topic, all: fn(Option<WebsiteId>) -> Topic| {
            let mut topics = vec![one, all(None)];
            topics.extend(website.map(|website| all(Some(website))));
            topics
        };
        let mut topics = match self.kind {
            K::OrderPlaced | K::OrderStatusChanged | K::OrderUpdated => {
                about(Topic::Order(OrderId(subject)), Topic::Orders)
            }
            K::ProductCreated | K::ProductUpdated | K::ProductDeleted => {
                about(Topic::Product(ProductId(subject)), Topic::Products)
            }
            K::StockChanged => about(Topic::Stock(ProductId(subject)), Topic::Stocks),
            K::CartUpdated => {
                let guest = self.token_hash.as_deref().and_then(GuestKey::from_hash);
                Topic::carts_of(Holder { user: self.owner, guest })
            }
            K::TransferUpdated => vec![Topic::Transfer(TransferId(subject))],
            K::PaymentFailed | K::JobDied | K::ReviewCreated => Vec::new(),
        };
        topics.extend(self.notification().map(Topic::Notification));
        topics
    }

    /// Returns what staff are notified of.
    pub fn notification(&self) -> Option<NotificationKind> {
        match self.kind {
            EventKind::OrderPlaced => Some(NotificationKind::NewOrder),
            EventKind::StockChanged => self.is_lower().then_some(NotificationKind::LowStock),
            EventKind::PaymentFailed => Some(NotificationKind::FailedPayment),
            EventKind::JobDied => Some(NotificationKind::DeadJob),
            EventKind::ReviewCreated => Some(NotificationKind::NewReview),
            _ => None,
        }
    }

    /// Returns whether the availability became worse.
    fn is_lower(&self) -> bool {
        let rank = |state: &Option<String>| match state.as_deref() {
            Some("out_of_stock") => 0,
            Some("low_stock") => 1,
            _ => 2,
        };
        rank(&self.to_state) < rank(&self.from_state)
    }
}
