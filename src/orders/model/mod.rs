//! Rows and rules of orders.

mod events;
mod returns;
mod shipments;
mod status;

pub use self::{events::*, returns::*, shipments::*, status::*};

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use rust_decimal::Decimal;

use crate::{
    db::{
        filter::Op,
        tables::{order_details, orders},
    },
    ids::{OrderDetailId, OrderId, ProductId, UserId, WebsiteId},
    paging::SortKey,
    text_enum,
    users::model::{AddressPatch, AddressRow},
};

/// The kind of the jobs that tell of a cancelled order, `{"order": key}`: its payment is to be undone.
pub const CANCELLED: &str = "order_cancelled";

/// Most lines of an order placed here. An import brings what the shop had.
pub const MAX_LINES: usize = 500;

text_enum! {
    /// What has become of the payment of an order.
    #[graphql(name = "OrderPaymentStatus")]
    pub enum PaymentStatus {
        /// Nothing is paid or promised; an attempt may have failed or been voided.
        None => "none",
        /// A payment is under way: nobody knows yet what becomes of it.
        Pending => "pending",
        /// The money is promised and not taken yet.
        Authorized => "authorized",
        /// The money is there, at least in part.
        Paid => "paid",
        /// Some of the money has been paid back.
        PartiallyRefunded => "partially_refunded",
        /// All that was paid has been paid back.
        Refunded => "refunded",
    }
}

/// An order.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = orders, check_for_backend(diesel::pg::Pg))]
pub struct OrderRow {
    /// Key.
    pub id: OrderId,
    /// The website it was placed at.
    pub source_website_id: WebsiteId,
    /// Number for people, unique at the website.
    pub order_number: String,
    /// Who placed it; none for guests that an import brought.
    pub user_id: Option<UserId>,
    /// Where it stands.
    pub status: Status,
    /// Sum of its lines, in the website's currency.
    pub total_amount: Decimal,
    /// Where it goes: a copy of the address, made when it was placed.
    #[diesel(embed)]
    pub shipping: Shipping,
    /// Whom to ask about it.
    #[diesel(embed)]
    pub contact: Contact,
    /// What the customer wrote to the shop.
    pub customer_note: Option<String>,
    /// What has become of its payment.
    pub payment_status: PaymentStatus,
    /// What has been paid, refunded or not.
    pub paid_amount: Decimal,
    /// What has been paid back of it.
    pub refunded_amount: Decimal,
    /// When it was placed.
    pub placed_at: DateTime<Utc>,
    /// When it came into this database.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

/// Whom to ask about an order.
#[derive(Debug, Clone, Default, Queryable, Selectable, Insertable)]
#[diesel(table_name = orders, check_for_backend(diesel::pg::Pg))]
pub struct Contact {
    /// Name.
    pub contact_name: Option<String>,
    /// E-mail address.
    pub contact_email: Option<String>,
    /// Phone number, E.164.
    pub contact_phone: Option<String>,
}

/// Where an order goes.
#[derive(Debug, Clone, Default, Queryable, Selectable, Insertable)]
#[diesel(table_name = orders, check_for_backend(diesel::pg::Pg))]
pub struct Shipping {
    /// Country.
    pub ship_country: Option<String>,
    /// City.
    pub ship_city: Option<String>,
    /// District.
    pub ship_district: Option<String>,
    /// Street and number.
    pub ship_address: Option<String>,
    /// Postal code.
    pub ship_postal_code: Option<String>,
}

impl Shipping {
    /// A copy of a user's address.
    pub fn from_address(address: AddressRow) -> Self {
        Self {
            ship_country: Some(address.country),
            ship_city: Some(address.city),
            ship_district: address.district,
            ship_address: Some(address.address),
            ship_postal_code: address.postal_code,
        }
    }

    /// An address that is nobody's yet.
    pub fn from_patch(patch: AddressPatch) -> Self {
        Self {
            ship_country: patch.country,
            ship_city: patch.city,
            ship_district: patch.district.flatten(),
            ship_address: patch.address,
            ship_postal_code: patch.postal_code.flatten(),
        }
    }

