//! The kinds of events that staff and webhooks subscribe to.

use super::{EventKind, NotificationKind, Topic};
use crate::{auth::Permission, ids::WebsiteId, text_enum};

text_enum! {
    /// Kind of an event of the shop.
    pub enum ShopEventKind {
        /// An order was placed. Requires `MANAGE_ORDERS`.
        OrderPlaced => "order_placed",
        /// The status of an order changed. Requires `MANAGE_ORDERS`.
        OrderStatusChanged => "order_status_changed",
        /// Something else of an order changed: a line, an address, a shipment, a return, a payment or a note. Requires
        /// `MANAGE_ORDERS`.
        OrderUpdated => "order_updated",
        /// A product was created. Requires `MANAGE_PRODUCTS`.
        ProductCreated => "product_created",
        /// A product was changed, but not its stock. Requires `MANAGE_PRODUCTS`.
        ProductUpdated => "product_updated",
        /// A product was removed from the database. `productDelete` keeps the product and makes it inactive, which is
        /// `PRODUCT_UPDATED`. Requires `MANAGE_PRODUCTS`.
        ProductDeleted => "product_deleted",
        /// The stock of a product changed, or the units that are reserved. Requires `MANAGE_STOCK`.
        StockChanged => "stock_changed",
        /// A payment failed, or its capture or refund. Requires `MANAGE_PAYMENTS`.
        PaymentFailed => "payment_failed",
        /// A customer submitted a review. Requires `MANAGE_REVIEWS`.
        ReviewCreated => "review_created",
        /// A background job failed for good. Requires `MANAGE_JOBS`.
        JobDied => "job_died",
    }
}

impl ShopEventKind {
    /// Returns the permission that events of this kind require.
    pub fn permission(self) -> Permission {
        match self {
            Self::OrderPlaced | Self::OrderStatusChanged | Self::OrderUpdated => Permission::ManageOrders,
            Self::ProductCreated | Self::ProductUpdated | Self::ProductDeleted => Permission::ManageProducts,
            Self::StockChanged => Permission::ManageStock,
            Self::PaymentFailed => Permission::ManagePayments,
            Self::ReviewCreated => Permission::ManageReviews,
            Self::JobDied => Permission::ManageJobs,
        }
    }

    /// Returns the topic of events of this kind, of a website or of all.
    pub fn topic(self, website: Option<WebsiteId>) -> Topic {
        match self {
            Self::OrderPlaced | Self::OrderStatusChanged | Self::OrderUpdated => Topic::Orders(website),
            Self::ProductCreated | Self::ProductUpdated | Self::ProductDeleted => Topic::Products(website),
            Self::StockChanged => Topic::Stocks(website),
            Self::PaymentFailed => Topic::Notification(NotificationKind::FailedPayment),
            Self::ReviewCreated => Topic::Notification(NotificationKind::NewReview),
            Self::JobDied => Topic::Notification(NotificationKind::DeadJob),
        }
    }

    /// Returns the kind of an event; none for one of carts, imports or exports, which are not for others.
    pub fn of(kind: EventKind) -> Option<Self> {
        Self::ALL.iter().copied().find(|public| public.as_str() == kind.as_str())
    }

    /// Returns the kind of the stored events.
    pub fn stored(self) -> Option<EventKind> {
        EventKind::ALL.iter().copied().find(|kind| kind.as_str() == self.as_str())
    }
}
