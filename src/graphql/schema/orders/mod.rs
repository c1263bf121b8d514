//! Orders and their lines in the graph.

pub mod returns;
pub mod shipment;

mod checkout;
mod events;
mod mutation;
mod query;

pub use self::{
    checkout::*,
    events::{OrderEvent, event},
    mutation::*,
    query::{
        OrderOrder, OrderPaymentStatusFilter, OrderQuery, OrderStatusFilter, OrderWhere, list_from_args, of_parent,
    },
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
            loaders::{by_parent, nested_list},
            orders::{
                events::EventsByOrder,
                returns::{Return, ReturnsByOrder, return_object},
                shipment::{Shipment, ShipmentsByOrder, shipment},
            },
            payments::{Payment, PaymentsByOrder, payment},
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
        model::{Contact, OrderDetailRow, OrderParent, OrderRow, PaymentStatus, Shipping, Status},
        store::OrderList,
    },
    products::model::ProductRow,
    sources::model::SourceType,
    users::model::UserRow,
};

/// What a customer bought at one website.
#[derive(Clone)]
pub struct Order {
    row: Arc<OrderRow>,
    /// What the list fetched along with its rows; absent where the loaders are to be asked.
    prefetched: Prefetched,
}

#[derive(Clone, Default)]
struct Prefetched {
    user: Option<Option<Arc<UserRow>>>,
    details: Option<Arc<[OrderDetail]>>,
}

/// The object of a row.
pub fn order(row: impl Into<Arc<OrderRow>>) -> Order {
    Order { row: row.into(), prefetched: Prefetched::default() }
}

resource! {
    Order by OrderId of OrderRow,
    |conn, context, ids| orders::store::by_ids(conn, &context.order_scope(), &ids), row => row.id,
    |_, row| Some(order(row)),
}

by_parent! {
    /// The lines of orders.
    DetailsByOrder by OrderId => OrderDetailRow,
    |conn, _, ids| orders::store::lines_by_order_ids(conn, &ids), row => row.order_id
}

nested_list! {
    /// The orders of users or websites.
    OrderPages of (OrderParent, OrderList) => OrderRow,
    |conn, context, parent, list, ids|
    rows orders::store::pages_by_parent_ids(conn, &context.order_scope(), parent, list, ids),
    counts orders::store::counts_by_parent_ids(conn, &context.order_scope(), parent, list, ids),
    plans orders::store::plans(&context.order_scope(), list)
}

/// What a customer bought at one website.
#[object]
impl Order {
    /// Opaque id, unique across all types.
    pub fn id(&self) -> ID {
        global_id(self.row.id)
    }

    /// Number for people, unique at the website.
    fn order_number(&self) -> &str {
        &self.row.order_number
    }

    /// Where it stands.
    fn status(&self) -> Status {
        self.row.status
    }

    /// Sum of its lines.
    #[graphql(eager)]
    async fn total_amount(&self, ctx: &Context<'_>) -> Result<Money> {
        Ok(money(self.row.total_amount, ctx.currency(self.row.source_website_id).await?))
    }

    /// Who placed it; null for guests, and where you may not see them.
    async fn user(&self, ctx: &Context<'_>) -> Result<Option<User>> {
        if let Some(row) = &self.prefetched.user {
            return Ok(row.clone().map(user));
        }
        let Some(id) = self.row.user_id else { return Ok(None) };
        Ok(ctx.loaders().row(id).await?.map(user))
    }

    /// The website it was placed at.
    async fn source_website(&self, ctx: &Context<'_>) -> Result<Website> {
        let row = ctx.loaders().row(self.row.source_website_id).await?;
        row.map(website).ok_or_else(|| Error::Internal("an order without its website".into()))
    }

    /// Where it comes from: the website it was placed at, and for its customer and staff what that website calls it.
    async fn source(&self, ctx: &Context<'_>) -> Result<Source> {
        let (viewer, website) = (ctx.viewer(), self.row.source_website_id);
        let is_own = self.row.user_id.is_some() && self.row.user_id == viewer.user_id();
        let lookup =
            SourceLookup { resource_type: SourceType::Order, id: self.row.id, created_at: self.row.created_at };
        lookup.primary(ctx, website, is_own || viewer.can_at(Permission::ManageOrders, website)).await
    }

