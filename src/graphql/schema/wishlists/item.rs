//! GraphQL type and mutations of wishlist items.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject};
use chrono::{DateTime, Utc};
use souk_macros::object;

use super::{Wishlist, wishlist};
use crate::{
    db::PlanMode,
    error::Result,
    graphql::{
        engine::{guards::LoginGuard, payload::payload, scalars::global_id},
        schema::{
            context::ContextExt,
            nested_lists::nested_list,
            products::{Product, product},
            resource::resource,
        },
    },
    ids::{ProductId, RowId, WishlistId, WishlistItemId},
    paging::NewestFirst,
    wishlists::{
        self, actions,
        model::{WishlistItemRow, WishlistRow},
    },
};

/// A product on a wishlist.
#[derive(Clone)]
pub struct WishlistItem {
    row: Arc<WishlistItemRow>,
    wishlist: Arc<WishlistRow>,
}

/// Returns the object of an item of a wishlist that the viewer may see.
pub fn wishlist_item(row: Arc<WishlistItemRow>, wishlist: Arc<WishlistRow>) -> WishlistItem {
    WishlistItem { row, wishlist }
}

resource! {
    WishlistItem by WishlistItemId of WishlistItemRow,
    |conn, context, ids| wishlists::store::items_by_ids(conn, &ids), row => row.id,
    |all, row| all.row(row.wishlist_id).await?.map(|wishlist| wishlist_item(row, wishlist)),
}

nested_list! {
    /// Items of wishlists.
    ItemPages of ((), NewestFirst) => WishlistItemRow,
    |conn, _, (), list, ids|
    rows wishlists::store::item_pages(conn, list, ids),
    counts wishlists::store::item_counts(conn, ids),
    plans PlanMode::Generic
}

/// A product on a wishlist.
#[object]
impl WishlistItem {
    /// Opaque global ID.
    pub fn id(&self) -> ID {
        global_id(self.row.id)
    }

    /// Wishlist that contains the item.
    fn wishlist(&self) -> Wishlist {
        wishlist(Arc::clone(&self.wishlist))
    }

    /// Product on the wishlist. Null if it is no longer for sale, except for its seller and staff.
    async fn product(&self, ctx: &Context<'_>) -> Result<Option<Product>> {
        Ok(ctx.loaders().row(self.row.product_id).await?.map(product))
    }

    /// Desired quantity, 1 to 1,000,000.
    fn quantity(&self) -> i32 {
        self.row.quantity
    }

    /// When the item was created (UTC).
    fn created_at(&self) -> DateTime<Utc> {
        self.row.created_at
    }
}

/// Input for `wishlistItemAdd`.
#[derive(Debug, InputObject)]
pub struct WishlistItemAddInput {
    /// ID of the wishlist.
    wishlist_id: ID,
    /// ID of the product to add.
    product_id: ID,
    /// Desired quantity, 1 to 1,000,000. Replaces the quantity if the product is already on the wishlist.
    #[graphql(default = 1)]
    quantity: i32,
}

/// Input for `wishlistItemRemove`.
#[derive(Debug, InputObject)]
pub struct WishlistItemRemoveInput {
    /// ID of the item to remove.
    id: ID,
}

payload! {
    /// Result of `wishlistItemAdd`.
    WishlistItemAddPayload {
        /// The new or updated item.
        wishlist_item: WishlistItem
    }
}
payload! {
    /// Result of `wishlistItemRemove`.
    WishlistItemRemovePayload {
        /// ID of the removed item.
        deleted_id: ID
    }
}

/// Mutation root for wishlist items.
#[derive(Default)]
pub struct WishlistItemMutation;

#[object]
impl WishlistItemMutation {
    /// Adds a product to a wishlist of the viewer, at most 500 products per wishlist. If the product is already on it,
    /// the quantity is replaced. Requires login.
    #[graphql(guard = "LoginGuard")]
    async fn wishlist_item_add(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Wishlist, product and quantity.")] input: WishlistItemAddInput,
    ) -> Result<WishlistItemAddPayload> {
        let added = async {
            let id = WishlistId::parse("wishlistId", &input.wishlist_id)?;
            let product = ProductId::parse("productId", &input.product_id)?;
            let (wishlist, item) = actions::add_item(ctx.db(), ctx.viewer(), id, product, input.quantity).await?;
            Ok(wishlist_item(Arc::new(item), Arc::new(wishlist)))
        };
        WishlistItemAddPayload::of(added.await)
    }

    /// Removes an item from a wishlist of the viewer. Requires login.
    #[graphql(guard = "LoginGuard")]
    async fn wishlist_item_remove(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Item to remove.")] input: WishlistItemRemoveInput,
    ) -> Result<WishlistItemRemovePayload> {
        let removed = async {
            actions::remove_item(ctx.db(), ctx.viewer(), WishlistItemId::parse("id", &input.id)?).await?;
            Ok(input.id.clone())
        };
        WishlistItemRemovePayload::of(removed.await)
    }
}
