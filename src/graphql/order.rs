//! Orders and their lines in the graph.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use async_graphql::{Context, ID, InputObject, Object};
use chrono::{DateTime, Utc};

use super::{
    connection::{Connection, connect, cost, list, nested, wants_total},
    container::{Ordered, Plain},
    context::ContextExt,
    filters::{Conditions, DateTimeFilter, DecimalFilter, IdFilter, StringFilter},
    guards::{LoggedIn, Needs},
    loaders::PageKey,
    payload::payload,
    product::{Product, optional_id, product},
    scalars::{Money, global, money},
    user::{User, user},
    website::{Website, website},
};
use crate::{
    auth::Permission,
    db::filter::{Filter, Op},
    error::{Error, Result},
    ids::{OrderDetailId, OrderId, ProductId, RowId, UserId},
    orders::{
        actions,
        model::{OrderCondition, OrderDetailRow, OrderOrderField, OrderParent, OrderRow, Shipping, Status},
        store::{self, OrderList},
    },
    paging::{Cursor, Direction, Rows},
    products::{self, model::ProductRow},
    users::{self, model::UserRow},
};

/// See [`OrderObject`].
pub type Order = Ordered<OrderObject>;

/// What a customer bought at one website.
#[derive(Clone)]
pub struct OrderObject {
    row: Arc<OrderRow>,
    /// What the list fetched along with its rows; absent where the loaders are to be asked.
    fetched: Fetched,
}

#[derive(Clone, Default)]
struct Fetched {
    user: Option<Option<Arc<UserRow>>>,
    details: Option<Arc<[OrderDetail]>>,
}

impl Plain for OrderObject {
    const PLAIN: &'static [&'static str] =
        &["id", "orderNumber", "status", "totalAmount", "shippingAddress", "placedAt", "createdAt", "updatedAt"];
}

/// The object of a row.
pub fn order(row: impl Into<Arc<OrderRow>>) -> Order {
    Ordered(OrderObject { row: row.into(), fetched: Fetched::default() })
}

/// What a customer bought at one website.
#[Object(name = "Order")]
impl OrderObject {
    /// Opaque id, unique across all types.
    pub async fn id(&self) -> ID {
        global(self.row.id)
    }

    /// Number for people, unique at the website.
    async fn order_number(&self) -> &str {
        &self.row.order_number
    }

    /// Where it stands.
    async fn status(&self) -> Status {
        self.row.status
    }

    /// Sum of its lines.
    async fn total_amount(&self, ctx: &Context<'_>) -> Result<Money> {
        Ok(money(self.row.total_amount, ctx.currency(self.row.source_website_id).await?))
    }

    /// Who placed it; null for guests that an import brought, and where you may not see them.
    async fn user(&self, ctx: &Context<'_>) -> Result<Option<User>> {
        if let Some(row) = &self.fetched.user {
            return Ok(row.clone().map(user));
        }
        let Some(id) = self.row.user_id else { return Ok(None) };
        Ok(ctx.loaders().users.load(id).await?.map(user))
    }

    /// The website it was placed at.
    async fn source_website(&self, ctx: &Context<'_>) -> Result<Website> {
        let row = ctx.loaders().websites.load(self.row.source_website_id).await?;
        row.map(website).ok_or_else(|| Error::Internal("an order without its website".into()))
    }

    /// Its lines, in the order they were added: at most 500 for an order placed here.
    #[graphql(complexity = "10 * child_complexity")]
    async fn details(&self, ctx: &Context<'_>) -> Result<Vec<OrderDetail>> {
        if let Some(details) = &self.fetched.details {
            return Ok(details.to_vec());
        }
        let rows = ctx.loaders().details_by_order.load(self.row.id).await?;
        let order = &self.row;
        Ok(rows.iter().flat_map(|rows| rows.iter()).map(|row| detail(Arc::clone(row), Arc::clone(order))).collect())
    }

