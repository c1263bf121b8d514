//! Reservations of stock for a cart during checkout.
//! Rule: a reservation cannot be extended and ends with any change of the cart, so that no cart holds stock forever.

use std::collections::{BTreeMap, HashMap};

use chrono::{Duration, Utc};

use super::{
    holds::{check_reservation, check_reserved_carts},
    lock,
};
use crate::{
    auth::{Scope, Viewer},
    carts::{
        model::{CartLineRow, CartRow, Reservation, Shopper},
        store,
    },
    db::{Conn, Db},
    error::{Error, Result, UserErrorCode},
    ids::{CartId, ProductId},
    products::{self, model::ProductRow},
    stock::sale::check_sale,
};

/// Reserves everything in a cart for `time`, all or nothing; an existing reservation stays as it is. Without `time`
/// reservations are off and nothing is reserved. Products that are sold without stock need no reservation.
/// # Errors
/// NOT_FOUND for a cart that is not the viewer's; CART_EMPTY; PRODUCT_INACTIVE and OUT_OF_STOCK of `lines.<n>`;
/// OUT_OF_RANGE if the client would hold too much.
pub async fn reserve(
    db: &Db,
    viewer: &Viewer,
    shopper: &Shopper,
    id: CartId,
    time: Option<Duration>,
) -> Result<CartRow> {
    let holder = viewer.require_holder()?;
    db.contended_transaction(async |conn| {
        let cart = lock(conn, &holder, id, "id").await?;
        let Some(time) = time else { return Ok(cart) };
        if !store::reservations_by_cart_ids(conn, &[id]).await?.is_empty() {
            return Ok(cart);
        }
        let lines = store::lines_by_cart_ids(conn, &[id]).await?;
        if lines.is_empty() {
            return Err(Error::user(
                UserErrorCode::CartEmpty,
                "id",
                "The cart is empty. Add at least one product before checking out.",
            ));
        }
        let wanted = lines.iter().map(|line| (line.product_id, line.quantity)).collect();
        // Expired reservations of this cart are released under these locks. Locking their products separately
        // beforehand could break the lock order.
        let (products, reserved) = lock_available(conn, Some(id), &wanted).await?;
        let items = check_lines(&lines, &products, &reserved)?;
        check_reserved_carts(conn, shopper, id).await?;
        check_reservation(conn, shopper, id, &items).await?;
        if !reserved.is_empty() {
            store::delete_reservations(conn, &[id]).await?;
        }
        let expires_at = Utc::now() + time;
        let needs_stock = |(product, _): &(&ProductId, &i32)| !products[*product].sells_without_stock();
        let rows: Vec<Reservation> = wanted
            .iter()
            .filter(needs_stock)
            .map(|(product, quantity)| Reservation {
                cart_id: id,
                product_id: *product,
                quantity: *quantity,
                expires_at,
                network: shopper.network.clone(),
            })
            .collect();
        store::insert_reservations(conn, &rows).await?;
        Ok(cart)
    })
    .await
}

/// Releases the reservations of a cart.
/// # Errors
/// NOT_FOUND for a cart that is not the viewer's.
pub async fn release(db: &Db, viewer: &Viewer, id: CartId) -> Result<CartRow> {
    let holder = viewer.require_holder()?;
    db.contended_transaction(async |conn| {
        let cart = lock(conn, &holder, id, "id").await?;
        release_all(conn, &[id]).await?;
        Ok(cart)
    })
    .await
}

/// Releases the reservations of these carts, expired or not; the caller has locked the carts.
pub(super) async fn release_all(conn: &Conn, carts: &[CartId]) -> Result<()> {
    let products = store::reserved_products(conn, carts).await?;
    if !products.is_empty() {
        products::store::lock(conn, &products).await?;
        store::delete_reservations(conn, carts).await?;
    }
    Ok(())
}

/// Locks products by ID for a sale; returns them with the quantities reserved for this cart. If a product is short,
/// expired reservations are released first.
/// # Errors
/// Database errors. The caller checks for missing products and insufficient stock.
pub async fn lock_available(
    conn: &Conn,
    cart: Option<CartId>,
    wanted: &BTreeMap<ProductId, i32>,
) -> Result<(BTreeMap<ProductId, ProductRow>, HashMap<ProductId, i32>)> {
    let ids: Vec<ProductId> = wanted.keys().copied().collect();
    let found = products::store::lock(conn, &ids).await?;
    // No reservation of these products can change while they are locked, and most products have none.
    let is_any_reserved = found.iter().any(|product| product.reserved > 0);
    let reserved = if is_any_reserved { reserved_for(conn, cart).await? } else { HashMap::new() };
    release_expired(conn, cart, wanted, found, reserved).await
}

/// Releases expired reservations of products that are short. Takes the locked products, and the quantities reserved for this
/// cart, and returns them as they are afterwards.
/// # Errors
/// Database errors.
pub async fn release_expired(
    conn: &Conn,
    cart: Option<CartId>,
    wanted: &BTreeMap<ProductId, i32>,
    mut found: Vec<ProductRow>,
    mut reserved: HashMap<ProductId, i32>,
) -> Result<(BTreeMap<ProductId, ProductRow>, HashMap<ProductId, i32>)> {
    let is_short = |product: &&ProductRow| {
        let reserved = reserved.get(&product.id).copied().unwrap_or_default();
        !product.sells_without_stock()
            && product.reserved > reserved
            && product.available() + reserved < wanted.get(&product.id).copied().unwrap_or_default()
    };
    let short: Vec<ProductId> = found.iter().filter(is_short).map(|product| product.id).collect();
    if !short.is_empty() && store::delete_expired_reservations(conn, &short).await? > 0 {
        let ids: Vec<ProductId> = found.iter().map(|product| product.id).collect();
        found = products::store::by_ids(conn, &Scope::All, &ids).await?;
        reserved = reserved_for(conn, cart).await?;
    }
    Ok((found.into_iter().map(|product| (product.id, product)).collect(), reserved))
}

/// Returns the locked product and the quantity of each cart line.
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
        let product = product.ok_or_else(|| Error::Internal("the product of a cart line does not exist".into()))?;
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