    /// Its lines, in the order they were added: at most 500 for an order placed here.
    #[graphql(complexity = "10 * child_complexity")]
    async fn details(&self, ctx: &Context<'_>) -> Result<Vec<OrderDetail>> {
        if let Some(details) = &self.prefetched.details {
            return Ok(details.to_vec());
        }
        let rows = ctx.loaders().group::<DetailsByOrder, _>(self.row.id).await?;
        let order = &self.row;
        Ok(rows.iter().map(|row| detail(Arc::clone(row), Arc::clone(order))).collect())
    }

    /// What happened to it, the oldest first, at most the latest 500: internal notes only for staff with MANAGE_ORDERS at its
    /// website.
    #[graphql(complexity = "10 * child_complexity")]
    async fn events(&self, ctx: &Context<'_>) -> Result<Vec<OrderEvent>> {
        let rows = ctx.loaders().group::<EventsByOrder, _>(self.row.id).await?;
        let website = self.row.source_website_id;
        Ok(rows.iter().map(|row| event(Arc::clone(row), website)).collect())
    }

    /// What is on its way or has arrived of it, the oldest first: at most 100.
    #[graphql(complexity = "10 * child_complexity")]
    async fn shipments(&self, ctx: &Context<'_>) -> Result<Vec<Shipment>> {
        let rows = ctx.loaders().group::<ShipmentsByOrder, _>(self.row.id).await?;
        let order = &self.row;
        Ok(rows.iter().map(|row| shipment(Arc::clone(row), Arc::clone(order))).collect())
    }

    /// What is on its way back or came back of it, the oldest first: at most 100.
    #[graphql(complexity = "10 * child_complexity")]
    async fn returns(&self, ctx: &Context<'_>) -> Result<Vec<Return>> {
        let rows = ctx.loaders().group::<ReturnsByOrder, _>(self.row.id).await?;
        let order = &self.row;
        Ok(rows.iter().map(|row| return_object(Arc::clone(row), Arc::clone(order))).collect())
    }

    /// Where it goes: the address as it was when the order was placed; null where none was given.
    fn shipping_address(&self) -> Option<ShippingAddress> {
        self.row.shipping.ship_country.is_some().then(|| ShippingAddress(self.row.shipping.clone()))
    }

    /// Whom to ask about it; null where nobody was named.
    fn contact(&self) -> Option<OrderContact> {
        self.row.contact.contact_name.is_some().then(|| OrderContact(self.row.contact.clone()))
    }

    /// What the customer wrote to the shop when it was placed.
    fn customer_note(&self) -> Option<&str> {
        self.row.customer_note.as_deref()
    }

    /// What has become of its payment.
    fn payment_status(&self) -> PaymentStatus {
        self.row.payment_status
    }

    /// What has been paid, refunded or not.
    #[graphql(eager)]
    async fn paid_amount(&self, ctx: &Context<'_>) -> Result<Money> {
        Ok(money(self.row.paid_amount, ctx.currency(self.row.source_website_id).await?))
    }

    /// What has been paid back of it.
    #[graphql(eager)]
    async fn refunded_amount(&self, ctx: &Context<'_>) -> Result<Money> {
        Ok(money(self.row.refunded_amount, ctx.currency(self.row.source_website_id).await?))
    }

    /// Its payments, the oldest first, at most 50. For its customer and for staff: empty for sellers of its products.
    #[graphql(complexity = "2 * child_complexity")]
    async fn payments(&self, ctx: &Context<'_>) -> Result<Vec<Payment>> {
        let rows = ctx.loaders().group::<PaymentsByOrder, _>(self.row.id).await?;
        Ok(rows.iter().map(|row| payment(Arc::clone(row))).collect())
    }

    /// When it was placed.
    fn placed_at(&self) -> DateTime<Utc> {
        self.row.placed_at
    }

    /// When it came into this database; later than `placedAt` for imported orders.
    fn created_at(&self) -> DateTime<Utc> {
        self.row.created_at
    }

    /// When it was last changed.
    fn updated_at(&self) -> DateTime<Utc> {
        self.row.updated_at
    }
}