    /// As it stands on a parcel, line by line.
    pub fn lines(&self) -> Vec<String> {
        let town =
            [&self.ship_postal_code, &self.ship_city].into_iter().flatten().cloned().collect::<Vec<_>>().join(" ");
        let lines = [self.ship_address.clone(), self.ship_district.clone(), Some(town), self.ship_country.clone()];
        lines.into_iter().flatten().filter(|line| !line.is_empty()).collect()
    }
}

/// An order to be.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = orders)]
pub struct NewOrder {
    /// See [`OrderRow`]; the next one where absent.
    pub id: Option<OrderId>,
    /// The first order of the same checkout.
    pub checkout_id: Option<OrderId>,
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
    #[diesel(embed)]
    pub contact: Contact,
    /// See [`OrderRow`].
    pub customer_note: Option<String>,
    /// The guest who placed it.
    pub cart_token_hash: Option<Vec<u8>>,
    /// See [`OrderRow`].
    pub placed_at: DateTime<Utc>,
}

/// A line of an order.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = order_details, check_for_backend(diesel::pg::Pg))]
pub struct OrderDetailRow {
    /// Key.
    pub id: OrderDetailId,
    /// Whose line.
    pub order_id: OrderId,
    /// What was sold.
    pub product_id: ProductId,
    /// Its name as sold.
    pub name: String,
    /// Its SKU as sold.
    pub sku: String,
    /// Pieces.
    pub quantity: i32,
    /// Price of one as sold.
    pub unit_price: Decimal,
    /// Quantity times unit price.
    pub total_price: Decimal,
    /// Pieces that have left by shipments.
    pub shipped_quantity: i32,
    /// Pieces on returns that are not rejected.
    pub returned_quantity: i32,
    /// When the line was added to the order.
    pub created_at: DateTime<Utc>,
    /// When the line was last changed.
    pub updated_at: DateTime<Utc>,
}

impl OrderDetailRow {
    /// Pieces that have left, where the order stands so: all of them for one that is shipped, by shipments or, as an
    /// import brings them, without.
    pub fn shipped(&self, status: Status) -> i32 {
        if matches!(status, Status::Shipped | Status::Delivered) { self.quantity } else { self.shipped_quantity }
    }

    /// Pieces that have left, where the order stands so, and are on no return.
    pub fn left_to_return(&self, status: Status) -> i32 {
        self.shipped(status) - self.returned_quantity
    }

    /// Pieces that have not left yet.
    pub fn left_to_ship(&self) -> i32 {
        self.quantity - self.shipped_quantity
    }
}

/// A line to be.
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

/// A condition on orders.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum OrderCondition {
    /// By id.
    Id(Op<OrderId>),
    /// By number.
    Number(Op<String>),
    /// By status.
    Status(Op<Status>),
    /// By customer.
    User(Op<UserId>),
    /// By website.
    SourceWebsite(Op<WebsiteId>),
    /// By payment status.
    PaymentStatus(Op<PaymentStatus>),
    /// By the email address of the contact, without regard to case.
    ContactEmail(Op<String>),
    /// By total.
    TotalAmount(Op<Decimal>),
    /// By when it was placed.
    PlacedAt(Op<DateTime<Utc>>),
}

/// What a list of orders is ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, async_graphql::Enum)]
pub enum OrderOrderField {
    /// When it was placed.
    #[default]
    PlacedAt,
    /// The total, without regard to the currency.
    TotalAmount,
    /// The number.
    OrderNumber,
}

impl OrderOrderField {
    /// The list's name in cursors.
    pub fn list(self) -> &'static str {
        match self {
            Self::PlacedAt => "orders:placed_at",
            Self::TotalAmount => "orders:total_amount",
            Self::OrderNumber => "orders:order_number",
        }
    }

    /// The sort key of a row.
    pub fn key(self, row: &OrderRow) -> SortKey {
        match self {
            Self::PlacedAt => SortKey::Time(row.placed_at),
            Self::TotalAmount => SortKey::Number(row.total_amount),
            Self::OrderNumber => SortKey::Text(row.order_number.clone()),
        }
    }
}

/// Whose orders a nested list shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OrderParent {
    /// A user's.
    User,
    /// A website's.
    Website,
}