    /// Where it goes: the address as it was when the order was placed; null where none was given.
    async fn shipping_address(&self) -> Option<ShippingAddress> {
        self.row.shipping.ship_country.is_some().then(|| Ordered(ShippingAddressObject(self.row.shipping.clone())))
    }

    /// When it was placed.
    async fn placed_at(&self) -> DateTime<Utc> {
        self.row.placed_at
    }

    /// When it came into this database; later than `placedAt` for imported orders.
    async fn created_at(&self) -> DateTime<Utc> {
        self.row.created_at
    }

    /// When it was last changed.
    async fn updated_at(&self) -> DateTime<Utc> {
        self.row.updated_at
    }
}

/// See [`ShippingAddressObject`].
pub type ShippingAddress = Ordered<ShippingAddressObject>;

/// Where an order goes.
pub struct ShippingAddressObject(Shipping);

impl Plain for ShippingAddressObject {
    const PLAIN: &'static [&'static str] = &["country", "city", "district", "address", "postalCode"];
}

/// Where an order goes: a copy of the customer's address, made when the order was placed.
#[Object(name = "ShippingAddress")]
impl ShippingAddressObject {
    /// Country.
    async fn country(&self) -> Option<&str> {
        self.0.ship_country.as_deref()
    }

    /// City or town.
    async fn city(&self) -> Option<&str> {
        self.0.ship_city.as_deref()
    }

    /// District, county or state.
    async fn district(&self) -> Option<&str> {
        self.0.ship_district.as_deref()
    }

    /// Street, number and what else leads to the door.
    async fn address(&self) -> Option<&str> {
        self.0.ship_address.as_deref()
    }

    /// Postal code.
    async fn postal_code(&self) -> Option<&str> {
        self.0.ship_postal_code.as_deref()
    }
}

/// See [`OrderDetailObject`].
pub type OrderDetail = Ordered<OrderDetailObject>;

/// A line of an order.
#[derive(Clone)]
pub struct OrderDetailObject {
    row: Arc<OrderDetailRow>,
    order: Arc<OrderRow>,
    /// What the list fetched along with its rows; absent where the loader is to be asked.
    product: Option<Arc<ProductRow>>,
}

impl Plain for OrderDetailObject {
    const PLAIN: &'static [&'static str] = &["id", "name", "sku", "quantity", "unitPrice", "totalPrice", "order"];
}

/// The object of a line of a visible order.
pub fn detail(row: Arc<OrderDetailRow>, order: Arc<OrderRow>) -> OrderDetail {
    Ordered(OrderDetailObject { row, order, product: None })
}

/// A line of an order.
#[Object(name = "OrderDetail")]
impl OrderDetailObject {
    /// Opaque id, unique across all types.
    pub async fn id(&self) -> ID {
        global(self.row.id)
    }

    /// Whose line.
    async fn order(&self) -> Order {
        order(Arc::clone(&self.order))
    }

    /// What was sold, as it is today; it stays when it is not for sale any more.
    async fn product(&self, ctx: &Context<'_>) -> Result<Product> {
        if let Some(row) = &self.product {
            return Ok(product(Arc::clone(row)));
        }
        let row = ctx.loaders().products_as_sold.load(self.row.product_id).await?;
        row.map(product).ok_or_else(|| Error::Internal("a line without its product".into()))
    }

    /// Its name as sold.
    async fn name(&self) -> &str {
        &self.row.name
    }

    /// Its SKU as sold.
    async fn sku(&self) -> &str {
        &self.row.sku
    }

    /// Pieces.
    async fn quantity(&self) -> i32 {
        self.row.quantity
    }

    /// Price of one as sold.
    async fn unit_price(&self, ctx: &Context<'_>) -> Result<Money> {
        Ok(money(self.row.unit_price, ctx.currency(self.order.source_website_id).await?))
    }

    /// Quantity times unit price.
    async fn total_price(&self, ctx: &Context<'_>) -> Result<Money> {
        Ok(money(self.row.total_price, ctx.currency(self.order.source_website_id).await?))
    }
}

