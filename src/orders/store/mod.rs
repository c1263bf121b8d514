//! All SQL statements on orders and their lines.
//! Scopes: `All` sees every order; a user their own; a seller also those with their products; staff of some websites
//! also those of these websites; a guest those placed with their cart token; the public none.

pub mod bulk;
pub mod confirmations;
pub mod dated;
pub mod email_confirmations;
pub mod events;
mod export;
pub mod history;
mod numbers;
pub mod placement;
pub mod returns;
pub mod shipments;
pub mod unpaid;

use chrono::{DateTime, Utc};
use diesel::{
    dsl::{array, exists, not, now, sql},
    prelude::*,
    sql_types::{Jsonb, Nullable},
};
use diesel_async::RunQueryDsl;
use rust_decimal::Decimal;

pub use self::{
    export::ORDERS,
    numbers::{next_number, next_numbers},
};
use super::model::{NewOrderDetail, OrderCondition, OrderDetailRow, OrderOrderField, OrderParent, OrderRow, Status};
use crate::{
    auth::Scope,
    db::{
        Conn, PlanMode,
        filter::{Condition, Filter, Op, constant},
        list_statements::list_statements,
        sql::{CountUpTo, ParentId, PerParent, citext_op, op, text_op},
        tables::{order_details, orders, websites},
        user_op::user_op,
    },
    error::Result,
    ids::{CodeOrId, OrderDetailId, OrderId, ProductId, UserId, WebsiteId},
    websites::{model::WebsiteOp, store::website_op},
};

/// The condition that the orders are visible, for statements that find them by their user.
fn visible(scope: &Scope) -> Condition<'static, orders::table> {
    visible_by(scope, &|user| Box::new(orders::user_id.is_not_null().and(orders::user_id.assume_not_null().eq(user))))
}

/// The condition that the orders are visible, for statements that find them by another key. No index has this comparison of
/// the user: PostgreSQL, which does not know how many orders the user has, would go through all of them to find one.
fn visible_by_key(scope: &Scope) -> Condition<'static, orders::table> {
    visible_by(scope, &|user| Box::new(orders::user_id.is_not_distinct_from(Some(user))))
}

fn visible_by(
    scope: &Scope,
    is_own: &dyn Fn(UserId) -> Condition<'static, orders::table>,
) -> Condition<'static, orders::table> {
    match scope {
        Scope::All => constant(true),
        Scope::Public => constant(false),
        // Repeats the constant condition of the partial index.
        Scope::Guest(guest) => Box::new(
            orders::cart_token_hash
                .is_not_null()
                .and(orders::cart_token_hash.assume_not_null().eq(guest.hash().to_vec())),
        ),
        Scope::Own(user) => is_own(*user),
        Scope::Websites(user, websites) => {
            Box::new(is_own(*user).or(orders::source_website_id.eq_any(websites.to_vec())))
        }
        Scope::Seller { seller, own } => {
            let sold = order_details::table
                .filter(order_details::order_id.eq(orders::id))
                .filter(order_details::seller_id.eq(*seller));
            Box::new(is_own(*own).or(exists(sold)))
        }
    }
}

/// The condition for those who know an order's number and email address.
fn visible_by_email(scope: &Scope) -> Condition<'static, orders::table> {
    Box::new(visible_by_key(scope).or(orders::user_id.is_null()))
}

fn condition(condition: &OrderCondition) -> Condition<'static, orders::table> {
    use OrderCondition as C;
    match condition {
        C::Id(id) => op!(id, orders::id),
        C::Number(number) => text_op!(number, orders::order_number),
        C::Status(status) => op!(status, orders::status),
        C::User(scope, user) => user_op!(scope, user, orders.user_id),
        C::SourceWebsite(website) => website_op!(website, orders::source_website_id),
        C::PaymentStatus(status) => op!(status, orders::payment_status),
        C::ContactEmail(email) => citext_op!(email, orders::contact_email),
        C::ContactName(name) => text_op!(name, orders::contact_name.assume_not_null(), orders::contact_name),
        C::ShippingCountry(country) => text_op!(country, orders::ship_country.assume_not_null(), orders::ship_country),
        C::Product(scope, product) => has_product(scope, product),
        C::TotalAmount(amount) => op!(amount, orders::total_amount),
        C::PlacedAt(at) => op!(at, orders::placed_at),
        C::UpdatedAt(at) => op!(at, orders::updated_at),
    }
}

