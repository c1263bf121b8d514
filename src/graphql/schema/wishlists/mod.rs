//! GraphQL type of wishlists.
//! Rule: a wishlist is visible to its owner and to staff; others can read it only with the token of its share link.

pub mod item;
mod mutation;
mod query;

pub use self::{mutation::*, query::*};

use std::sync::Arc;

use async_graphql::{Context, ID};
use chrono::{DateTime, Utc};
use souk_macros::object;

use self::item::{ItemPages, WishlistItem, wishlist_item};
use crate::{
    error::Result,
    graphql::{
        engine::{connections::Connection, list_args::ListArgs, scalars::global_id},
        schema::{
            context::ContextExt,
            nested_lists::connection_of,
            resource::resource,
            users::{User, user},
        },
    },
    ids::{RowId, WishlistId},
    paging::{Cursor, NewestFirst, Page, SortKey},
    wishlists::{
        self,
        model::{WishlistItemRow, WishlistRow},
    },
};

/// A list of products that a user keeps for later.
#[derive(Clone)]
pub struct Wishlist(Arc<WishlistRow>);

resource! {
    Wishlist(wishlist) by WishlistId of WishlistRow,
    |conn, context, ids| wishlists::store::by_ids(conn, &context.user_scope(), &ids), row => row.id,
}

/// A list of products that a user keeps for later. Visible to its owner, to staff with `MANAGE_USERS`, and to everyone
/// who has the token of its share link.
#[object]
impl Wishlist {
    /// Opaque global ID.
    pub fn id(&self) -> ID {
        global_id(self.0.id)
    }

    /// Owner of the wishlist. Visible to the owner and to staff with `MANAGE_USERS`; null otherwise.
    async fn user(&self, ctx: &Context<'_>) -> Result<Option<User>> {
        Ok(ctx.loaders().row(self.0.user_id).await?.map(user))
    }

    /// Name of the wishlist, 1 to 100 characters.
    fn name(&self) -> &str {
        &self.0.name
    }

    /// Items of the wishlist, newest first; at most 500.
    async fn items(&self, ctx: &Context<'_>, list_args: ListArgs) -> Result<Connection<WishlistItem>> {
        const ITEMS: &str = "wishlist_items:id";
        let list = NewestFirst { page: Page::new(ITEMS, list_args.page)? };
        let cursor = |_: &NewestFirst, row: &WishlistItemRow| Cursor::new(ITEMS, SortKey::Id, row.id.key());
        let item = |row| wishlist_item(Arc::new(row), Arc::clone(&self.0));
        connection_of::<ItemPages, _>(ctx, (), self.0.id.key(), list, cursor, item).await
    }

    /// Whether the wishlist is shared by a link.
    fn is_shared(&self) -> bool {
        self.0.shared_at.is_some()
    }

    /// When the current share link was created (UTC); null if the wishlist is not shared.
    fn shared_at(&self) -> Option<DateTime<Utc>> {
        self.0.shared_at
    }

    /// When the wishlist was created (UTC).
    fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When the name or the share link was last updated (UTC).
    fn updated_at(&self) -> DateTime<Utc> {
        self.0.updated_at
    }
}
