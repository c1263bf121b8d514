//! SQL statements on what a client holds without having paid for it: reservations and unpaid orders.
//! Rule: a row counts if its user or its network is the client's.

use std::collections::HashMap;

use diesel::{
    QueryResult,
    pg::Pg,
    prelude::*,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    sql_types::{Array, BigInt, Bool, Bytea, Nullable},
};
use diesel_async::RunQueryDsl;

use crate::{
    carts::model::{HeldUnits, Shopper},
    db::{
        Conn,
        sql::clock_timestamp,
        tables::{cart_reservations as reservations, unpaid_orders as unpaid},
    },
    error::Result,
    ids::{CartId, OrderId, ProductId, UserId},
};

/// Where units are held that do not count as held: in the cart and the order that are to be changed.
#[derive(Debug, Clone, Copy, Default)]
pub struct Except {
    /// The cart.
    pub cart: Option<CartId>,
    /// The order.
    pub order: Option<OrderId>,
}

/// Query of the function `held_units` of the migrations.
#[derive(Debug, Clone)]
struct UnitsOfProducts {
    products: Option<Vec<ProductId>>,
    user: Option<UserId>,
    network: Option<Vec<u8>>,
    except: Except,
}

impl QueryId for UnitsOfProducts {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}
impl Query for UnitsOfProducts {
    type SqlType = (BigInt, BigInt, BigInt, BigInt, BigInt, Bool);
}
impl QueryFragment<Pg> for UnitsOfProducts {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("SELECT product, in_cart, reserved, ordered, changing, has_lapsed FROM held_units(");
        out.push_bind_param::<Nullable<Array<BigInt>>, _>(&self.products)?;
        out.push_sql(", ");
        out.push_bind_param::<Nullable<BigInt>, _>(&self.user)?;
        out.push_sql(", ");
        out.push_bind_param::<Nullable<Bytea>, _>(&self.network)?;
        out.push_sql(", ");
        out.push_bind_param::<Nullable<BigInt>, _>(&self.except.cart)?;
        out.push_sql(", ");
        out.push_bind_param::<Nullable<BigInt>, _>(&self.except.order)?;
        out.push_sql(")");
        Ok(())
    }
}

/// Returns the units of these products, or those in the cart, that the client's user or this network holds. Locks the
/// products if the caller has not done so, and so can be pipelined with the statement that does.
pub async fn units_by_product(
    mut conn: &Conn,
    shopper: &Shopper,
    network: Option<&[u8]>,
    except: Except,
    products: Option<&[ProductId]>,
) -> Result<HashMap<ProductId, HeldUnits>> {
    let network = network.map(<[u8]>::to_vec);
    let query = UnitsOfProducts { products: products.map(<[_]>::to_vec), user: shopper.user, network, except };
    let rows: Vec<(ProductId, i64, i64, i64, i64, bool)> = query.load(&mut conn).await?;
    let held = |(product, in_cart, reserved, ordered, changing, has_lapsed)| {
        (product, HeldUnits { in_cart, reserved, ordered, changing, has_lapsed })
    };
    Ok(rows.into_iter().map(held).collect())
}

/// Returns the number of other carts for which the client's network has reservations. A user has one cart only.
pub async fn count_reserved_carts(mut conn: &Conn, shopper: &Shopper, cart: CartId) -> Result<usize> {
    let Some(network) = shopper.counted_network() else { return Ok(0) };
    let query = reservations::table
        .filter(reservations::network.eq(network))
        .filter(reservations::cart_id.ne(cart))
        .filter(reservations::expires_at.gt(clock_timestamp()))
        .select(reservations::cart_id)
        .distinct();
    Ok(query.load::<CartId>(&mut conn).await?.len())
}

/// Returns the number of the client's unpaid orders, with those that were canceled in the past day.
pub async fn count_unpaid_orders(mut conn: &Conn, shopper: &Shopper) -> Result<i64> {
    let is_theirs = unpaid::user_id.eq(shopper.user).or(unpaid::network.eq(shopper.counted_network()));
    Ok(unpaid::table.filter(is_theirs).count().get_result(&mut conn).await?)
}