/// The condition that one of these lines has the product.
macro_rules! has_line {
    ($lines:expr, $product:expr) => {
        match $product {
            Op::Eq(id) => Box::new(exists($lines.filter(order_details::product_id.eq(*id)))),
            Op::In(ids) => Box::new(exists($lines.filter(order_details::product_id.eq_any(ids.clone())))),
            Op::IsNull(true) => Box::new(not(exists($lines))),
            Op::IsNull(false) => Box::new(exists($lines)),
            Op::Gte(_) | Op::Lte(_) | Op::Contains(_) | Op::StartsWith(_) => constant(false),
        }
    };
}
/// The condition that an order has a line with this product; sellers see only their own lines of orders that they did
/// not place.
fn has_product(scope: &Scope, product: &Op<ProductId>) -> Condition<'static, orders::table> {
    let lines = order_details::table.filter(order_details::order_id.eq(orders::id));
    let Scope::Seller { seller, own } = scope else { return has_line!(lines, product) };
    let placed: Condition<'static, orders::table> = has_line!(lines, product);
    let sold: Condition<'static, orders::table> =
        has_line!(lines.filter(order_details::seller_id.eq(*seller)), product);
    Box::new(visible(&Scope::Own(*own)).and(placed).or(sold))
}

/// The condition of [`visible`] for lists: the IDs of a seller's orders are looked up once, so that the cost of a page
/// depends on the seller's orders and not on all orders.
fn visible_in_list(scope: &Scope) -> Condition<'static, orders::table> {
    let Scope::Seller { seller, own } = scope else { return visible(scope) };
    let sold = order_details::table
        .filter(order_details::seller_id.assume_not_null().eq(*seller))
        .select(order_details::order_id);
    Box::new(visible(&Scope::Own(*own)).or(orders::id.eq_any(array(sold))))
}

list_statements! {
    /// A list of orders.
    OrderList of OrderRow in orders where OrderCondition by OrderOrderField {
        PlacedAt => placed_at: DateTime<Utc>,
        TotalAmount => total_amount: Decimal,
        OrderNumber => order_number: String,
    }
    for scope by visible_in_list
}

fn of_parent(rows: Rows, parent: OrderParent) -> Rows {
    match parent {
        OrderParent::User => rows.filter(orders::user_id.assume_not_null().eq(ParentId)),
        OrderParent::Website => rows.filter(orders::source_website_id.eq(ParentId)),
    }
}

/// Returns how PostgreSQL plans a list. Generic plans are kept for lists that one index returns in order whatever the
/// values, and for lists of one person's orders, which are few. Other lists are planned for each request, because the
/// best plan depends on the selectivity of the filter: reading in order until a page is full, or finding the matches
/// and sorting them.
pub fn plans(scope: &Scope, list: &OrderList) -> PlanMode {
    use OrderCondition as C;
    let Filter::And(all) = &list.filter else { return PlanMode::Custom };
    let is_held = match (all.as_slice(), list.order) {
        ([], _) => true,
        ([Filter::Is(condition)], OrderOrderField::PlacedAt) => {
            matches!(
                condition,
                C::Status(Op::Eq(_))
                    | C::User(Scope::All, Op::Eq(_))
                    | C::SourceWebsite(WebsiteOp::Id(Op::Eq(_)) | WebsiteOp::Code(_))
            )
        }
        _ => false,
    };
    match scope {
        Scope::All if is_held => PlanMode::Generic,
        Scope::All | Scope::Websites(..) => PlanMode::Custom,
        Scope::Public | Scope::Guest(_) | Scope::Own(_) | Scope::Seller { .. } => PlanMode::Generic,
    }
}

/// Returns the visible rows with these IDs, in no particular order.
pub async fn by_ids(mut conn: &Conn, scope: &Scope, ids: &[OrderId]) -> Result<Vec<OrderRow>> {
    let query = orders::table.filter(orders::id.eq_any(ids)).select(OrderRow::as_select()).into_boxed();
    Ok(query.filter(visible_by_key(scope)).load(&mut conn).await?)
}

