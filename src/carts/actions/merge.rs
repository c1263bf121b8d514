//! Merges the cart of a guest who logs in into the user's cart.
//! Rule: for a product in both carts the larger quantity is kept, at the price of the line that was added last; all
//! other lines are copied, up to the maximum number of lines. A cart in another currency is not merged, and its token
//! stays valid.

use std::collections::HashMap;

use chrono::Utc;

use super::{reservations::release_all, upsert_for_user};
use crate::{
    auth::{GuestKey, Holder},
    carts::{
        model::{CartLineRow, CartMergeStatus, CartRow, LIFETIME, MAX_LINES, NewCartLine},
        store,
    },
    db::{Conn, Db},
    error::Result,
    ids::{ProductId, UserId},
};

/// Merges the guest's cart into the user's. Returns the user's cart and what became of the guest's; none if there is no
/// guest's cart.
/// # Errors
/// Database errors.
pub async fn merge(db: &Db, user: UserId, guest: GuestKey) -> Result<Option<(CartRow, CartMergeStatus)>> {
    db.transaction(async |conn| {
        let guest_holder = Holder { user: None, guest: Some(guest) };
        if store::by_holder(conn, &guest_holder).await?.is_empty() {
            return Ok(None);
        }
        merge_into_user_cart(conn, user, guest).await.map(Some)
    })
    .await
}

/// Merges the guest's cart into the user's, and returns the user's and what became of the guest's. The guest's cart is
/// locked before the user's.
pub(super) async fn merge_into_user_cart(
    conn: &Conn,
    user: UserId,
    guest: GuestKey,
) -> Result<(CartRow, CartMergeStatus)> {
    let guest_holder = Holder { user: None, guest: Some(guest) };
    let from = match store::by_holder(conn, &guest_holder).await?.pop() {
        Some(cart) => store::lock(conn, &guest_holder, cart.id, Utc::now() + LIFETIME).await?,
        None => None,
    };
    let into = upsert_for_user(conn, user).await?;
    let Some(from) = from else { return Ok((into, CartMergeStatus::None)) };
    let lines = store::lines_by_cart_ids(conn, &[from.id, into.id]).await?;
    let (guests, users): (Vec<CartLineRow>, Vec<CartLineRow>) =
        lines.into_iter().partition(|line| line.cart_id == from.id);
    if !users.is_empty() && !guests.is_empty() && from.currency() != into.currency() {
        return Ok((into, CartMergeStatus::KeptSeparate));
    }
    release_all(conn, &[from.id, into.id]).await?;
    let mine: HashMap<ProductId, &CartLineRow> = users.iter().map(|line| (line.product_id, line)).collect();
    let mut free_lines = MAX_LINES - users.len().min(MAX_LINES);
    let mut merged = Vec::new();
    for line in &guests {
        let mine = mine.get(&line.product_id);
        if mine.is_none() {
            let Some(left) = free_lines.checked_sub(1) else { continue };
            free_lines = left;
        }
        let last = mine.filter(|mine| mine.created_at > line.created_at).map_or(line.added_price, |m| m.added_price);
        merged.push(NewCartLine {
            cart_id: into.id,
            product_id: line.product_id,
            quantity: mine.map_or(line.quantity, |mine| mine.quantity.max(line.quantity)),
            added_price: last,
        });
    }
    if !merged.is_empty() {
        store::upsert_lines(conn, &merged).await?;
    }
    store::delete(conn, &[from.id]).await?;
    let into = match users.is_empty() && !merged.is_empty() && from.currency() != into.currency() {
        true => store::update_currency(conn, into.id, from.currency().as_str()).await?,
        false => into,
    };
    Ok((into, CartMergeStatus::Merged))
}
