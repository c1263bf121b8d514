//! Rows and rules of carts.

mod shopper;

pub use self::shopper::{HeldUnits, Shopper};

use chrono::{DateTime, Duration, Utc};
use diesel::prelude::*;
use rust_decimal::Decimal;

use crate::{
    db::tables::{cart_lines, cart_reservations, carts},
    ids::{CartId, CartLineId, ProductId, UserId},
    money::Currency,
};

/// Maximum number of lines of a cart; the same as for an order.
pub const MAX_LINES: usize = 500;
/// Time after its last change at which a cart expires.
pub const LIFETIME: Duration = Duration::days(60);
/// Prefix of cart tokens.
pub const TOKEN_PREFIX: &str = "souk_c_";

/// Outcome of a login for the guest's cart whose token was sent with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, async_graphql::Enum)]
pub enum CartMergeStatus {
    /// There was nothing to merge: no cart token was sent, or there is no cart of this token.
    None,
    /// The guest's cart was merged into the user's cart. Its token is no longer valid.
    Merged,
    /// The guest's cart has another currency than the user's cart. Both are unchanged, and the guest's token stays
    /// valid.
    KeptSeparate,
    /// The merge failed. Both carts are unchanged, and the guest's token stays valid. `cartCreate` with this token merges
    /// them.
    Failed,
}

/// A cart.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = carts, check_for_backend(diesel::pg::Pg))]
pub struct CartRow {
    /// Primary key.
    pub id: CartId,
    /// The user who owns the cart; none for a guest's cart.
    pub user_id: Option<UserId>,
    /// Currency of all products in the cart.
    currency: String,
    /// When the cart expires; each change extends it.
    pub expires_at: DateTime<Utc>,
    /// When the cart was created.
    pub created_at: DateTime<Utc>,
    /// When the cart was last updated.
    pub updated_at: DateTime<Utc>,
}

impl CartRow {
    /// Returns the currency of all products in the cart.
    pub fn currency(&self) -> Currency {
        Currency::from_stored(&self.currency).unwrap_or(Currency::NONE)
    }
}

/// A cart to insert.
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
    /// Primary key.
    pub id: CartLineId,
    /// The cart.
    pub cart_id: CartId,
    /// The product.
    pub product_id: ProductId,
    /// Number of units.
    pub quantity: i32,
    /// Price of one unit when the line was added.
    pub added_price: Decimal,
    /// When the line was added.
    pub created_at: DateTime<Utc>,
}

/// A line to insert, or to replace the line of the same product.
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

/// A reservation of units of a product for a cart.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = cart_reservations, check_for_backend(diesel::pg::Pg))]
pub struct Reservation {
    /// The cart.
    pub cart_id: CartId,
    /// The product.
    pub product_id: ProductId,
    /// Number of units.
    pub quantity: i32,
    /// When the reservation expires.
    pub expires_at: DateTime<Utc>,
    /// SHA-256 of the network from which it was made.
    pub network: Option<Vec<u8>>,
}