/// Conditions on a status. Both hold together.
#[derive(Debug, Default, InputObject)]
pub struct OrderStatusFilter {
    /// It is this one.
    eq: Option<Status>,
    /// It is one of these.
    r#in: Option<Vec<Status>>,
}

/// Which orders. Several fields hold together.
#[derive(Debug, Default, InputObject)]
pub struct OrderWhere {
    /// All of these hold.
    and: Option<Vec<OrderWhere>>,
    /// At least one of these holds.
    or: Option<Vec<OrderWhere>>,
    /// This does not hold.
    not: Option<Box<OrderWhere>>,
    /// By id.
    id: Option<IdFilter>,
    /// By number.
    order_number: Option<StringFilter>,
    /// By status.
    status: Option<OrderStatusFilter>,
    /// By customer; `isNull: true` for guests.
    user: Option<IdFilter>,
    /// By website.
    source_website: Option<IdFilter>,
    /// By total, without regard to the currency.
    total_amount: Option<DecimalFilter>,
    /// By when it was placed.
    placed_at: Option<DateTimeFilter>,
}

impl OrderWhere {
    fn filter(self) -> Result<Filter<OrderCondition>> {
        use OrderCondition as C;
        let mut all = Conditions::nested(self.and, self.or, self.not, Self::filter)?;
        all.id("id", self.id, C::Id)?;
        all.text("orderNumber", self.order_number, C::Number)?;
        let status = self.status.unwrap_or_default();
        all.is(status.eq.map(|status| C::Status(Op::Eq(status))));
        all.is(status.r#in.map(|any| C::Status(Op::In(any))));
        all.id("user", self.user, C::User)?;
        all.id("sourceWebsite", self.source_website, C::SourceWebsite)?;
        all.decimal(self.total_amount, C::TotalAmount);
        all.time(self.placed_at, C::PlacedAt);
        all.all()
    }
}

/// The order of a list of orders.
#[derive(Debug, InputObject)]
pub struct OrderOrder {
    /// By what.
    field: OrderOrderField,
    /// Which way.
    #[graphql(default)]
    direction: Direction,
}

/// Reads the arguments of a list of orders; the latest come first by default.
/// # Errors
/// User errors naming the argument.
pub fn list_of(
    first: Option<i32>,
    after: Option<String>,
    last: Option<i32>,
    before: Option<String>,
    filter: Option<OrderWhere>,
    order: Option<OrderOrder>,
) -> Result<OrderList> {
    let order = order.map_or((OrderOrderField::PlacedAt, Direction::Desc), |by| (by.field, by.direction));
    list(first, after, last, before, filter.unwrap_or_default().filter()?, order, OrderOrderField::list)
}

fn cursor(list: &OrderList, row: &OrderRow) -> Cursor {
    Cursor::new(list.page.list, list.order.key(row), row.id.key())
}

/// The orders of a user or website, batched over all of them.
/// # Errors
/// Those of the statements.
pub async fn of_parent(ctx: &Context<'_>, parent: OrderParent, id: i64, list: OrderList) -> Result<Connection<Order>> {
    let list = Arc::new(list);
    let key = PageKey { parent, id, list: Arc::clone(&list) };
    nested(ctx, &ctx.loaders().orders_of, key, |row| cursor(&list, row), order).await
}

/// Fetches what is selected below a list of orders with the list itself: the same statements as the loaders would send,
/// without asking them row by row. The list of orders is the busiest of an admin screen.
async fn fetch_along(ctx: &Context<'_>, rows: Vec<OrderRow>) -> Result<Vec<Order>> {
    let (nodes, edges) = (ctx.look_ahead().field("nodes"), ctx.look_ahead().field("edges").field("node"));
    let selects = |field: &str| nodes.field(field).exists() || edges.field(field).exists();
    let selects_product =
        nodes.field("details").field("product").exists() || edges.field("details").field("product").exists();
    let rows: Vec<Arc<OrderRow>> = rows.into_iter().map(Arc::new).collect();
    let users = async {
        match selects("user") {
            true => users_of(ctx, &rows).await.map(Some),
            false => Ok(None),
        }
    };
    let details = async {
        match selects("details") {
            true => details_of(ctx, &rows, selects_product).await.map(Some),
            false => Ok(None),
        }
    };
    let (users, mut details) = futures_util::future::try_join(users, details).await?;
    let complete = |row: Arc<OrderRow>| {
        let user = users.as_ref().map(|users| row.user_id.and_then(|id| users.get(&id).cloned()));
        let details = details.as_mut().map(|details| Arc::from(details.remove(&row.id).unwrap_or_default()));
        Ordered(OrderObject { row, fetched: Fetched { user, details } })
    };
    Ok(rows.into_iter().map(complete).collect())
}

async fn users_of(ctx: &Context<'_>, rows: &[Arc<OrderRow>]) -> Result<HashMap<UserId, Arc<UserRow>>> {
    let ids: BTreeSet<UserId> = rows.iter().filter_map(|row| row.user_id).collect();
    let ids: Vec<UserId> = ids.into_iter().collect();
    let scope = ctx.viewer().scope(Permission::ManageUsers);
    let users = ctx.db().read(async |conn| users::store::by_ids(conn, scope, &ids).await).await?;
    Ok(users.into_iter().map(|row| (row.id, Arc::new(row))).collect())
}

async fn details_of(
    ctx: &Context<'_>,
    rows: &[Arc<OrderRow>],
    with_products: bool,
) -> Result<HashMap<OrderId, Vec<OrderDetail>>> {
    let ids: Vec<OrderId> = rows.iter().map(|row| row.id).collect();
    let lines = ctx.db().read(async |conn| store::lines_by_order_ids(conn, &ids).await).await?;
    let mut products: HashMap<ProductId, Arc<ProductRow>> = HashMap::new();
    if with_products {
        let ids: BTreeSet<ProductId> = lines.iter().map(|line| line.product_id).collect();
        let ids: Vec<ProductId> = ids.into_iter().collect();
        let found = ctx.db().read(async |conn| products::store::by_ids_as_sold(conn, &ids).await).await?;
        products.extend(found.into_iter().map(|row| (row.id, Arc::new(row))));
    }
    let orders: HashMap<OrderId, &Arc<OrderRow>> = rows.iter().map(|row| (row.id, row)).collect();
    let mut details: HashMap<OrderId, Vec<OrderDetail>> = HashMap::new();
    for line in lines {
        let Some(order) = orders.get(&line.order_id) else { continue };
        let product = products.get(&line.product_id).cloned();
        let detail = OrderDetailObject { order: Arc::clone(order), product, row: Arc::new(line) };
        details.entry(detail.row.order_id).or_default().push(Ordered(detail));
    }
    Ok(details)
}

/// Queries of orders.
#[derive(Default)]
pub struct OrderQuery;

#[Object]
impl OrderQuery {
    /// One order that you may see: your own, for sellers also one that holds their products, for staff any. Null
    /// otherwise.
    async fn order(&self, ctx: &Context<'_>, #[graphql(desc = "Its id.")] id: ID) -> Result<Option<Order>> {
        let id = OrderId::parse("id", &id)?;
        Ok(ctx.loaders().orders.load(id).await?.map(order))
    }

