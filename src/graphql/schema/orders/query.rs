//! Filters, sort orders and queries of order lists, and prefetching of their related objects.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use async_graphql::{Context, ID, InputObject};
use souk_macros::object;

use crate::{
    auth::{Permission, Scope, Viewer},
    db::filter::{Filter, Op},
    error::{Error, ErrorCode, Result},
    graphql::{
        engine::{
            connections::{Connection, connection, read_page},
            filters::{DateTimeFilter, FilterBuilder, IdFilter, PriceFilter, StringFilter},
            guards::LoginGuard,
            list_args::{ListArgs, OrderBy, build_list, order_by, where_input},
        },
        schema::{
            context::{ContextExt, Services},
            nested_lists::connection_of,
            orders::{Order, OrderDetail, OrderPages, Prefetched, order},
            prices::{AmountWhere, PriceScope, TOTAL_AMOUNTS, amount_where},
            websites::WebsiteFilter,
        },
    },
    ids::{CodeOrId, OrderId, ProductId, RowId, UserId, WebsiteId},
    orders::{
        actions,
        model::{OrderCondition, OrderOrderField, OrderParent, OrderRow, PaymentStatus, Status},
        store::{self, OrderList},
    },
    paging::{Cursor, Direction, Rows},
    products::{self, model::ProductRow},
    users::{self, model::UserRow},
};

/// Filter by order status; conditions are combined with AND.
#[derive(Debug, Default, InputObject)]
pub struct OrderStatusFilter {
    /// Matches this value.
    eq: Option<Status>,
    /// Matches any of these values (at most 100).
    r#in: Option<Vec<Status>>,
}

/// Filter by payment status; conditions are combined with AND.
#[derive(Debug, Default, InputObject)]
pub struct OrderPaymentStatusFilter {
    /// Matches this value.
    eq: Option<PaymentStatus>,
    /// Matches any of these values (at most 100).
    r#in: Option<Vec<PaymentStatus>>,
}

where_input! {
    /// Filters for orders; conditions are combined with AND.
    OrderWhere {
        /// Filter by ID.
        id: Option<IdFilter>,
        /// Filter by order number.
        order_number: Option<StringFilter>,
        /// Filter by order status.
        status: Option<OrderStatusFilter>,
        /// Filter by payment status. `FORBIDDEN` for sellers.
        payment_status: Option<OrderPaymentStatusFilter>,
        /// Filter by the contact's email address; upper and lower case match each other. `FORBIDDEN` for sellers.
        contact_email: Option<StringFilter>,
        /// Filter by the contact's name. `FORBIDDEN` for sellers.
        contact_name: Option<StringFilter>,
        /// Filter by the country of the shipping address: its ISO 3166-1 alpha-2 code, in upper or lower case; ZZ if it is not known.
        shipping_country: Option<StringFilter>,
        /// Filter by the products of the order's lines that the viewer sees; `isNull: true` matches orders without
        /// lines.
        product: Option<IdFilter>,
        /// Filter by customer; `isNull: true` matches guest orders. A customer who is not visible to the viewer counts as a
        /// guest.
        user: Option<IdFilter>,
        /// Filter by website.
        source_website: Option<WebsiteFilter>,
        /// Filter by total amount, within one currency. `FORBIDDEN` for sellers.
        total_amount: Option<PriceFilter>,
        /// Filter by the time when the order was placed.
        placed_at: Option<DateTimeFilter>,
        /// Filter by the time when the order was last updated.
        updated_at: Option<DateTimeFilter>,
    }
}

impl OrderWhere {
    /// Returns whether the filter is by fields that sellers do not see of the orders with their lines. They see the country
    /// only until an order is canceled.
    fn is_hidden_from_sellers(&self) -> bool {
        self.payment_status.is_some()
            || self.contact_email.is_some()
            || self.contact_name.is_some()
            || self.total_amount.is_some()
            || self.shipping_country.is_some()
    }

