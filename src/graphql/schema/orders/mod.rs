//! GraphQL types of orders and their lines.

pub mod returns;
pub mod shipment;

mod address;
mod checkout;
mod events;
mod mutation;
mod query;
mod seller_view;
mod subscription;

pub use self::{
    address::{CheckoutAddressInput, OrderAddress},
    checkout::*,
    events::{OrderEvent, event},
    mutation::*,
    query::{
        OrderOrder, OrderPaymentStatusFilter, OrderQuery, OrderStatusFilter, OrderWhere, list_from_args, of_parent,
    },
    subscription::OrderSubscription,
};

use std::sync::Arc;

use async_graphql::{Context, ID};
use chrono::{DateTime, Utc};
use souk_macros::object;

use crate::{
    auth::Permission,
    error::{Error, Result},
    graphql::{
        engine::scalars::{Money, global_id, money},
        schema::{
            context::ContextExt,
            loaders::by_parent,
            nested_lists::nested_list,
            orders::{
                events::EventsByOrder,
                returns::{LinesByReturn, Return, ReturnsByOrder, return_object},
                shipment::{LinesByShipment, Shipment, ShipmentsByOrder, shipment},
            },
            payments::{Payment, PaymentsByOrder, UnscopedPaymentsByOrder, payment},
            products::{Product, UnscopedProducts, product},
            resource::resource,
            sources::{Source, SourceLookup},
            users::{User, user},
            websites::{Website, website},
        },
    },
    ids::{OrderDetailId, OrderId},
    orders::{
        self,
        model::{Contact, OrderDetailRow, OrderParent, OrderRow, PaymentStatus, Status},
        store::OrderList,
    },
    products::model::ProductRow,
    sources::model::SourceType,
    users::model::UserRow,
};

/// An order that was placed at one website.
#[derive(Clone)]
pub struct Order {
    row: Arc<OrderRow>,
    /// Related objects that the list loaded together with its rows; if absent, the loaders are used.
    prefetched: Prefetched,
    /// Whether this is a guest's order that the viewer found by its number and email address. They see what the guest sees.
    is_found_by_email: bool,
}

#[derive(Clone, Default)]
struct Prefetched {
    user: Option<Option<Arc<UserRow>>>,
    details: Option<Arc<[OrderDetail]>>,
}

/// Returns the object of a row.
pub fn order(row: impl Into<Arc<OrderRow>>) -> Order {
    Order { row: row.into(), prefetched: Prefetched::default(), is_found_by_email: false }
}

resource! {
    Order by OrderId of OrderRow,
    |conn, context, ids| orders::store::by_ids(conn, &context.order_scope(), &ids), row => row.id,
    |_, row| Some(order(row)),
}

by_parent! {
    /// Lines of orders.
    DetailsByOrder by OrderId => OrderDetailRow,
    |conn, _, ids| orders::store::lines_by_order_ids(conn, &ids), row => row.order_id
}

nested_list! {
    /// Orders of users or websites.
    OrderPages of (OrderParent, OrderList) => OrderRow,
    |conn, context, parent, list, ids|
    rows orders::store::pages_by_parent_ids(conn, &context.order_scope(), parent, list, ids),
    counts orders::store::counts_by_parent_ids(conn, &context.order_scope(), parent, list, ids),
    plans orders::store::plans(&context.order_scope(), list)
}

/// An order that was placed at one website. Sellers of some of its lines see these lines and what they need to ship
/// them; what they do not see is null or left out.
#[object]
impl Order {
    /// Opaque global ID.
    pub fn id(&self) -> ID {
        global_id(self.row.id)
    }

    /// Human-readable order number, unique within the website.
    fn order_number(&self) -> &str {
        &self.row.order_number
    }

    /// Current status of the order.
    fn status(&self) -> Status {
        self.row.status
    }

    /// Sum of the total prices of all lines. Null for sellers, whose share is the sum of the lines that they see.
    #[graphql(eager)]
    async fn total_amount(&self, ctx: &Context<'_>) -> Result<Option<Money>> {
        self.amount_of_whole(ctx, self.row.total_amount).await
    }

    /// Customer who placed the order. Null for guest orders, and if the viewer may not see the customer.
    #[graphql(eager)]
    async fn user(&self, ctx: &Context<'_>) -> Result<Option<User>> {
        if let Some(row) = &self.prefetched.user {
            return Ok(row.clone().map(user));
        }
        let Some(id) = self.row.user_id else { return Ok(None) };
        Ok(ctx.loaders().row(id).await?.map(user))
    }

    /// Website at which the order was placed.
    async fn source_website(&self, ctx: &Context<'_>) -> Result<Website> {
        let row = ctx.loaders().row(self.row.source_website_id).await?;
        row.map(website).ok_or_else(|| Error::Internal("order refers to a missing website".into()))
    }