    /// The orders that you may see, by default the latest first: your own, for sellers also those that hold their
    /// products, for staff all. Requires being logged in.
    #[graphql(complexity = "cost(first, last, child_complexity)", guard = "LoggedIn")]
    async fn orders(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Rows from the start of the list, 1 to 100; 20 where neither `first` nor `last` is given.")]
        first: Option<i32>,
        #[graphql(desc = "Only rows behind this cursor.")] after: Option<String>,
        #[graphql(desc = "Rows from the end of the list, 1 to 100; not together with `first`.")] last: Option<i32>,
        #[graphql(desc = "Only rows before this cursor.")] before: Option<String>,
        #[graphql(desc = "Only rows for which this holds.")] r#where: Option<OrderWhere>,
        #[graphql(desc = "In which order; the id breaks ties.")] order_by: Option<OrderOrder>,
    ) -> Result<Connection<Order>> {
        let list = list_of(first, after, last, before, r#where, order_by)?;
        let scope = ctx.viewer().scope(Permission::ManageOrders);
        let total = async {
            if !wants_total(ctx) {
                return Ok(None);
            }
            ctx.db().read(async |conn| store::count(conn, scope, &list).await).await.map(Some)
        };
        let rows = ctx.db().read(async |conn| store::page(conn, scope, &list).await);
        let (rows, total) = futures_util::future::try_join(rows, total).await?;
        let Rows { rows, has_next, has_previous } = list.page.finish(rows);
        let rows = fetch_along(ctx, rows).await?;
        let place = |order: &Order| cursor(&list, &order.row);
        Ok(connect(Rows { rows, has_next, has_previous }, total, place, |order| order))
    }
}

/// A line of an order to be.
#[derive(Debug, InputObject)]
pub struct OrderLineInput {
    /// Which product.
    product_id: ID,
    /// Pieces, 1 to 1,000,000.
    quantity: i32,
}

/// An order to be.
#[derive(Debug, InputObject)]
pub struct OrderCreateInput {
    /// What to buy, 1 to 500 lines, all of one website; the same product twice counts together.
    lines: Vec<OrderLineInput>,
    /// Where it goes; your default address where absent.
    address_id: Option<ID>,
    /// Makes sending it again safe: the same key with the same input answers the same order. 1 to 200 characters, for
    /// example a UUID that the checkout page made.
    idempotency_key: String,
}

/// A line to add to a pending order.
#[derive(Debug, InputObject)]
pub struct OrderDetailAddInput {
    /// To which order.
    order_id: ID,
    /// Which product, at today's price.
    product_id: ID,
    /// Pieces, 1 to 1,000,000.
    quantity: i32,
}

/// A change of a line of a pending order.
#[derive(Debug, InputObject)]
pub struct OrderDetailUpdateInput {
    /// Which line.
    id: ID,
    /// Pieces, 1 to 1,000,000.
    quantity: i32,
}

/// A line to take off a pending order.
#[derive(Debug, InputObject)]
pub struct OrderDetailRemoveInput {
    /// Which line.
    id: ID,
}

/// A move of an order.
#[derive(Debug, InputObject)]
pub struct OrderStatusUpdateInput {
    /// Which order.
    id: ID,
    /// Where to: PENDING to CONFIRMED to SHIPPED to DELIVERED, or from the first two to CANCELLED.
    status: Status,
}

/// Which order to cancel.
#[derive(Debug, InputObject)]
pub struct OrderCancelInput {
    /// Which order.
    id: ID,
}

payload! {
    /// The answer of `orderCreate`.
    OrderCreatePayload / OrderCreateObject {
        /// The new order, or the one that was placed with the same key before.
        order: Order
    }
}
payload! {
    /// The answer of `orderDetailAdd`.
    OrderDetailAddPayload / OrderDetailAddObject {
        /// The order as it is now.
        order: Order
    }
}
payload! {
    /// The answer of `orderDetailUpdate`.
    OrderDetailUpdatePayload / OrderDetailUpdateObject {
        /// The order as it is now.
        order: Order
    }
}
payload! {
    /// The answer of `orderDetailRemove`.
    OrderDetailRemovePayload / OrderDetailRemoveObject {
        /// The order as it is now.
        order: Order
    }
}
payload! {
    /// The answer of `orderStatusUpdate`.
    OrderStatusUpdatePayload / OrderStatusUpdateObject {
        /// The order as it is now.
        order: Order
    }
}
payload! {
    /// The answer of `orderCancel`.
    OrderCancelPayload / OrderCancelObject {
        /// The order, cancelled, its stock back.
        order: Order
    }
}

impl OrderCreateInput {
    fn request(self) -> Result<(actions::OrderRequest, String)> {
        let lines = self.lines.iter().enumerate().map(|(index, line)| {
            Ok((ProductId::parse(&format!("lines.{index}.productId"), &line.product_id)?, line.quantity))
        });
        let lines = lines.collect::<Result<_>>()?;
        let address = optional_id("addressId", self.address_id)?;
        Ok((actions::OrderRequest { lines, address }, self.idempotency_key))
    }
}

/// Mutations of orders.
#[derive(Default)]
pub struct OrderMutation;

#[Object]
impl OrderMutation {
    /// Places an order: takes the stock and copies prices, names and the address, all or nothing. Requires being logged
    /// in.
    #[graphql(guard = "LoggedIn")]
    async fn order_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The order to be.")] input: OrderCreateInput,
    ) -> Result<OrderCreatePayload> {
        let created = async {
            let (request, key) = input.request()?;
            actions::create(ctx.db(), ctx.viewer(), request, key).await
        };
        OrderCreateObject::of(created.await.map(order))
    }

