//! Whether an order may be paid on delivery.

use std::collections::BTreeMap;

use crate::{
    carts::{self, model::Shopper},
    db::Conn,
    error::{Error, Result},
    ids::ProductId,
    orders::{model::OrderRow, store},
    products,
};

/// Checks that an order may be paid on delivery: it must not hold more of the stock than a client may hold without paying,
/// unless a user placed it who has received an order before.
/// # Errors
/// OUT_OF_RANGE of `method`.
pub async fn check_payment_on_delivery(conn: &Conn, shopper: &Shopper, order: &OrderRow) -> Result<()> {
    let mut units: BTreeMap<ProductId, i32> = BTreeMap::new();
    for line in store::lines_by_order_ids(conn, &[order.id]).await? {
        let total = units.entry(line.product_id).or_default();
        *total = total.saturating_add(line.quantity);
    }
    let ids: Vec<_> = units.keys().copied().collect();
    let products = products::store::by_ids_including_inactive(conn, &ids).await?;
    let items: Vec<_> = products.iter().map(|product| (product, units[&product.id])).collect();
    match carts::actions::check_payment_on_delivery(conn, shopper, order.id, &items).await {
        Err(Error::User(rules)) => match order.user_id {
            Some(user) if store::has_received_order(conn, user).await? => Ok(()),
            _ => Err(Error::User(rules)),
        },
        checked => checked,
    }
}
