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

/// Maximum number of wishlists of a user.
pub const MAX_WISHLISTS: usize = 50;
/// Maximum number of items of a wishlist, the same as of a cart.
pub const MAX_ITEMS: usize = 500;
/// Maximum length of a name, in characters.
const MAX_NAME: usize = 100;
/// Prefix of share link tokens.
pub const TOKEN_PREFIX: &str = "souk_w_";

/// A list of products that a user keeps for later.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = wishlists, check_for_backend(diesel::pg::Pg))]
pub struct WishlistRow {
    /// Primary key.
    pub id: WishlistId,
    /// Owner.
    pub user_id: UserId,
    /// Name, 1 to 100 characters.
    pub name: String,
    /// When the current share link was created; `None` if the wishlist is not shared.
    pub shared_at: Option<DateTime<Utc>>,
    /// When the wishlist was created.
    pub created_at: DateTime<Utc>,
    /// When the name or the share link was last updated.
    pub updated_at: DateTime<Utc>,
}

/// A product on a wishlist.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = wishlist_items, check_for_backend(diesel::pg::Pg))]
pub struct WishlistItemRow {
    /// Primary key.
    pub id: WishlistItemId,
    /// Wishlist that contains the item.
    pub wishlist_id: WishlistId,
    /// Product on the wishlist.
    pub product_id: ProductId,
    /// Desired quantity, 1 to 1,000,000.
    pub quantity: i32,
    /// When the item was added.
    pub created_at: DateTime<Utc>,
}

/// Trims and checks the name of a wishlist.
/// # Errors
/// Returns user errors of `name`.
pub fn checked_name(name: &str) -> Result<String> {
    let (mut validator, mut name) = (Validator::new(), name.to_owned());
    validator.text("name", &mut name, MAX_NAME);
    validator.finish()?;
    Ok(name)
}

/// A filter condition on wishlists.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum WishlistCondition {
    /// Filter by owner.
    User(Op<UserId>),
    /// Filter by name.
    Name(Op<String>),
    /// Filter by whether the wishlist is shared.
    IsShared(bool),
    /// Filter by creation time.
    CreatedAt(Op<DateTime<Utc>>),
}

/// Fields that wishlists can be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, async_graphql::Enum)]
pub enum WishlistOrderField {
    /// Time when the wishlist was created.
    #[default]
    CreatedAt,
    /// Name of the wishlist.
    Name,
}

impl WishlistOrderField {
    /// Returns the name of the list in cursors.
    pub fn list(self) -> &'static str {
        match self {
            Self::CreatedAt => "wishlists:created_at",
            Self::Name => "wishlists:name",
        }
    }

    /// Returns the sort key of a row.
    pub fn key(self, row: &WishlistRow) -> SortKey {
        match self {
            Self::CreatedAt => SortKey::Time(row.created_at),
            Self::Name => SortKey::Text(row.name.clone()),
        }
    }
}
