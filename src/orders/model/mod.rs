//! Rows and rules of orders.

mod access;
mod addresses;
mod email_confirmations;
mod events;
mod returns;
mod shipments;
mod status;
mod unpaid;

pub use self::{addresses::*, email_confirmations::*, events::*, returns::*, shipments::*, status::*, unpaid::*};

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use rust_decimal::Decimal;

use crate::{
    auth::Scope,
    db::{
        filter::Op,
        tables::{order_details, orders},
    },
    ids::{OrderDetailId, OrderId, ProductId, UserId, WebsiteId},
    jobs::model::JobInfo,
    paging::SortKey,
    text_enum,
    websites::model::WebsiteOp,
};

/// The job that voids or refunds the payments of a canceled order; its payload is `{"order": key}`.
pub const REVERSE_PAYMENTS: JobInfo =
    JobInfo::queued("order_cancelled", "Voids or refunds the payments of a canceled order.");

/// Maximum number of lines of an order that is placed here. Imported orders can be longer.
pub const MAX_LINES: usize = 500;

text_enum! {
    /// Payment status of an order.
    #[graphql(name = "OrderPaymentStatus")]
    pub enum PaymentStatus {
        /// Nothing is authorized or paid; earlier attempts may have failed or been voided.
        None => "none",
        /// A payment is in progress and its outcome is not known yet.
        Pending => "pending",
        /// A payment is authorized and not captured yet.
        Authorized => "authorized",
        /// A part of the total was captured; the rest is still authorized, or was voided.
        PartiallyPaid => "partially_paid",
        /// The order is paid in full.
        Paid => "paid",
        /// A part of the paid amount was refunded.
        PartiallyRefunded => "partially_refunded",
        /// The whole paid amount was refunded.
        Refunded => "refunded",
    }
}

/// An order.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = orders, check_for_backend(diesel::pg::Pg))]
pub struct OrderRow {
    /// Primary key.
    pub id: OrderId,
    /// The website it was placed at.
    pub source_website_id: WebsiteId,
    /// Order number shown to people; unique per website.
    pub order_number: String,
    /// The customer; none for guests.
    pub user_id: Option<UserId>,
    /// Current status.
    pub status: Status,
    /// Sum of the lines, in the website's currency.
    pub total_amount: Decimal,
    /// Shipping address, copied when the order was placed.
    #[diesel(embed)]
    pub shipping: Shipping,
    /// Billing address; none if it is the shipping address.
    pub billing_address: Option<OrderAddress>,
    /// Contact for questions about the order.
    #[diesel(embed)]
    pub contact: Contact,
    /// The customer's note to the shop.
    pub customer_note: Option<String>,
    /// Payment status.
    pub payment_status: PaymentStatus,
    /// Captured amount, including refunded amounts.
    pub paid_amount: Decimal,
    /// Refunded amount.
    pub refunded_amount: Decimal,
    /// When the order was placed.
    pub placed_at: DateTime<Utc>,
    /// When the order was inserted into this database.
    pub created_at: DateTime<Utc>,
    /// When the order was last updated.
    pub updated_at: DateTime<Utc>,
}

impl OrderRow {
    /// Returns the shipping address; none if the order has none.
    pub fn shipping_address(&self) -> Option<OrderAddress> {
        self.shipping.ship_country.is_some().then(|| self.shipping.clone().into())
    }

    /// Returns the billing address, which is the shipping address unless another one was given.
    pub fn billing_address(&self) -> Option<OrderAddress> {
        self.billing_address.clone().or_else(|| self.shipping_address())
    }
}

/// Contact for questions about an order.
#[derive(Debug, Clone, Default, Queryable, Selectable, Insertable)]
#[diesel(table_name = orders, check_for_backend(diesel::pg::Pg))]
pub struct Contact {
    /// Name.
    pub contact_name: Option<String>,
    /// Email address.
    pub contact_email: Option<String>,
    /// Phone number in E.164 format.
    pub contact_phone: Option<String>,
}

/// An order that a customer or a guest places.
#[derive(Debug, Clone)]
pub struct PlacedOrder {
    /// See [`OrderRow`]; from the sequence.
    pub id: OrderId,
    /// The first order of the same checkout.
    pub checkout_id: OrderId,
    /// See [`OrderRow`].
    pub source_website_id: WebsiteId,
    /// See [`OrderRow`].
    pub order_number: String,
    /// See [`OrderRow`].
    pub user_id: Option<UserId>,
    /// See [`OrderRow`].
    pub status: Status,
    /// Sum of the lines, which are inserted by the same statement.
    pub total_amount: Decimal,
    /// See [`OrderRow`].
    pub shipping: OrderAddress,
    /// See [`OrderRow`].
    pub billing_address: Option<OrderAddress>,
    /// See [`OrderRow`].
    pub contact: Contact,
    /// See [`OrderRow`].
    pub customer_note: Option<String>,
    /// Hash of the cart token of the guest who placed the order.
    pub cart_token_hash: Option<Vec<u8>>,
    /// See [`OrderRow`].
    pub placed_at: DateTime<Utc>,
}