    /// Source of the order: the website at which it was placed and, visible to its customer and staff only, its
    /// external ID there.
    async fn source(&self, ctx: &Context<'_>) -> Result<Source> {
        let (viewer, website) = (ctx.viewer(), self.row.source_website_id);
        let is_own = self.row.user_id.is_some() && self.row.user_id == viewer.account();
        let lookup =
            SourceLookup { resource_type: SourceType::Order, id: self.row.id, created_at: self.row.created_at };
        lookup.primary(ctx, website, is_own || viewer.can_at(Permission::ManageOrders, website)).await
    }

    /// Order lines in the order in which they were added; at most 500 for orders placed through this API. Sellers see
    /// their own lines.
    #[graphql(eager, complexity = "10 * child_complexity")]
    async fn details(&self, ctx: &Context<'_>) -> Result<Vec<OrderDetail>> {
        if let Some(details) = &self.prefetched.details {
            return Ok(details.to_vec());
        }
        let rows = ctx.loaders().group::<DetailsByOrder, _>(self.row.id).await?;
        let visible = rows.iter().filter(|row| self.shows_line(ctx.viewer(), row));
        Ok(visible.map(|row| detail(Arc::clone(row), self.clone())).collect())
    }

    /// Events of the order, oldest first; only the latest 500. Internal events are visible only to staff with
    /// `MANAGE_ORDERS` at the order's website. Empty for sellers.
    #[graphql(complexity = "10 * child_complexity")]
    async fn events(&self, ctx: &Context<'_>) -> Result<Vec<OrderEvent>> {
        if !self.is_whole_for(ctx.viewer()) {
            return Ok(Vec::new());
        }
        let rows = ctx.loaders().group::<EventsByOrder, _>(self.row.id).await?;
        let website = self.row.source_website_id;
        Ok(rows.iter().map(|row| event(Arc::clone(row), website)).collect())
    }

    /// Shipments of the order, oldest first; at most 100. Sellers see those with their lines.
    #[graphql(complexity = "10 * child_complexity")]
    async fn shipments(&self, ctx: &Context<'_>) -> Result<Vec<Shipment>> {
        let rows = ctx.loaders().group::<ShipmentsByOrder, _>(self.row.id).await?;
        let rows = self.with_visible_lines::<LinesByShipment, _, _>(ctx.loaders(), &rows, |row| row.id).await?;
        Ok(rows.into_iter().map(|row| shipment(row, self.clone())).collect())
    }

    /// Returns of the order, oldest first; at most 100. Sellers see those with their lines.
    #[graphql(complexity = "10 * child_complexity")]
    async fn returns(&self, ctx: &Context<'_>) -> Result<Vec<Return>> {
        let rows = ctx.loaders().group::<ReturnsByOrder, _>(self.row.id).await?;
        let rows = self.with_visible_lines::<LinesByReturn, _, _>(ctx.loaders(), &rows, |row| row.id).await?;
        Ok(rows.into_iter().map(|row| return_object(row, self.clone())).collect())
    }

    /// Shipping address as it was when the order was placed. Null if none was given. For sellers it has the contact's
    /// name and phone number where it has none of its own, and is null if the order is canceled.
    fn shipping_address(&self, ctx: &Context<'_>) -> Option<OrderAddress> {
        match self.is_whole_for(ctx.viewer()) {
            true => self.row.shipping_address().map(OrderAddress),
            false => self.row.shipping_address_for_sellers().map(OrderAddress),
        }
    }

    /// Billing address as it was when the order was placed; the shipping address if no other one was given. Null if
    /// neither was given, and for sellers.
    fn billing_address(&self, ctx: &Context<'_>) -> Option<OrderAddress> {
        self.whole_for(ctx.viewer())?.billing_address().map(OrderAddress)
    }

    /// Contact person for the order. Null if none was given, and for sellers.
    fn contact(&self, ctx: &Context<'_>) -> Option<OrderContact> {
        let contact = &self.whole_for(ctx.viewer())?.contact;
        let is_given =
            [&contact.contact_name, &contact.contact_email, &contact.contact_phone].iter().any(|it| it.is_some());
        is_given.then(|| OrderContact(contact.clone()))
    }

    /// Note that the customer wrote at checkout. Null if there is none, and for sellers.
    fn customer_note(&self, ctx: &Context<'_>) -> Option<&str> {
        self.whole_for(ctx.viewer())?.customer_note.as_deref()
    }

    /// Current payment status of the order. Null for sellers.
    fn payment_status(&self, ctx: &Context<'_>) -> Option<PaymentStatus> {
        Some(self.whole_for(ctx.viewer())?.payment_status)
    }

    /// Amount that was paid, including amounts that were refunded later. Null for sellers.
    #[graphql(eager)]
    async fn paid_amount(&self, ctx: &Context<'_>) -> Result<Option<Money>> {
        self.amount_of_whole(ctx, self.row.paid_amount).await
    }

    /// Amount that was refunded. Null for sellers.
    #[graphql(eager)]
    async fn refunded_amount(&self, ctx: &Context<'_>) -> Result<Option<Money>> {
        self.amount_of_whole(ctx, self.row.refunded_amount).await
    }

