//! Keeping pieces for a cart while its checkout is under way.
//! A reservation cannot be made longer, and ends with any change of the cart: others have their turn.

use std::collections::{BTreeMap, HashMap};

use chrono::{Duration, Utc};

use super::lock;
use crate::{
    auth::{Scope, Viewer},
    carts::{
        model::{CartLineRow, CartRow, Reservation},
        store,
    },
    db::{Conn, Db},
    error::{Error, Result, UserErrorCode},
    ids::{CartId, ProductId},
    products::{self, model::ProductRow},
    stock::sale::check_sale,
};

/// Reserves all that is in a cart for a while, or nothing; what is reserved stays as it is. Without a time nothing is
/// reserved.
/// # Errors
/// NOT_FOUND for a cart that is not the viewer's; CART_EMPTY; PRODUCT_INACTIVE and OUT_OF_STOCK of `lines.<n>`.
pub async fn reserve(db: &Db, viewer: &Viewer, id: CartId, time: Option<Duration>) -> Result<CartRow> {
    let holder = viewer.holder();
    db.transaction(async |conn| {
        let cart = lock(conn, &holder, id, "id").await?;
        let Some(time) = time else { return Ok(cart) };
        if !store::reservations_by_cart_ids(conn, &[id]).await?.is_empty() {
            return Ok(cart);
        }
        let lines = store::lines_by_cart_ids(conn, &[id]).await?;
        if lines.is_empty() {
            return Err(Error::user(UserErrorCode::CartEmpty, "id", "there is nothing in this cart"));
        }
        let wanted = lines.iter().map(|line| (line.product_id, line.quantity)).collect();
        // What is left of a reservation that is over is released under these locks: locked before, for itself, it may be of
        // later products than some that are still to be locked.
        let (products, reserved) = lock_available(conn, Some(id), &wanted).await?;
        check_lines(&lines, &products, &reserved)?;
        if !reserved.is_empty() {
            store::delete_reservations(conn, &[id]).await?;
        }
        let expires_at = Utc::now() + time;
        let rows: Vec<Reservation> = wanted
            .iter()
            .map(|(product, quantity)| Reservation {
                cart_id: id,
                product_id: *product,
                quantity: *quantity,
                expires_at,
            })
            .collect();
        store::insert_reservations(conn, &rows).await?;
        Ok(cart)
    })
    .await
}

/// Releases what is reserved for a cart.
/// # Errors
/// NOT_FOUND for a cart that is not the viewer's.
pub async fn release(db: &Db, viewer: &Viewer, id: CartId) -> Result<CartRow> {
    let holder = viewer.holder();
    db.transaction(async |conn| {
        let cart = lock(conn, &holder, id, "id").await?;
        release_all(conn, &[id]).await?;
        Ok(cart)
    })
    .await
}

/// Releases what is reserved for these carts, over or not; the caller has locked them.
pub(super) async fn release_all(conn: &Conn, carts: &[CartId]) -> Result<()> {
    let products = store::reserved_products(conn, carts).await?;
    if !products.is_empty() {
        products::store::lock(conn, &products).await?;
        store::delete_reservations(conn, carts).await?;
    }
    Ok(())
}

/// Locks products for a sale, by id, and says how many pieces of them are kept for this cart. Where one is short of what is
/// wanted, reservations that are over are released first.
/// # Errors
/// Those of the database; what is missing or short is for the caller to tell.
pub async fn lock_available(
    conn: &Conn,
    cart: Option<CartId>,
    wanted: &BTreeMap<ProductId, i32>,
) -> Result<(BTreeMap<ProductId, ProductRow>, HashMap<ProductId, i32>)> {
    let ids: Vec<ProductId> = wanted.keys().copied().collect();
    let mut found = products::store::lock(conn, &ids).await?;
    let mut reserved = HashMap::new();
    // While the locks are held no reservation of these products comes or goes: most often there is none to look at.
    if found.iter().any(|product| product.reserved > 0) {
        reserved = reserved_for(conn, cart).await?;
        let is_short = |product: &&ProductRow| {
            let reserved = reserved.get(&product.id).copied().unwrap_or_default();
            product.reserved > reserved && product.available() + reserved < wanted[&product.id]
        };
        let short: Vec<ProductId> = found.iter().filter(is_short).map(|product| product.id).collect();
        if !short.is_empty() && store::delete_expired_reservations(conn, &short).await? > 0 {
            found = products::store::by_ids(conn, &Scope::All, &ids).await?;
            reserved = reserved_for(conn, cart).await?;
        }
    }
    Ok((found.into_iter().map(|product| (product.id, product)).collect(), reserved))
}

/// Returns what is bought with each line of a cart: the locked product and its quantity.
/// # Errors
/// PRODUCT_INACTIVE and OUT_OF_STOCK of `lines.<n>`, for every line that cannot be sold.
pub fn check_lines<'a>(
    lines: &[CartLineRow],
    products: &'a BTreeMap<ProductId, ProductRow>,
    reserved: &HashMap<ProductId, i32>,
) -> Result<Vec<(&'a ProductRow, i32)>> {
    let (mut items, mut wrong) = (Vec::new(), Vec::new());
    for (index, line) in lines.iter().enumerate() {
        let product = products.get(&line.product_id);
        let product = product.ok_or_else(|| Error::Internal("a line without its product".into()))?;
        let reserved = reserved.get(&product.id).copied().unwrap_or_default();
        let field = |name| format!("lines.{index}.{name}");
        match check_sale(product, line.quantity, reserved, field("productId"), field("quantity")) {
            Ok(()) => items.push((product, line.quantity)),
            Err(error) => wrong.push(error),
        }
    }
    if wrong.is_empty() { Ok(items) } else { Err(Error::User(wrong)) }
}

async fn reserved_for(conn: &Conn, cart: Option<CartId>) -> Result<HashMap<ProductId, i32>> {
    let Some(cart) = cart else { return Ok(HashMap::new()) };
    let rows = store::all_reservations(conn, cart).await?;
    Ok(rows.into_iter().map(|row| (row.product_id, row.quantity)).collect())
}