/// A past order to insert.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = orders)]
pub struct NewOrder {
    /// See [`OrderRow`].
    pub source_website_id: WebsiteId,
    /// See [`OrderRow`].
    pub order_number: String,
    /// See [`OrderRow`].
    pub user_id: Option<UserId>,
    /// See [`OrderRow`].
    pub status: Status,
    /// See [`OrderRow`].
    #[diesel(embed)]
    pub shipping: Shipping,
    /// See [`OrderRow`].
    pub billing_address: Option<OrderAddress>,
    /// See [`OrderRow`].
    #[diesel(embed)]
    pub contact: Contact,
    /// See [`OrderRow`].
    pub customer_note: Option<String>,
    /// See [`OrderRow`].
    pub placed_at: DateTime<Utc>,
}

/// A line of an order.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = order_details, check_for_backend(diesel::pg::Pg))]
pub struct OrderDetailRow {
    /// Primary key.
    pub id: OrderDetailId,
    /// The order.
    pub order_id: OrderId,
    /// The product.
    pub product_id: ProductId,
    /// Product name at the time of sale.
    pub name: String,
    /// SKU at the time of sale.
    pub sku: String,
    /// Number of units.
    pub quantity: i32,
    /// Price of one unit at the time of sale.
    pub unit_price: Decimal,
    /// Quantity times unit price.
    pub total_price: Decimal,
    /// Number of units in shipments.
    pub shipped_quantity: i32,
    /// Number of units in returns that are not rejected.
    pub returned_quantity: i32,
    /// The seller of the product when it was ordered; none if the shop sold it.
    pub seller_id: Option<UserId>,
    /// When the seller confirmed the line while others still had to; see [`OrderDetailRow::is_confirmed`].
    pub confirmed_at: Option<DateTime<Utc>>,
    /// When the line was added to the order.
    pub created_at: DateTime<Utc>,
    /// When the line was last changed.
    pub updated_at: DateTime<Utc>,
}

impl OrderDetailRow {
    /// Returns the number of shipped units, given the order's status. All units of a shipped order count, because
    /// imported orders have no shipments.
    pub fn shipped(&self, status: Status) -> i32 {
        if matches!(status, Status::Shipped | Status::Delivered) { self.quantity } else { self.shipped_quantity }
    }

    /// Returns the number of shipped units that are in no return, given the order's status.
    pub fn left_to_return(&self, status: Status) -> i32 {
        self.shipped(status) - self.returned_quantity
    }

    /// Returns whether the line is confirmed, given the order's status: with the order, or before by its seller.
    pub fn is_confirmed(&self, status: Status) -> bool {
        match status {
            Status::Pending => self.confirmed_at.is_some(),
            Status::Confirmed | Status::Shipped | Status::Delivered => true,
            Status::Cancelled => false,
        }
    }

    /// Returns the number of units that are not shipped yet.
    pub fn left_to_ship(&self) -> i32 {
        self.quantity - self.shipped_quantity
    }
}

/// An order line to insert.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = order_details)]
pub struct NewOrderDetail {
    /// See [`OrderDetailRow`].
    pub order_id: OrderId,
    /// See [`OrderDetailRow`].
    pub product_id: ProductId,
    /// See [`OrderDetailRow`].
    pub name: String,
    /// See [`OrderDetailRow`].
    pub sku: String,
    /// See [`OrderDetailRow`].
    pub quantity: i32,
    /// See [`OrderDetailRow`].
    pub unit_price: Decimal,
}

/// A filter condition on orders.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum OrderCondition {
    /// By ID.
    Id(Op<OrderId>),
    /// By number.
    Number(Op<String>),
    /// By status.
    Status(Op<Status>),
    /// By customer, for a viewer who may see the users of the scope.
    User(Scope, Op<UserId>),
    /// By website.
    SourceWebsite(WebsiteOp),
    /// By payment status.
    PaymentStatus(Op<PaymentStatus>),
    /// By email address of the contact, case-insensitive.
    ContactEmail(Op<String>),
    /// By name of the contact.
    ContactName(Op<String>),
    /// By code of the country of the shipping address.
    ShippingCountry(Op<String>),
    /// By the products of the lines that are visible in the scope.
    Product(Scope, Op<ProductId>),
    /// By total.
    TotalAmount(Op<Decimal>),
    /// By the time of placement.
    PlacedAt(Op<DateTime<Utc>>),
    /// By the time of the last update.
    UpdatedAt(Op<DateTime<Utc>>),
}

/// Fields that orders can be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, async_graphql::Enum)]
pub enum OrderOrderField {
    /// When the order was placed.
    #[default]
    PlacedAt,
    /// Total amount, within one currency: the list must be limited to websites with the same currency or by
    /// `where.totalAmount.currency`, unless all websites have the same.
    TotalAmount,
    /// Sort by order number, as text.
    OrderNumber,
}

impl OrderOrderField {
    /// Returns the list's name in cursors.
    pub fn list(self) -> &'static str {
        match self {
            Self::PlacedAt => "orders:placed_at",
            Self::TotalAmount => "orders:total_amount",
            Self::OrderNumber => "orders:order_number",
        }
    }

    /// Returns the sort key of a row.
    pub fn key(self, row: &OrderRow) -> SortKey {
        match self {
            Self::PlacedAt => SortKey::Time(row.placed_at),
            Self::TotalAmount => SortKey::Number(row.total_amount),
            Self::OrderNumber => SortKey::Text(row.order_number.clone()),
        }
    }
}

/// Parent entity of a nested list of orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OrderParent {
    /// A user.
    User,
    /// A website.
    Website,
}
