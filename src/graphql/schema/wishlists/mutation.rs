//! Mutations of wishlists.

use async_graphql::{Context, ID, InputObject};
use souk_macros::object;

use super::{Wishlist, wishlist};
use crate::{
    error::{Error, Result, UserErrorCode},
    graphql::{
        engine::{
            guards::LoginGuard,
            payload::{UserError, payload, payload_object, split_user_errors},
        },
        schema::{
            carts::{Cart, cart_or_current},
            context::ContextExt,
        },
    },
    ids::{RowId, WishlistId, WishlistItemId},
    wishlists::{actions, model::MAX_ITEMS},
};

/// Input for `wishlistCreate`.
#[derive(Debug, InputObject)]
pub struct WishlistCreateInput {
    /// Name of the wishlist, 1 to 100 characters.
    name: String,
}

/// Input for `wishlistUpdate`. An omitted field keeps its value.
#[derive(Debug, InputObject)]
pub struct WishlistUpdateInput {
    /// ID of the wishlist.
    id: ID,
    /// Name of the wishlist, 1 to 100 characters.
    name: Option<String>,
}

/// Input for `wishlistDelete`.
#[derive(Debug, InputObject)]
pub struct WishlistDeleteInput {
    /// ID of the wishlist.
    id: ID,
}

/// Input for `wishlistShare`.
#[derive(Debug, InputObject)]
pub struct WishlistShareInput {
    /// ID of the wishlist.
    id: ID,
}

/// Input for `wishlistUnshare`.
#[derive(Debug, InputObject)]
pub struct WishlistUnshareInput {
    /// ID of the wishlist.
    id: ID,
}

/// Input for `wishlistMoveToCart`.
#[derive(Debug, InputObject)]
pub struct WishlistMoveToCartInput {
    /// ID of the wishlist.
    id: ID,
    /// IDs of the items to move, at most 500, each once. Default: all items.
    item_ids: Option<Vec<ID>>,
}

payload! {
    /// Result of `wishlistCreate`.
    WishlistCreatePayload {
        /// The new wishlist.
        wishlist: Wishlist
    }
}
payload! {
    /// Result of `wishlistUpdate`.
    WishlistUpdatePayload {
        /// The updated wishlist.
        wishlist: Wishlist
    }
}
payload! {
    /// Result of `wishlistDelete`.
    WishlistDeletePayload {
        /// ID of the deleted wishlist.
        deleted_id: ID
    }
}
payload_object! {
    /// Result of `wishlistShare`.
    WishlistSharePayload {
        /// The shared wishlist.
        wishlist: Option<Wishlist>,
        /// Token of the new share link, for `sharedWishlist`. Returned only once.
        share_token: Option<String>,
        /// Validation and business-rule errors; empty on success.
        user_errors: Vec<UserError>,
    }
}
payload! {
    /// Result of `wishlistUnshare`.
    WishlistUnsharePayload {
        /// The wishlist, which is no longer shared.
        wishlist: Wishlist
    }
}
payload_object! {
    /// Result of `wishlistMoveToCart`.
    WishlistMoveToCartPayload {
        /// The cart with the moved items. If there are user errors, the viewer's cart as it is; null if there is none.
        cart: Option<Cart>,
        /// Validation and business-rule errors; empty on success.
        user_errors: Vec<UserError>,
    }
}

/// Mutation root for wishlists.
#[derive(Default)]
pub struct WishlistMutation;

#[object]
impl WishlistMutation {
    /// Creates a wishlist; a user has at most 50. Requires login.
    #[graphql(guard = "LoginGuard")]
    async fn wishlist_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Wishlist to create.")] input: WishlistCreateInput,
    ) -> Result<WishlistCreatePayload> {
        let created = actions::create(ctx.db(), ctx.viewer(), &input.name).await;
        WishlistCreatePayload::of(created.map(wishlist))
    }

    /// Renames a wishlist of the viewer. Requires login.
    #[graphql(guard = "LoginGuard")]
    async fn wishlist_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Wishlist and its new name.")] input: WishlistUpdateInput,
    ) -> Result<WishlistUpdatePayload> {
        let updated = async {
            let id = WishlistId::parse("id", &input.id)?;
            actions::rename(ctx.db(), ctx.viewer(), id, input.name.as_deref()).await
        };
        WishlistUpdatePayload::of(updated.await.map(wishlist))
    }

    /// Deletes a wishlist of the viewer with its items; its share link stops working. Requires login.
    #[graphql(guard = "LoginGuard")]
    async fn wishlist_delete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Wishlist to delete.")] input: WishlistDeleteInput,
    ) -> Result<WishlistDeletePayload> {
        let deleted = async {
            actions::delete(ctx.db(), ctx.viewer(), WishlistId::parse("id", &input.id)?).await?;
            Ok(input.id.clone())
        };
        WishlistDeletePayload::of(deleted.await)
    }

    /// Shares a wishlist of the viewer by a new link. Everyone who has its token can read the wishlist without seeing
    /// who owns it. An earlier link stops working. Requires login.
    #[graphql(guard = "LoginGuard")]
    async fn wishlist_share(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Wishlist to share.")] input: WishlistShareInput,
    ) -> Result<WishlistSharePayload> {
        let shared = async { actions::share(ctx.db(), ctx.viewer(), WishlistId::parse("id", &input.id)?).await };
        let (shared, user_errors) = split_user_errors(shared.await)?;
        let (row, share_token) = shared.unzip();
        Ok(WishlistSharePayload { wishlist: row.map(wishlist), share_token, user_errors })
    }

    /// Revokes the share link of a wishlist of the viewer; its token stops working. Requires login.
    #[graphql(guard = "LoginGuard")]
    async fn wishlist_unshare(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Wishlist whose share link to revoke.")] input: WishlistUnshareInput,
    ) -> Result<WishlistUnsharePayload> {
        let private = async { actions::unshare(ctx.db(), ctx.viewer(), WishlistId::parse("id", &input.id)?).await };
        WishlistUnsharePayload::of(private.await.map(wishlist))
    }

    /// Moves items from a wishlist of the viewer to the viewer's cart at current prices, all or none. User errors name
    /// an item by its index in `itemIds`, such as `itemIds.0.quantity`; without `itemIds`, by its index in
    /// `Wishlist.items`, such as `items.0.quantity`. If the request carries the token of a guest cart, that cart is
    /// merged into the viewer's. Requires login.
    #[graphql(guard = "LoginGuard")]
    async fn wishlist_move_to_cart(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Wishlist and the items to move.")] input: WishlistMoveToCartInput,
    ) -> Result<WishlistMoveToCartPayload> {
        let moved = async {
            let id = WishlistId::parse("id", &input.id)?;
            let items = input.item_ids.map(item_ids).transpose()?;
            actions::move_to_cart(ctx.db(), ctx.viewer(), id, items.as_deref()).await
        };
        let (row, user_errors) = split_user_errors(moved.await)?;
        Ok(WishlistMoveToCartPayload { cart: cart_or_current(ctx, row).await?, user_errors })
    }
}

fn item_ids(ids: Vec<ID>) -> Result<Vec<WishlistItemId>> {
    if ids.len() > MAX_ITEMS {
        let rule = format!("give at most {MAX_ITEMS} items");
        return Err(Error::user(UserErrorCode::OutOfRange, "itemIds", rule));
    }
    ids.iter().enumerate().map(|(index, id)| WishlistItemId::parse(&format!("itemIds.{index}"), id)).collect()
}
