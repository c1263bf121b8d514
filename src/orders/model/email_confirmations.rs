//! Rows and rules of the confirmation of an order's email address by its owner.

use chrono::{DateTime, Duration, Utc};
use diesel::prelude::*;

use crate::{
    auth::GuestKey,
    db::tables::order_email_confirmations,
    ids::{OrderId, UserId},
    users::model::UserRow,
};

/// Lifetime of the token in the confirmation of an order.
pub const ORDER_EMAIL_TOKEN_LIFETIME: Duration = Duration::hours(48);
/// Prefix of these tokens, by which people and secret scanners recognize them.
pub const ORDER_EMAIL_TOKEN_PREFIX: &str = "souk_ot_";

/// A token to insert.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = order_email_confirmations)]
pub struct NewEmailConfirmation {
    /// The order.
    pub order_id: OrderId,
    /// SHA-256 of the token.
    pub token_hash: Vec<u8>,
    /// When the token expires.
    pub expires_at: DateTime<Utc>,
}

/// The account of a user who places an order.
#[derive(Debug, Clone)]
pub struct Account {
    /// The user.
    pub user: UserRow,
    /// Whether the account's email address is not verified, but its owner has confirmed an order of the user.
    pub has_confirmed: bool,
}

/// The user or guest who placed an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Purchaser {
    /// A user.
    User(UserId),
    /// A guest, by the hash of the cart token.
    Guest(Vec<u8>),
}

impl Purchaser {
    /// Returns the user, or the guest if there is no user.
    pub fn new(user: Option<UserId>, guest: Option<GuestKey>) -> Option<Self> {
        user.map(Self::User).or_else(|| guest.map(|guest| Self::Guest(guest.hash().to_vec())))
    }
}
