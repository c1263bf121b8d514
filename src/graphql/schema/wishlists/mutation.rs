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
            carts::{Cart, cart},
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

/// Input for `wishlistUpdate`. An absent field stays as it is.
#[derive(Debug, InputObject)]
pub struct WishlistUpdateInput {
    /// The wishlist to change.
    id: ID,
    /// Name of the wishlist, 1 to 100 characters.
    name: Option<String>,
}

/// Input for `wishlistDelete`.
#[derive(Debug, InputObject)]
pub struct WishlistDeleteInput {
    /// The wishlist to delete.
    id: ID,
}

/// Input for `wishlistShare`.
#[derive(Debug, InputObject)]
pub struct WishlistShareInput {
    /// The wishlist to share.
    id: ID,
}

/// Input for `wishlistUnshare`.
#[derive(Debug, InputObject)]
pub struct WishlistUnshareInput {
    /// The wishlist whose link to revoke.
    id: ID,
}

/// Input for `wishlistMoveToCart`.
#[derive(Debug, InputObject)]
pub struct WishlistMoveToCartInput {
    /// The wishlist to move from.
    id: ID,
    /// The items to move, at most 500, each once; all items by default.
    item_ids: Option<Vec<ID>>,
}

payload! {
    /// Result of `wishlistCreate`.
    WishlistCreatePayload {
        /// The new wishlist. Null if there are errors.
        wishlist: Wishlist
    }
}
payload! {
    /// Result of `wishlistUpdate`.
    WishlistUpdatePayload {
        /// The changed wishlist. Null if there are errors.
        wishlist: Wishlist
    }
}
payload! {
    /// Result of `wishlistDelete`.
    WishlistDeletePayload {
        /// The id of the deleted wishlist. Null if there are errors.
        deleted_id: ID
    }
}
payload_object! {
    /// Result of `wishlistShare`.
    WishlistSharePayload {
        /// The shared wishlist. Null if there are errors.
        wishlist: Option<Wishlist>,
        /// The token of the new link, for `sharedWishlist`. It is shown only once. Null if there are errors.
        share_token: Option<String>,
        /// Validation and business-rule errors; empty on success.
        user_errors: Vec<UserError>,
    }
}
payload! {
    /// Result of `wishlistUnshare`.
    WishlistUnsharePayload {
        /// The wishlist, which is no longer shared. Null if there are errors.
        wishlist: Wishlist
    }
}
payload! {
    /// Result of `wishlistMoveToCart`.
    WishlistMoveToCartPayload {
        /// The cart with the moved items. Null if there are errors.
        cart: Cart
    }
}

/// Mutations of wishlists.
#[derive(Default)]
pub struct WishlistMutation;

#[object]
impl WishlistMutation {
    /// Creates a wishlist; a user has at most 50. Requires being logged in.
    #[graphql(guard = "LoginGuard")]
    async fn wishlist_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The new wishlist.")] input: WishlistCreateInput,
    ) -> Result<WishlistCreatePayload> {
        let created = actions::create(ctx.db(), ctx.viewer(), &input.name).await;
        WishlistCreatePayload::of(created.map(wishlist))
    }

    /// Renames one of your wishlists. Requires being logged in.
    #[graphql(guard = "LoginGuard")]
    async fn wishlist_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The change.")] input: WishlistUpdateInput,
    ) -> Result<WishlistUpdatePayload> {
        let updated = async {
            let id = WishlistId::parse("id", &input.id)?;
            actions::rename(ctx.db(), ctx.viewer(), id, input.name.as_deref()).await
        };
        WishlistUpdatePayload::of(updated.await.map(wishlist))
    }

    /// Deletes one of your wishlists with its items; its link stops working. Requires being logged in.
    #[graphql(guard = "LoginGuard")]
    async fn wishlist_delete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The wishlist to delete.")] input: WishlistDeleteInput,
    ) -> Result<WishlistDeletePayload> {
        let deleted = async {
            actions::delete(ctx.db(), ctx.viewer(), WishlistId::parse("id", &input.id)?).await?;
            Ok(input.id.clone())
        };
        WishlistDeletePayload::of(deleted.await)
    }

    /// Shares one of your wishlists by a new link: everyone who has its token can read the wishlist, without seeing whose it
    /// is. An earlier link stops working. Requires being logged in.
    #[graphql(guard = "LoginGuard")]
    async fn wishlist_share(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The wishlist to share.")] input: WishlistShareInput,
    ) -> Result<WishlistSharePayload> {
        let shared = async { actions::share(ctx.db(), ctx.viewer(), WishlistId::parse("id", &input.id)?).await };
        let (shared, user_errors) = split_user_errors(shared.await)?;
        let (row, share_token) = shared.unzip();
        Ok(WishlistSharePayload { wishlist: row.map(wishlist), share_token, user_errors })
    }

    /// Revokes the link of one of your wishlists: nobody can read the wishlist by its token any more. Requires being logged in.
    #[graphql(guard = "LoginGuard")]
    async fn wishlist_unshare(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The wishlist whose link to revoke.")] input: WishlistUnshareInput,
    ) -> Result<WishlistUnsharePayload> {
        let private = async { actions::unshare(ctx.db(), ctx.viewer(), WishlistId::parse("id", &input.id)?).await };
        WishlistUnsharePayload::of(private.await.map(wishlist))
    }

    /// Moves items of one of your wishlists into your cart, at the current prices. Either all of them are moved or none. An
    /// error names the item by its place in `itemIds`, such as `itemIds.0.quantity`; without `itemIds` by its place in
    /// `Wishlist.items`, such as `items.0.quantity`. A guest's cart whose token you send becomes part of your cart. Requires
    /// being logged in.
    #[graphql(guard = "LoginGuard")]
    async fn wishlist_move_to_cart(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The items to move.")] input: WishlistMoveToCartInput,
    ) -> Result<WishlistMoveToCartPayload> {
        let moved = async {
            let id = WishlistId::parse("id", &input.id)?;
            let items = input.item_ids.map(item_ids).transpose()?;
            actions::move_to_cart(ctx.db(), ctx.viewer(), id, items.as_deref()).await
        };
        WishlistMoveToCartPayload::of(moved.await.map(cart))
    }
}

fn item_ids(ids: Vec<ID>) -> Result<Vec<WishlistItemId>> {
    if ids.len() > MAX_ITEMS {
        let rule = format!("give at most {MAX_ITEMS} items");
        return Err(Error::user(UserErrorCode::OutOfRange, "itemIds", rule));
    }
    ids.iter().enumerate().map(|(index, id)| WishlistItemId::parse(&format!("itemIds.{index}"), id)).collect()
}