    /// Adds a line to a pending order: your own, with MANAGE_ORDERS any. Requires being logged in.
    #[graphql(guard = "LoggedIn")]
    async fn order_detail_add(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The line.")] input: OrderDetailAddInput,
    ) -> Result<OrderDetailAddPayload> {
        let added = async {
            let id = OrderId::parse("orderId", &input.order_id)?;
            let product = ProductId::parse("productId", &input.product_id)?;
            actions::add_line(ctx.db(), ctx.viewer(), id, product, input.quantity).await
        };
        OrderDetailAddObject::of(added.await.map(order))
    }

    /// Changes the pieces of a line of a pending order, at the price agreed: your own, with MANAGE_ORDERS any. Requires
    /// being logged in.
    #[graphql(guard = "LoggedIn")]
    async fn order_detail_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The change.")] input: OrderDetailUpdateInput,
    ) -> Result<OrderDetailUpdatePayload> {
        let updated = async {
            let id = OrderDetailId::parse("id", &input.id)?;
            actions::update_line(ctx.db(), ctx.viewer(), id, input.quantity).await
        };
        OrderDetailUpdateObject::of(updated.await.map(order))
    }

    /// Takes a line off a pending order, but not the last one: your own, with MANAGE_ORDERS any. Requires being logged in.
    #[graphql(guard = "LoggedIn")]
    async fn order_detail_remove(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which line.")] input: OrderDetailRemoveInput,
    ) -> Result<OrderDetailRemovePayload> {
        let removed = async {
            let id = OrderDetailId::parse("id", &input.id)?;
            actions::remove_line(ctx.db(), ctx.viewer(), id).await
        };
        OrderDetailRemoveObject::of(removed.await.map(order))
    }

    /// Moves an order along. Requires MANAGE_ORDERS, or SELL_PRODUCTS where it holds one's products.
    #[graphql(guard = "Needs(&[Permission::ManageOrders, Permission::SellProducts])")]
    async fn order_status_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The move.")] input: OrderStatusUpdateInput,
    ) -> Result<OrderStatusUpdatePayload> {
        let updated = async {
            let id = OrderId::parse("id", &input.id)?;
            actions::update_status(ctx.db(), ctx.viewer(), id, input.status).await
        };
        OrderStatusUpdateObject::of(updated.await.map(order))
    }

    /// Cancels an order and puts its stock back: your own while it is pending, with MANAGE_ORDERS any until it is shipped.
    /// Requires being logged in.
    #[graphql(guard = "LoggedIn")]
    async fn order_cancel(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which order.")] input: OrderCancelInput,
    ) -> Result<OrderCancelPayload> {
        let cancelled = async {
            let id = OrderId::parse("id", &input.id)?;
            actions::cancel(ctx.db(), ctx.viewer(), id).await
        };
        OrderCancelObject::of(cancelled.await.map(order))
    }
}