/// Whom to ask about an order.
pub struct OrderContact(Contact);

/// Whom to ask about an order, as they said when it was placed.
#[object]
impl OrderContact {
    /// Name.
    fn name(&self) -> Option<&str> {
        self.0.contact_name.as_deref()
    }

    /// E-mail address; the confirmation went there.
    fn email(&self) -> Option<&str> {
        self.0.contact_email.as_deref()
    }

    /// Phone number, E.164.
    fn phone(&self) -> Option<&str> {
        self.0.contact_phone.as_deref()
    }
}

/// Where an order goes.
pub struct ShippingAddress(Shipping);

/// Where an order goes: a copy of the customer's address, made when the order was placed.
#[object]
impl ShippingAddress {
    /// Country.
    fn country(&self) -> Option<&str> {
        self.0.ship_country.as_deref()
    }

    /// City or town.
    fn city(&self) -> Option<&str> {
        self.0.ship_city.as_deref()
    }

    /// District, county or state.
    fn district(&self) -> Option<&str> {
        self.0.ship_district.as_deref()
    }

    /// Street, number and what else leads to the door.
    fn address(&self) -> Option<&str> {
        self.0.ship_address.as_deref()
    }

    /// Postal code.
    fn postal_code(&self) -> Option<&str> {
        self.0.ship_postal_code.as_deref()
    }
}

/// A line of an order.
#[derive(Clone)]
pub struct OrderDetail {
    row: Arc<OrderDetailRow>,
    order: Arc<OrderRow>,
    /// What the list fetched along with its rows; absent where the loader is to be asked.
    product: Option<Arc<ProductRow>>,
}

/// The object of a line of a visible order.
pub fn detail(row: Arc<OrderDetailRow>, order: Arc<OrderRow>) -> OrderDetail {
    OrderDetail { row, order, product: None }
}

resource! {
    OrderDetail by OrderDetailId of OrderDetailRow,
    |conn, context, ids| orders::store::lines_by_ids(conn, &ids), row => row.id,
    |all, row| all.row(row.order_id).await?.map(|order| detail(row, order)),
}

/// A line of an order.
#[object]
impl OrderDetail {
    /// Opaque id, unique across all types.
    pub fn id(&self) -> ID {
        global_id(self.row.id)
    }

    /// Whose line.
    fn order(&self) -> Order {
        order(Arc::clone(&self.order))
    }

    /// What was sold, as it is today; it stays when it is not for sale any more.
    async fn product(&self, ctx: &Context<'_>) -> Result<Product> {
        if let Some(row) = &self.product {
            return Ok(product(Arc::clone(row)));
        }
        let row = ctx.loaders().load::<UnscopedProducts>(self.row.product_id).await?;
        row.map(product).ok_or_else(|| Error::Internal("a line without its product".into()))
    }

    /// Its name as sold.
    fn name(&self) -> &str {
        &self.row.name
    }

    /// Its SKU as sold.
    fn sku(&self) -> &str {
        &self.row.sku
    }

    /// Pieces.
    fn quantity(&self) -> i32 {
        self.row.quantity
    }

    /// Pieces that are on their way or have arrived.
    fn shipped_quantity(&self) -> i32 {
        self.row.shipped(self.order.status)
    }

    /// Pieces that are asked to go back or came back, but those of rejected returns.
    fn returned_quantity(&self) -> i32 {
        self.row.returned_quantity
    }

    /// Price of one as sold.
    #[graphql(eager)]
    async fn unit_price(&self, ctx: &Context<'_>) -> Result<Money> {
        Ok(money(self.row.unit_price, ctx.currency(self.order.source_website_id).await?))
    }

    /// Quantity times unit price.
    #[graphql(eager)]
    async fn total_price(&self, ctx: &Context<'_>) -> Result<Money> {
        Ok(money(self.row.total_price, ctx.currency(self.order.source_website_id).await?))
    }

    /// When the line was added to the order (UTC).
    fn created_at(&self) -> DateTime<Utc> {
        self.row.created_at
    }

    /// When the line was last changed (UTC).
    fn updated_at(&self) -> DateTime<Utc> {
        self.row.updated_at
    }
}