/// Returns the orders with one of these numbers and this contact email address, which upper and lower case match, that
/// guests placed or that are visible; at most a few for each website.
pub async fn by_numbers_and_email(
    mut conn: &Conn,
    scope: &Scope,
    numbers: Vec<String>,
    email: &str,
    website: Option<&CodeOrId<WebsiteId>>,
) -> Result<Vec<OrderRow>> {
    let query = orders::table
        .filter(orders::order_number.eq_any(numbers))
        .filter(orders::contact_email.is_not_null())
        .filter(orders::contact_email.assume_not_null().eq(email.to_owned()))
        .select(OrderRow::as_select())
        .into_boxed();
    let query = query.filter(visible_by_email(scope));
    let query = match website {
        Some(CodeOrId::Id(id)) => query.filter(orders::source_website_id.eq(*id)),
        Some(CodeOrId::Code(code)) => {
            let website = websites::table.filter(websites::code.eq(code.clone())).select(websites::id);
            query.filter(orders::source_website_id.eq_any(website))
        }
        None => query,
    };
    Ok(query.load(&mut conn).await?)
}

/// Returns a page of the visible orders of each parent, in one statement.
pub async fn pages_by_parent_ids(
    mut conn: &Conn,
    scope: &Scope,
    parent: OrderParent,
    list: &OrderList,
    parents: Vec<i64>,
) -> Result<Vec<(i64, OrderRow)>> {
    let query = on_page(of_parent(rows(scope, list), parent), list)?;
    Ok(PerParent { parents, query }.load(&mut conn).await?)
}

/// Returns the number of visible orders of each parent that match, in one statement.
pub async fn counts_by_parent_ids(
    mut conn: &Conn,
    scope: &Scope,
    parent: OrderParent,
    list: &OrderList,
    parents: Vec<i64>,
) -> Result<Vec<(i64, i64)>> {
    let query = CountUpTo(of_parent(rows(scope, list), parent));
    Ok(PerParent { parents, query }.load(&mut conn).await?)
}

/// Returns the lines of these orders, in the order in which they were added.
pub async fn lines_by_order_ids(mut conn: &Conn, ids: &[OrderId]) -> Result<Vec<OrderDetailRow>> {
    let query = order_details::table
        .filter(order_details::order_id.eq_any(ids))
        .order((order_details::order_id, order_details::id))
        .select(OrderDetailRow::as_select());
    Ok(query.load(&mut conn).await?)
}

/// Returns those of these products that a user has ordered.
pub async fn ordered_products(mut conn: &Conn, user: UserId, ids: &[ProductId]) -> Result<Vec<ProductId>> {
    let query = order_details::table
        .inner_join(orders::table)
        .filter(orders::user_id.is_not_null().and(orders::user_id.assume_not_null().eq(user)))
        .filter(order_details::product_id.eq_any(ids))
        .select(order_details::product_id);
    Ok(query.distinct().load(&mut conn).await?)
}

/// Returns the lines with these IDs, in no particular order. A line is visible to everyone who can see its order.
pub async fn lines_by_ids(mut conn: &Conn, ids: &[OrderDetailId]) -> Result<Vec<OrderDetailRow>> {
    let query = order_details::table.filter(order_details::id.eq_any(ids)).select(OrderDetailRow::as_select());
    Ok(query.load(&mut conn).await?)
}

/// Locks a visible order against concurrent changes.
pub async fn lock(mut conn: &Conn, scope: &Scope, id: OrderId) -> Result<Option<OrderRow>> {
    let query = orders::table.filter(visible_by_key(scope)).filter(orders::id.eq(id)).select(OrderRow::as_select());
    Ok(query.for_no_key_update().first(&mut conn).await.optional()?)
}

/// Returns the visible orders of a checkout, sorted by ID.
pub async fn by_checkout(mut conn: &Conn, scope: &Scope, first: OrderId) -> Result<Vec<OrderRow>> {
    let query = orders::table.select(OrderRow::as_select()).into_boxed().filter(visible_by_key(scope));
    let query = query.filter(orders::checkout_id.assume_not_null().eq(first));
    Ok(query.order(orders::id).load(&mut conn).await?)
}

