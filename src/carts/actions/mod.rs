//! What can be done with carts.
//! Every action locks the cart first and products, by id, after it. So no two wait for each other in a circle.

pub mod expiry;
mod lines;
mod merge;
mod reservations;

use chrono::Utc;

use self::reservations::release_all;
pub use self::{
    expiry::clean_up,
    lines::{add_line, clear, remove_line, update_line},
    merge::merge,
    reservations::{check_lines, lock_available, release, reserve},
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

/// A cart, and the token that a new guest needs for it.
pub type CartWithToken = (CartRow, Option<String>);

/// The viewer's cart: the user's, that of the token they sent, or a new one with a new token. A guest's cart whose token a
/// user sends is merged into theirs. Puts these lines into it.
/// # Errors
/// As [`add_line`].
pub async fn create(db: &Db, viewer: &Viewer, wanted: &[(ProductId, i32)]) -> Result<CartWithToken> {
    db.transaction(async |conn| create_in(conn, viewer, wanted, "lines").await).await
}

/// As [`create`], in a transaction of the caller's; errors name the lines by `list`.
/// # Errors
/// As [`add_line`].
pub async fn create_in(conn: &Conn, viewer: &Viewer, wanted: &[(ProductId, i32)], list: &str) -> Result<CartWithToken> {
    let holder = viewer.holder();
    let (cart, token) = match holder {
        Holder { user: Some(user), guest } => match guest {
            Some(guest) => (merge::merge_into_user_cart(conn, user, guest).await?, None),
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

/// The cart of a user, new or not, locked.
async fn upsert_for_user(conn: &Conn, user: UserId) -> Result<CartRow> {
    store::insert(conn, &new_cart(conn, Some(user), None).await?).await
}

/// A cart without lines: its currency is that of the first website until there are some.
async fn new_cart(conn: &Conn, user: Option<UserId>, token_hash: Option<Vec<u8>>) -> Result<NewCart> {
    let website = websites::store::first(conn).await?;
    let currency = website.map_or(Currency::NONE, |website| website.currency());
    Ok(NewCart { user_id: user, token_hash, currency: currency.to_string(), expires_at: Utc::now() + LIFETIME })
}

/// Locks a cart of this holder.
/// # Errors
/// NOT_FOUND of this field where it is not theirs, or gone.
pub async fn lock(conn: &Conn, holder: &Holder, id: CartId, field: &'static str) -> Result<CartRow> {
    let cart = store::lock(conn, holder, id, Utc::now() + LIFETIME).await?;
    cart.ok_or_else(|| Error::not_found(field, "cart"))
}