    /// Converts the filter for this viewer.
    fn filter(self, viewer: &Viewer, amounts: &PriceScope) -> Result<Filter<OrderCondition>> {
        use OrderCondition as C;
        let amounts = amounts.narrowed(&self);
        let nested = |nested: Self| nested.filter(viewer, &amounts);
        let mut filter = FilterBuilder::with_nested(self.and, self.or, self.not, nested)?;
        filter.id("id", self.id, C::Id)?;
        filter.text("orderNumber", self.order_number, C::Number)?;
        let status = self.status.unwrap_or_default();
        filter.choice("status", status.eq, status.r#in, C::Status)?;
        let payment = self.payment_status.unwrap_or_default();
        filter.choice("paymentStatus", payment.eq, payment.r#in, C::PaymentStatus)?;
        filter.text("contactEmail", self.contact_email, C::ContactEmail)?;
        filter.text("contactName", self.contact_name, C::ContactName)?;
        filter.text("shippingCountry", self.shipping_country, |op| C::ShippingCountry(upper_case(op)))?;
        let (orders, users) = (viewer.scope(Permission::ManageOrders), viewer.scope(Permission::ManageUsers));
        filter.id("product", self.product, |product| C::Product(orders.clone(), product))?;
        filter.id("user", self.user, |user| C::User(users.clone(), user))?;
        WebsiteFilter::add(self.source_website, &mut filter, "sourceWebsite", C::SourceWebsite)?;
        amounts.add(&TOTAL_AMOUNTS, self.total_amount, &mut filter, C::TotalAmount, C::SourceWebsite)?;
        filter.time(self.placed_at, C::PlacedAt);
        filter.time(self.updated_at, C::UpdatedAt);
        filter.build()
    }
}

/// Codes are stored in upper case; the other operators ignore case.
fn upper_case(op: Op<String>) -> Op<String> {
    match op {
        Op::Eq(code) => Op::Eq(code.to_ascii_uppercase()),
        Op::In(codes) => Op::In(codes.into_iter().map(|code| code.to_ascii_uppercase()).collect()),
        other => other,
    }
}

amount_where! { OrderWhere by total_amount }

order_by! {
    /// Sort order of orders.
    OrderOrder by OrderOrderField
}

/// Reads the arguments of a list of orders, of one website or of all; the default order is newest first.
/// # Errors
/// Returns user errors that name the argument.
pub async fn list_from_args(
    ctx: &Context<'_>,
    list_args: ListArgs<OrderWhere, OrderOrder>,
    website: Option<WebsiteId>,
) -> Result<OrderList> {
    let filter = list_args.filter.unwrap_or_default();
    let order = list_args.order.map_or((OrderOrderField::PlacedAt, Direction::Desc), OrderBy::into_parts);
    let is_by_amount = order.0 == OrderOrderField::TotalAmount;
    let is_by_hidden = is_by_amount || filter.any(&OrderWhere::is_hidden_from_sellers);
    if is_by_hidden && matches!(ctx.viewer().scope(Permission::ManageOrders), Scope::Seller { .. }) {
        let rule = "sellers cannot filter or sort orders by contact, country, payment status or total";
        return Err(Error::Coded(ErrorCode::Forbidden, rule.into()));
    }
    let amounts = match is_by_amount || filter.any(&|it| it.total_amount.is_some()) {
        true => PriceScope::of_list(ctx, &filter, website).await?,
        false => PriceScope::default(),
    };
    if is_by_amount {
        amounts.check_order(&TOTAL_AMOUNTS, &filter)?;
    }
    build_list(list_args.page, filter.filter(ctx.viewer(), &amounts)?, order, OrderOrderField::list)
}

fn cursor(list: &OrderList, row: &OrderRow) -> Cursor {
    Cursor::new(list.page.list, list.order.key(row), row.id.key())
}

/// Returns the orders of a user or website, batched over all parents.
/// # Errors
/// Returns the errors of the statements.
pub async fn of_parent(ctx: &Context<'_>, parent: OrderParent, id: i64, list: OrderList) -> Result<Connection<Order>> {
    connection_of::<OrderPages, _>(ctx, parent, id, list, cursor, order).await
}

/// Loads the related objects that are selected below a list of orders together with the list. The statements are the
/// same as those of the loaders, without a loader call for each row: the order list is the busiest list of an admin
/// app.
async fn prefetch_related(ctx: &Context<'_>, rows: Vec<OrderRow>) -> Result<Vec<Order>> {
    let (nodes, edges) = (ctx.look_ahead().field("nodes"), ctx.look_ahead().field("edges").field("node"));
    let selects = |field: &str| nodes.field(field).exists() || edges.field(field).exists();
    let selects_product =
        nodes.field("details").field("product").exists() || edges.field("details").field("product").exists();
    let rows: Vec<Arc<OrderRow>> = rows.into_iter().map(Arc::new).collect();
    let users = async {
        match selects("user") {
            true => load_users(ctx, &rows).await.map(Some),
            false => Ok(None),
        }
    };
    let details = async {
        match selects("details") {
            true => load_details(ctx, &rows, selects_product).await.map(Some),
            false => Ok(None),
        }
    };
    let (users, mut details) = futures_util::future::try_join(users, details).await?;
    let complete = |row: Arc<OrderRow>| {
        let user = users.as_ref().map(|users| row.user_id.and_then(|id| users.get(&id).cloned()));
        let details = details.as_mut().map(|details| Arc::from(details.remove(&row.id).unwrap_or_default()));
        Order { row, prefetched: Prefetched { user, details }, is_found_by_email: false }
    };
    Ok(rows.into_iter().map(complete).collect())
}

async fn load_users(ctx: &Context<'_>, rows: &[Arc<OrderRow>]) -> Result<HashMap<UserId, Arc<UserRow>>> {
    let ids: BTreeSet<UserId> = rows.iter().filter_map(|row| row.user_id).collect();
    let ids: Vec<UserId> = ids.into_iter().collect();
    let scope = ctx.viewer().scope(Permission::ManageUsers);
    let users = ctx.db().read(async |conn| users::store::by_ids(conn, &scope, &ids).await).await?;
    Ok(users.into_iter().map(|row| (row.id, Arc::new(row))).collect())
}

async fn load_details(
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
        let found = ctx.db().read(async |conn| products::store::by_ids_including_inactive(conn, &ids).await).await?;
        products.extend(found.into_iter().map(|row| (row.id, Arc::new(row))));
    }
    let orders: HashMap<OrderId, &Arc<OrderRow>> = rows.iter().map(|row| (row.id, row)).collect();
    let mut details: HashMap<OrderId, Vec<OrderDetail>> = HashMap::new();
    for line in lines {
        let Some(row) = orders.get(&line.order_id) else { continue };
        let product = products.get(&line.product_id).cloned();
        let (order, row) = (order(Arc::clone(row)), Arc::new(line));
        if !order.shows_line(ctx.viewer(), &row) {
            continue;
        }
        let detail = OrderDetail { order, product, row };
        details.entry(detail.row.order_id).or_default().push(detail);
    }
    Ok(details)
}

/// Query root for orders.
#[derive(Default)]
pub struct OrderQuery;

#[object]
impl OrderQuery {
    /// Returns an order by exactly one of these keys: its ID, or its number together with the email address of its
    /// contact. By ID, customers see their own orders, sellers also orders that contain their products, staff all orders.
    /// By number and email address, everyone finds the order of a guest and sees what the guest sees with the cart token.
    /// Null if the order does not exist or is not visible to the viewer. After too many failed lookups by number from one
    /// client, or of one number (by default ten within 15 minutes), further ones fail with `RATE_LIMITED`, and
    /// `extensions.retryAfter` is the number of seconds to wait.
    async fn order(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "ID of the order.")] id: Option<ID>,
        #[graphql(desc = "Number of the order, such as `SAILOR-1013`; requires `email`.")] order_number: Option<String>,
        #[graphql(desc = "Email address of the order's contact; upper and lower case match each other.")] email: Option<
            String,
        >,
        #[graphql(desc = "Code or ID of the order's website, if several websites have orders of this number.")]
        website: Option<String>,
    ) -> Result<Option<Order>> {
        let (number, email) = match (id, order_number, email) {
            (Some(id), None, None) if website.is_none() => {
                return Ok(ctx.loaders().row(OrderId::parse("id", &id)?).await?.map(order));
            }
            (None, Some(number), Some(email)) => (number, email),
            _ => return Err(Error::bad_input("id", "give either `id`, or `orderNumber` with `email`")),
        };
        let website = website.as_deref().map(CodeOrId::new);
        let Services { db, attempts, .. } = ctx.services();
        let (viewer, origin) = (ctx.viewer(), ctx.origin());
        let found =
            actions::find_by_number_and_email(db, attempts, viewer, origin, &number, &email, website.as_ref()).await?;
        // Staff find the orders of users, too, of which they see what they see by ID.
        Ok(found.map(|row| Order { is_found_by_email: row.user_id.is_none(), ..order(row) }))
    }

    /// Lists the orders that the viewer may see, newest first by default. Customers see their own orders, sellers also
    /// orders that contain their products, staff all orders. Requires login.
    #[graphql(guard = "LoginGuard")]
    async fn orders(
        &self,
        ctx: &Context<'_>,
        list_args: ListArgs<OrderWhere, OrderOrder>,
    ) -> Result<Connection<Order>> {
        let list = list_from_args(ctx, list_args, None).await?;
        let scope = ctx.viewer().scope(Permission::ManageOrders);
        let plans = store::plans(&scope, &list);
        let rows = ctx.db().read_with(plans, async |conn| store::dated::page(conn, &scope, &list).await);
        let count = ctx.db().read_with(plans, async |conn| store::count(conn, &scope, &list).await);
        let (rows, total) = read_page(ctx, &list.page, rows, count).await?;
        let Rows { rows, has_next, has_previous } = rows;
        let rows = prefetch_related(ctx, rows).await?;
        let cursor_of = |order: &Order| cursor(&list, &order.row);
        Ok(connection(Rows { rows, has_next, has_previous }, total, cursor_of, |order| order))
    }
}