    /// Payments of the order, oldest first; at most 50. Visible to the order's customer and staff, and to a guest who
    /// found the order by its number and email address; empty for sellers of its products.
    #[graphql(complexity = "2 * child_complexity")]
    async fn payments(&self, ctx: &Context<'_>) -> Result<Vec<Payment>> {
        let rows = match self.is_found_by_email {
            true => ctx.loaders().group::<UnscopedPaymentsByOrder, _>(self.row.id).await?,
            false => ctx.loaders().group::<PaymentsByOrder, _>(self.row.id).await?,
        };
        Ok(rows.iter().map(|row| payment(Arc::clone(row))).collect())
    }

    /// When the order was placed (UTC).
    fn placed_at(&self) -> DateTime<Utc> {
        self.row.placed_at
    }

    /// When the order was created in this database (UTC); later than `placedAt` for imported orders.
    fn created_at(&self) -> DateTime<Utc> {
        self.row.created_at
    }

    /// When the order was last updated (UTC).
    fn updated_at(&self) -> DateTime<Utc> {
        self.row.updated_at
    }
}

/// The contact person for an order.
pub struct OrderContact(Contact);

/// The contact person for an order, as given when the order was placed.
#[object]
impl OrderContact {
    /// Full name.
    fn name(&self) -> Option<&str> {
        self.0.contact_name.as_deref()
    }

    /// Email address; the order confirmation was sent there.
    fn email(&self) -> Option<&str> {
        self.0.contact_email.as_deref()
    }

    /// Phone number in E.164 format, such as +4940123456.
    fn phone(&self) -> Option<&str> {
        self.0.contact_phone.as_deref()
    }
}

/// A line of an order.
#[derive(Clone)]
pub struct OrderDetail {
    row: Arc<OrderDetailRow>,
    order: Order,
    /// Product that the list loaded together with its rows; if absent, the loader is used.
    product: Option<Arc<ProductRow>>,
}

/// Returns the object of a line of a visible order.
pub fn detail(row: Arc<OrderDetailRow>, order: Order) -> OrderDetail {
    OrderDetail { row, order, product: None }
}

resource! {
    OrderDetail by OrderDetailId of OrderDetailRow,
    |conn, context, ids| orders::store::lines_by_ids(conn, &ids), row => row.id,
    |all, row| {
        let order = all.row(row.order_id).await?.map(order).filter(|order| order.shows_line(all.viewer(), &row));
        order.map(|order| detail(row, order))
    },
}

/// A line of an order: a product with quantity and price.
#[object]
impl OrderDetail {
    /// Opaque global ID.
    pub fn id(&self) -> ID {
        global_id(self.row.id)
    }

    /// Order that the line belongs to.
    fn order(&self) -> Order {
        self.order.clone()
    }

    /// Product as it is today; also available if it is no longer for sale.
    #[graphql(eager)]
    async fn product(&self, ctx: &Context<'_>) -> Result<Product> {
        if let Some(row) = &self.product {
            return Ok(product(Arc::clone(row)));
        }
        let row = ctx.loaders().load::<UnscopedProducts>(self.row.product_id).await?;
        row.map(product).ok_or_else(|| Error::Internal("order line refers to a missing product".into()))
    }

    /// Product name at the time of the order.
    fn name(&self) -> &str {
        &self.row.name
    }

    /// SKU of the product at the time of the order.
    fn sku(&self) -> &str {
        &self.row.sku
    }

    /// Ordered quantity.
    fn quantity(&self) -> i32 {
        self.row.quantity
    }

    /// Seller of the product when the line was added to the order. Null if the shop itself sold it, or if the viewer may not
    /// see the seller.
    async fn seller(&self, ctx: &Context<'_>) -> Result<Option<User>> {
        let Some(id) = self.row.seller_id else { return Ok(None) };
        Ok(ctx.loaders().row(id).await?.map(user))
    }

    /// Whether the line is confirmed: with the order or, while other lines are not confirmed yet, by its seller.
    fn is_confirmed(&self) -> bool {
        self.row.is_confirmed(self.order.row.status)
    }

    /// Quantity that was shipped, delivered or not.
    fn shipped_quantity(&self) -> i32 {
        self.row.shipped(self.order.row.status)
    }

    /// Quantity that was requested to be returned or was returned, except in rejected returns.
    fn returned_quantity(&self) -> i32 {
        self.row.returned_quantity
    }

    /// Price of one unit at the time of the order.
    #[graphql(eager)]
    async fn unit_price(&self, ctx: &Context<'_>) -> Result<Money> {
        Ok(money(self.row.unit_price, ctx.currency(self.order.row.source_website_id).await?))
    }

    /// Quantity times unit price.
    #[graphql(eager)]
    async fn total_price(&self, ctx: &Context<'_>) -> Result<Money> {
        Ok(money(self.row.total_price, ctx.currency(self.order.row.source_website_id).await?))
    }

    /// When the line was added to the order (UTC).
    fn created_at(&self) -> DateTime<Utc> {
        self.row.created_at
    }

    /// When the line was last updated (UTC).
    fn updated_at(&self) -> DateTime<Utc> {
        self.row.updated_at
    }
}
