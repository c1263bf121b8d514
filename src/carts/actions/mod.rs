//! Use cases of carts.
//! Rule: every action locks the cart first, then products by ID, so that no two actions deadlock.

pub mod expiry;
mod holds;
mod lines;
mod merge;
mod reservations;

use chrono::Utc;

use self::reservations::release_all;
pub use self::{
    expiry::clean_up,
    holds::{check_order, check_payment_on_delivery, check_unpaid_orders, count_unpaid_orders, held_units},
    lines::{add_line, clear, remove_line, update_line},
    merge::merge,
    reservations::{check_lines, lock_available, release, release_expired, reserve},
};
use super::{
    model::{CartRow, LIFETIME, NewCart, TOKEN_PREFIX},
    store,
};
use crate::{
    auth::{GuestKey, Holder, Viewer, secret},
    db::{Conn, Db},
    error::{Error, Result},
    ids::{CartId, ProductId, UserId},
    money::Currency,
    websites,
};

/// A cart, and the token for it if it is a new guest's.
pub type CartWithToken = (CartRow, Option<String>);

/// Returns the viewer's cart with these lines added: the user's cart, the cart of the token they sent, or a new one
/// with a new token. If a logged-in user sends a cart token, that cart is merged into theirs.
/// # Errors
/// As [`add_line`].
pub async fn create(db: &Db, viewer: &Viewer, wanted: &[(ProductId, i32)]) -> Result<CartWithToken> {
    db.transaction(async |conn| create_in(conn, viewer, wanted, "lines").await).await
}

/// Like [`create`], in the caller's transaction; errors name the lines by the field `list`.
/// # Errors
/// As [`add_line`].
pub async fn create_in(conn: &Conn, viewer: &Viewer, wanted: &[(ProductId, i32)], list: &str) -> Result<CartWithToken> {
    let holder = viewer.require_holder()?;
    let (cart, token) = match holder {
        Holder { user: Some(user), guest } => match guest {
            Some(guest) => (merge::merge_into_user_cart(conn, user, guest).await?.0, None),
            None => (upsert_for_user(conn, user).await?, None),
        },
        Holder { user: None, .. } => match store::by_holder(conn, &holder).await?.pop() {
            Some(cart) => (cart, None),
            None => {
                let (token, hash) = secret::generate(TOKEN_PREFIX);
                (store::insert(conn, &new_cart(conn, None, Some(hash)).await?).await?, Some(token))
            }
        },
    };
    let mine = Holder { guest: token.as_deref().map(GuestKey::from_token).or(holder.guest), ..holder };
    let cart = if wanted.is_empty() { cart } else { lines::add_lines(conn, &mine, cart.id, wanted, list).await? };
    Ok((cart, token))
}

/// Returns the user's cart, locked; creates it if necessary.
async fn upsert_for_user(conn: &Conn, user: UserId) -> Result<CartRow> {
    store::insert(conn, &new_cart(conn, Some(user), None).await?).await
}

/// Builds a cart without lines. Its currency is that of the first website until lines are added.
async fn new_cart(conn: &Conn, user: Option<UserId>, token_hash: Option<Vec<u8>>) -> Result<NewCart> {
    let website = websites::store::first(conn).await?;
    let currency = website.map_or(Currency::NONE, |website| website.currency());
    Ok(NewCart { user_id: user, token_hash, currency: currency.to_string(), expires_at: Utc::now() + LIFETIME })
}

/// Locks a cart of this holder.
/// # Errors
/// NOT_FOUND of this field if the cart is not theirs or expired.
pub async fn lock(conn: &Conn, holder: &Holder, id: CartId, field: &'static str) -> Result<CartRow> {
    let cart = store::lock(conn, holder, id, Utc::now() + LIFETIME).await?;
    cart.ok_or_else(|| Error::not_found(field, "cart"))
}