/// Inserts lines; a trigger updates the order's total.
pub async fn insert_lines(mut conn: &Conn, lines: &[NewOrderDetail]) -> Result<()> {
    diesel::insert_into(order_details::table).values(lines).execute(&mut conn).await?;
    Ok(())
}

/// Changes the quantity of a line, which its seller has to confirm again; triggers update the totals.
pub async fn update_line(mut conn: &Conn, id: OrderDetailId, quantity: i32) -> Result<()> {
    let changed = (order_details::quantity.eq(quantity), order_details::confirmed_at.eq(None::<DateTime<Utc>>));
    diesel::update(order_details::table.find(id)).set(changed).execute(&mut conn).await?;
    Ok(())
}

/// Marks a seller's lines of an order as confirmed.
pub async fn confirm_lines(mut conn: &Conn, order: OrderId, seller: UserId) -> Result<()> {
    let lines = order_details::table
        .filter(order_details::order_id.eq(order))
        .filter(order_details::seller_id.eq(seller))
        .filter(order_details::confirmed_at.is_null());
    diesel::update(lines).set(order_details::confirmed_at.eq(now)).execute(&mut conn).await?;
    Ok(())
}

/// Deletes a line; a trigger updates the order's total.
pub async fn delete_line(mut conn: &Conn, id: OrderDetailId) -> Result<()> {
    diesel::delete(order_details::table.find(id)).execute(&mut conn).await?;
    Ok(())
}

/// Returns all visible orders of a user, oldest first.
pub async fn all_by_user(mut conn: &Conn, scope: &Scope, user: UserId) -> Result<Vec<OrderRow>> {
    let query = orders::table
        .filter(orders::user_id.assume_not_null().eq(user))
        .order((orders::placed_at, orders::id))
        .select(OrderRow::as_select())
        .into_boxed();
    Ok(query.filter(visible(scope)).load(&mut conn).await?)
}

/// Returns whether the user has an order that is pending or confirmed.
pub async fn has_open_orders(mut conn: &Conn, user: UserId) -> Result<bool> {
    let waiting = orders::table
        .filter(orders::user_id.assume_not_null().eq(user))
        .filter(orders::status.eq_any([Status::Pending, Status::Confirmed]));
    Ok(diesel::select(exists(waiting)).get_result(&mut conn).await?)
}

/// Returns whether the user has an order that was delivered.
pub async fn has_received_order(mut conn: &Conn, user: UserId) -> Result<bool> {
    let received =
        orders::table.filter(orders::user_id.assume_not_null().eq(user)).filter(orders::status.eq(Status::Delivered));
    Ok(diesel::select(exists(received)).get_result(&mut conn).await?)
}

/// Erases personal data of a user's orders: the addresses except for their countries, the contact, the notes and the
/// texts of their returns. The notes in the history are deleted with the account.
pub async fn erase_personal_data(mut conn: &Conn, user: UserId) -> Result<()> {
    let country = "CASE WHEN billing_address IS NOT NULL
        THEN jsonb_build_object('country', billing_address -> 'country') END";
    let erased = (
        orders::ship_recipient_name.eq(None::<String>),
        orders::ship_company.eq(None::<String>),
        orders::ship_phone.eq(None::<String>),
        orders::ship_subdivision.eq(None::<String>),
        orders::billing_address.eq(sql::<Nullable<Jsonb>>(country)),
        orders::ship_city.eq(None::<String>),
        orders::ship_district.eq(None::<String>),
        orders::ship_address.eq(None::<String>),
        orders::ship_postal_code.eq(None::<String>),
        orders::contact_name.eq(None::<String>),
        orders::contact_email.eq(None::<String>),
        orders::contact_phone.eq(None::<String>),
        orders::customer_note.eq(None::<String>),
    );
    let own = orders::table.filter(orders::user_id.assume_not_null().eq(user));
    diesel::update(own).set(erased).execute(&mut conn).await?;
    returns::erase_personal_data(conn, user).await
}

/// Sets the status of an order.
pub async fn update_status(mut conn: &Conn, id: OrderId, status: Status) -> Result<OrderRow> {
    let query =
        diesel::update(orders::table.find(id)).set(orders::status.eq(status)).returning(OrderRow::as_returning());
    Ok(query.get_result(&mut conn).await?)
}
