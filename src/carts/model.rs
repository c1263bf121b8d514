//! Rows and rules of carts.

use chrono::{DateTime, Duration, Utc};
use diesel::prelude::*;
use rust_decimal::Decimal;

use crate::{
    db::tables::{cart_lines, cart_reservations, carts},
    ids::{CartId, CartLineId, ProductId, UserId},
    money::Currency,
};

/// Most lines of a cart: as many as an order may have.
pub const MAX_LINES: usize = 500;
/// How long a cart stays after its last change.
pub const LIFETIME: Duration = Duration::days(60);
/// What a cart's token begins with.
pub const TOKEN_PREFIX: &str = "souk_c_";

/// A cart. Its holder is not in it: whoever finds it is that.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = carts, check_for_backend(diesel::pg::Pg))]
pub struct CartRow {
    /// Key.
    pub id: CartId,
    /// Whose it is; a guest's where there is none.
    pub user_id: Option<UserId>,
    /// The currency of all products in it.
    currency: String,
    /// From then on it is gone; each change moves it on.
    pub expires_at: DateTime<Utc>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

impl CartRow {
    /// The currency of all products in it.
    pub fn currency(&self) -> Currency {
        Currency::parse(&self.currency).unwrap_or(Currency::NONE)
    }
}

/// A cart to be.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = carts)]
pub struct NewCart {
    /// See [`CartRow`].
    pub user_id: Option<UserId>,
    /// Hash of the guest's token.
    pub token_hash: Option<Vec<u8>>,
    /// See [`CartRow`].
    pub currency: String,
    /// See [`CartRow`].
    pub expires_at: DateTime<Utc>,
}

/// A line of a cart.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = cart_lines, check_for_backend(diesel::pg::Pg))]
pub struct CartLineRow {
    /// Key.
    pub id: CartLineId,
    /// Whose line.
    pub cart_id: CartId,
    /// What to buy.
    pub product_id: ProductId,
    /// Pieces.
    pub quantity: i32,
    /// The price when it was added.
    pub added_price: Decimal,
    /// When it was added.
    pub created_at: DateTime<Utc>,
}

/// A line to be, or one in the place of that of the same product.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = cart_lines)]
pub struct NewCartLine {
    /// See [`CartLineRow`].
    pub cart_id: CartId,
    /// See [`CartLineRow`].
    pub product_id: ProductId,
    /// See [`CartLineRow`].
    pub quantity: i32,
    /// See [`CartLineRow`].
    pub added_price: Decimal,
}

/// Pieces that are kept for a cart.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = cart_reservations, check_for_backend(diesel::pg::Pg))]
pub struct Reservation {
    /// For which cart.
    pub cart_id: CartId,
    /// Of which product.
    pub product_id: ProductId,
    /// Pieces.
    pub quantity: i32,
    /// Until when.
    pub expires_at: DateTime<Utc>,
}
