//! Rows and rules of wishlists.

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use crate::{
    db::{
        filter::Op,
        tables::{wishlist_items, wishlists},
    },
    error::Result,
    ids::{ProductId, UserId, WishlistId, WishlistItemId},
    paging::SortKey,
    text::Validator,
};

/// Most wishlists of one user.
pub const MAX_WISHLISTS: usize = 50;
/// Most items of a wishlist: as many as a cart takes.
pub const MAX_ITEMS: usize = 500;
/// Longest name, in characters.
const MAX_NAME: usize = 100;
/// What the token of a link begins with.
pub const TOKEN_PREFIX: &str = "souk_w_";

/// A list of products that a user keeps for later.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = wishlists, check_for_backend(diesel::pg::Pg))]
pub struct WishlistRow {
    /// Key.
    pub id: WishlistId,
    /// The owner.
    pub user_id: UserId,
    /// The name, 1 to 100 characters.
    pub name: String,
    /// Since when it is shared by a link; `None` if it is not.
    pub shared_at: Option<DateTime<Utc>>,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When its name or link was last changed.
    pub updated_at: DateTime<Utc>,
}

/// A product on a wishlist.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = wishlist_items, check_for_backend(diesel::pg::Pg))]
pub struct WishlistItemRow {
    /// Key.
    pub id: WishlistItemId,
    /// The wishlist.
    pub wishlist_id: WishlistId,
    /// The product.
    pub product_id: ProductId,
    /// The number of units, 1 to 1,000,000.
    pub quantity: i32,
    /// When it was added.
    pub created_at: DateTime<Utc>,
}

/// Checks the name of a wishlist.
/// # Errors
/// User errors of `name`.
pub fn check_name(name: &str) -> Result<()> {
    let mut validator = Validator::new();
    validator.text("name", name, MAX_NAME);
    validator.finish()
}

/// A condition on wishlists.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum WishlistCondition {
    /// By owner.
    User(Op<UserId>),
    /// By name.
    Name(Op<String>),
    /// By whether it is shared.
    IsShared(bool),
    /// By when it was created.
    CreatedAt(Op<DateTime<Utc>>),
}

/// What a list of wishlists is ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, async_graphql::Enum)]
pub enum WishlistOrderField {
    /// When the wishlist was created.
    #[default]
    CreatedAt,
    /// The name.
    Name,
}

impl WishlistOrderField {
    /// The list's name in cursors.
    pub fn list(self) -> &'static str {
        match self {
            Self::CreatedAt => "wishlists:created_at",
            Self::Name => "wishlists:name",
        }
    }

    /// The sort key of a row.
    pub fn key(self, row: &WishlistRow) -> SortKey {
        match self {
            Self::CreatedAt => SortKey::Time(row.created_at),
            Self::Name => SortKey::Text(row.name.clone()),
        }
    }
}
