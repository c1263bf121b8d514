//! The statements that place orders: what they need to know of the buyer and the websites, and the insert of everything.
//! Rule: orders are inserted by one statement with their lines and all that belongs to them, so that no trigger has to
//! update them.

use chrono::{DateTime, Utc};
use diesel::{
    QueryResult,
    dsl::{AsSelect, exists},
    expression::Expression,
    pg::Pg,
    prelude::*,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    sql_types::{BigInt, Bytea, Integer, Jsonb, Nullable, Numeric, Text, Timestamptz},
};
use diesel_async::RunQueryDsl;
use rust_decimal::Decimal;

use crate::{
    db::{
        Conn,
        insert_rows::{Statement, insert_rows},
        tables::{cart_lines, order_email_confirmations as confirmations, orders, products, users, websites},
    },
    error::{Error, Result},
    ids::{CartId, OrderId, ProductId, UserId, WebsiteId},
    orders::model::{Account, NewOrderDetail, OrderAddress, OrderRow, PlacedOrder, Status},
    users::model::UserRow,
    websites::model::WebsiteRow,
};

/// Sequence of the IDs of orders.
pub const IDS: &str = "orders_id_seq";

/// Returns the account of a user who places an order.
pub async fn account(mut conn: &Conn, user: UserId) -> Result<Option<Account>> {
    // The user's few confirmed orders are found first: no index has these comparisons of the orders.
    let confirmed = confirmations::table
        .inner_join(orders::table)
        .filter(confirmations::user_id.eq(users::id.nullable()))
        .filter(orders::user_id.is_not_distinct_from(users::id.nullable()))
        .filter(orders::contact_email.is_not_distinct_from(users::email))
        .filter(users::email.is_not_null())
        .filter(users::email_verified_at.is_null());
    let account = users::table.find(user).select((UserRow::as_select(), exists(confirmed)));
    let found: Option<(UserRow, bool)> = account.first(&mut conn).await.optional()?;
    Ok(found.map(|(user, has_confirmed)| Account { user, has_confirmed }))
}

/// Returns the websites of these products, in no particular order.
pub async fn websites_of_products(mut conn: &Conn, ids: &[ProductId]) -> Result<Vec<WebsiteRow>> {
    let theirs = products::table.filter(products::id.eq_any(ids)).select(products::source_website_id);
    Ok(websites::table.filter(websites::id.eq_any(theirs)).select(WebsiteRow::as_select()).load(&mut conn).await?)
}

/// Returns the websites of the products in a cart, in no particular order.
pub async fn websites_of_cart(mut conn: &Conn, cart: CartId) -> Result<Vec<WebsiteRow>> {
    let theirs = products::table
        .inner_join(cart_lines::table)
        .filter(cart_lines::cart_id.eq(cart))
        .select(products::source_website_id);
    Ok(websites::table.filter(websites::id.eq_any(theirs)).select(WebsiteRow::as_select()).load(&mut conn).await?)
}

insert_rows! {
    /// Inserts placed orders.
    InsertOrders in orders of PlacedOrder {
        id: OrderId as BigInt,
        checkout_id: OrderId as BigInt,
        source_website_id: WebsiteId as BigInt,
        order_number: String as Text,
        user_id: Option<UserId> as Nullable<BigInt>,
        status: Status as Text,
        total_amount: Decimal as Numeric,
        ship_recipient_name: Option<String> as Nullable<Text> = shipping.recipient_name,
        ship_company: Option<String> as Nullable<Text> = shipping.company,
        ship_phone: Option<String> as Nullable<Text> = shipping.phone,
        ship_country: Option<String> as Nullable<Text> = shipping.country,
        ship_subdivision: Option<String> as Nullable<Text> = shipping.subdivision,
        ship_city: Option<String> as Nullable<Text> = shipping.city,
        ship_district: Option<String> as Nullable<Text> = shipping.district,
        ship_address: Option<String> as Nullable<Text> = shipping.address,
        ship_postal_code: Option<String> as Nullable<Text> = shipping.postal_code,
        billing_address: Option<OrderAddress> as Nullable<Jsonb>,
        contact_name: Option<String> as Nullable<Text> = contact.contact_name,
        contact_email: Option<String> as Nullable<Text> = contact.contact_email,
        contact_phone: Option<String> as Nullable<Text> = contact.contact_phone,
        customer_note: Option<String> as Nullable<Text>,
        cart_token_hash: Option<Vec<u8>> as Nullable<Bytea>,
        placed_at: DateTime<Utc> as Timestamptz,
    }
}

insert_rows! {
    /// Inserts the lines of orders.
    InsertLines in order_details of NewOrderDetail {
        order_id: OrderId as BigInt,
        product_id: ProductId as BigInt,
        name: String as Text,
        sku: String as Text,
        quantity: i32 as Integer,
        unit_price: Decimal as Numeric,
    }
}

/// The statement that inserts orders together with other rows, and returns the orders. The others can refer to the orders
/// as `placed`.
struct Placement {
    orders: InsertOrders,
    others: Vec<Statement<'static>>,
    columns: AsSelect<OrderRow, Pg>,
}

impl QueryId for Placement {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}
impl Query for Placement {
    type SqlType = <AsSelect<OrderRow, Pg> as Expression>::SqlType;
}
impl QueryFragment<Pg> for Placement {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("WITH placed AS (");
        self.orders.walk_ast(out.reborrow())?;
        out.push_sql(" RETURNING *)");
        for (number, other) in self.others.iter().enumerate() {
            out.push_sql(&format!(", other_{number} AS ("));
            other.walk_ast(out.reborrow())?;
            out.push_sql(")");
        }
        out.push_sql(" SELECT ");
        self.columns.walk_ast(out.reborrow())?;
        out.push_sql(" FROM placed AS orders");
        Ok(())
    }
}

/// Inserts orders with all their lines, and runs these other statements together with that; returns the orders, sorted by
/// ID.
/// # Errors
/// [`Error::Retry`] if an imported order has one of the numbers; the next attempt takes the next numbers.
pub async fn place(
    mut conn: &Conn,
    new: &[PlacedOrder],
    lines: &[NewOrderDetail],
    others: Vec<Statement<'static>>,
) -> Result<Vec<OrderRow>> {
    let Some(orders) = InsertOrders::new(new) else { return Ok(Vec::new()) };
    let lines = InsertLines::new(lines).map(|lines| Box::new(lines) as Statement<'_>);
    let others = lines.into_iter().chain(others).collect();
    let placement = Placement { orders, others, columns: OrderRow::as_select() };
    let mut placed: Vec<OrderRow> = placement.load(&mut conn).await.map_err(|error| match Error::from(error) {
        Error::Constraint { name, detail } if name == "orders_source_website_id_order_number_key" => {
            Error::Retry(detail)
        }
        other => other,
    })?;
    placed.sort_by_key(|order| order.id);
    Ok(placed)
}
