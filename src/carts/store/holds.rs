//! SQL statements on what a client holds without having paid for it: reservations and unpaid orders.
//! Rule: a row counts if its user or its network is the client's.

use std::collections::HashMap;

use diesel::{dsl::sum, prelude::*};
use diesel_async::RunQueryDsl;

use crate::{
    carts::model::{HeldUnits, Shopper},
    db::{
        Conn,
        sql::clock_timestamp,
        tables::{cart_reservations as reservations, carts, order_details as lines, orders, unpaid_orders as unpaid},
    },
    error::Result,
    ids::{CartId, OrderId, ProductId},
};

/// Where units are held that do not count as held: in the cart and the order that are to be changed.
#[derive(Debug, Clone, Copy, Default)]
pub struct Except {
    /// The cart.
    pub cart: Option<CartId>,
    /// The order.
    pub order: Option<OrderId>,
}

/// Returns the units of these products that the client's user or this network holds.
pub async fn units_by_product(
    conn: &Conn,
    shopper: &Shopper,
    network: Option<&[u8]>,
    except: Except,
    products: &[ProductId],
) -> Result<HashMap<ProductId, HeldUnits>> {
    let found = futures_util::future::try_join(
        reserved_units(conn, shopper, network, except, products),
        ordered_units(conn, shopper, network, except, products),
    );
    let (reserved, ordered) = found.await?;
    let mut held: HashMap<ProductId, HeldUnits> = HashMap::new();
    for (product, units) in reserved {
        held.entry(product).or_default().reserved = units.unwrap_or_default();
    }
    for (order, product, units, is_open) in ordered {
        let held = held.entry(product).or_default();
        match is_open {
            true if except.order == Some(order) => held.changing += i64::from(units),
            true => held.ordered += i64::from(units),
            false => held.has_lapsed = true,
        }
    }
    Ok(held)
}

async fn reserved_units(
    mut conn: &Conn,
    shopper: &Shopper,
    network: Option<&[u8]>,
    except: Except,
    products: &[ProductId],
) -> Result<Vec<(ProductId, Option<i64>)>> {
    let is_theirs = carts::user_id.eq(shopper.user).or(reservations::network.eq(network));
    let query = reservations::table
        .inner_join(carts::table)
        .filter(reservations::product_id.eq_any(products))
        .filter(reservations::cart_id.ne_all(Vec::from_iter(except.cart)))
        .filter(reservations::expires_at.gt(clock_timestamp()))
        .filter(is_theirs)
        .group_by(reservations::product_id)
        .select((reservations::product_id, sum(reservations::quantity)));
    Ok(query.load(&mut conn).await?)
}

/// Returns order, product and quantity of the lines of unpaid orders, that to be changed included, and whether the order is
/// still open.
async fn ordered_units(
    mut conn: &Conn,
    shopper: &Shopper,
    network: Option<&[u8]>,
    except: Except,
    products: &[ProductId],
) -> Result<Vec<(OrderId, ProductId, i32, bool)>> {
    let is_changing = unpaid::order_id.eq_any(Vec::from_iter(except.order));
    let is_theirs = unpaid::user_id.eq(shopper.user).or(unpaid::network.eq(network)).or(is_changing);
    let query = unpaid::table
        .inner_join(orders::table.inner_join(lines::table))
        .filter(lines::product_id.eq_any(products))
        .filter(is_theirs)
        .select((unpaid::order_id, lines::product_id, lines::quantity, unpaid::ended_at.is_null()));
    Ok(query.load(&mut conn).await?)
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
