//! Mutations of carts.

use async_graphql::{Context, ID, InputObject};
use souk_macros::object;

use crate::{
    carts::{actions, model::MAX_LINES},
    error::{Error, Result, UserErrorCode},
    graphql::{
        engine::payload::{UserError, payload, payload_object, split_user_errors},
        schema::{
            carts::{Cart, cart},
            context::ContextExt,
        },
    },
    ids::{CartId, CartLineId, ProductId, RowId},
};

/// A line of a new cart.
#[derive(Debug, InputObject)]
pub struct CartLineInput {
    /// Which product.
    product_id: ID,
    /// Pieces, 1 to 1,000,000.
    quantity: i32,
}

/// A cart to be.
#[derive(Debug, Default, InputObject)]
pub struct CartCreateInput {
    /// What to put into it at once, at most 500 lines.
    #[graphql(default)]
    lines: Vec<CartLineInput>,
}

/// What to put into a cart.
#[derive(Debug, InputObject)]
pub struct CartLineAddInput {
    /// Into which cart.
    cart_id: ID,
    /// Which product.
    product_id: ID,
    /// Pieces, 1 to 1,000,000; they add to those that are in the cart.
    quantity: i32,
}

/// A change of a line of a cart.
#[derive(Debug, InputObject)]
pub struct CartLineUpdateInput {
    /// Which line.
    id: ID,
    /// Pieces, 1 to 1,000,000.
    quantity: i32,
}

/// A line to take off a cart.
#[derive(Debug, InputObject)]
pub struct CartLineRemoveInput {
    /// Which line.
    id: ID,
}

/// Which cart to empty.
#[derive(Debug, InputObject)]
pub struct CartClearInput {
    /// Which cart.
    id: ID,
}

/// Which cart to reserve.
#[derive(Debug, InputObject)]
pub struct CartReserveInput {
    /// Which cart.
    id: ID,
}

/// Which cart's reservation to end.
#[derive(Debug, InputObject)]
pub struct CartReleaseInput {
    /// Which cart.
    id: ID,
}

payload_object! {
    /// The answer of `cartCreate`.
    CartCreatePayload {
        /// The cart.
        cart: Option<Cart>,
        /// The token of a guest's new cart: keep it, and send it as `X-Cart-Token`. Shown once; null for users, and where
        /// you sent it.
        cart_token: Option<String>,
        /// The rules that the input broke; empty where it was done.
        user_errors: Vec<UserError>,
    }
}
payload! {
    /// The answer of `cartLineAdd`.
    CartLineAddPayload {
        /// The cart as it is now.
        cart: Cart
    }
}
payload! {
    /// The answer of `cartLineUpdate`.
    CartLineUpdatePayload {
        /// The cart as it is now.
        cart: Cart
    }
}
payload! {
    /// The answer of `cartLineRemove`.
    CartLineRemovePayload {
        /// The cart as it is now.
        cart: Cart
    }
}
payload! {
    /// The answer of `cartClear`.
    CartClearPayload {
        /// The cart, empty.
        cart: Cart
    }
}
payload! {
    /// The answer of `cartReserve`.
    CartReservePayload {
        /// The cart; `reservedUntil` says until when its pieces are kept.
        cart: Cart
    }
}
payload! {
    /// The answer of `cartRelease`.
    CartReleasePayload {
        /// The cart, with nothing reserved.
        cart: Cart
    }
}

impl CartCreateInput {
    fn into_lines(self) -> Result<Vec<(ProductId, i32)>> {
        if self.lines.len() > MAX_LINES {
            let rule = format!("a cart has at most {MAX_LINES} lines");
            return Err(Error::user(UserErrorCode::OutOfRange, "lines", rule));
        }
        let lines = self.lines.iter().enumerate().map(|(index, line)| {
            Ok((ProductId::parse(&format!("lines.{index}.productId"), &line.product_id)?, line.quantity))
        });
        lines.collect()
    }
}

/// Mutations of carts.
#[derive(Default)]
pub struct CartMutation;

#[object]
impl CartMutation {
    /// Gives you a cart: the one of your account, or that whose token you send as `X-Cart-Token`, or a new one. Where you are
    /// logged in and send a token, that cart becomes part of yours, as at a login.
    async fn cart_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to put into it; may be left out.")] input: Option<CartCreateInput>,
    ) -> Result<CartCreatePayload> {
        let created = async { actions::create(ctx.db(), ctx.viewer(), &input.unwrap_or_default().into_lines()?).await };
        let (created, user_errors) = split_user_errors(created.await)?;
        let (row, cart_token) = created.unzip();
        Ok(CartCreatePayload { cart: row.map(cart), cart_token: cart_token.flatten(), user_errors })
    }

    /// Adds pieces of a product to a cart of yours, at today's price. What was reserved for the cart is released.
    async fn cart_line_add(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The line.")] input: CartLineAddInput,
    ) -> Result<CartLineAddPayload> {
        let added = async {
            let id = CartId::parse("cartId", &input.cart_id)?;
            let product = ProductId::parse("productId", &input.product_id)?;
            actions::add_line(ctx.db(), ctx.viewer(), id, product, input.quantity).await
        };
        CartLineAddPayload::of(added.await.map(cart))
    }

    /// Changes the pieces of a line of a cart of yours. What was reserved for the cart is released.
    async fn cart_line_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The change.")] input: CartLineUpdateInput,
    ) -> Result<CartLineUpdatePayload> {
        let updated = async {
            let id = CartLineId::parse("id", &input.id)?;
            actions::update_line(ctx.db(), ctx.viewer(), id, input.quantity).await
        };
        CartLineUpdatePayload::of(updated.await.map(cart))
    }

    /// Takes a line off a cart of yours. What was reserved for the cart is released.
    async fn cart_line_remove(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which line.")] input: CartLineRemoveInput,
    ) -> Result<CartLineRemovePayload> {
        let removed = async { actions::remove_line(ctx.db(), ctx.viewer(), CartLineId::parse("id", &input.id)?).await };
        CartLineRemovePayload::of(removed.await.map(cart))
    }

    /// Takes all lines off a cart of yours.
    async fn cart_clear(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which cart.")] input: CartClearInput,
    ) -> Result<CartClearPayload> {
        let cleared = async { actions::clear(ctx.db(), ctx.viewer(), CartId::parse("id", &input.id)?).await };
        CartClearPayload::of(cleared.await.map(cart))
    }

    /// Keeps all pieces in a cart of yours for a while, or none: what a checkout page does when it opens, so that nobody else
    /// buys them meanwhile. Done again it changes nothing: a reservation cannot be made longer. A shop may be set to
    /// reserve nothing.
    async fn cart_reserve(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which cart.")] input: CartReserveInput,
    ) -> Result<CartReservePayload> {
        let duration = ctx.services().selling.reservation();
        let reserved =
            async { actions::reserve(ctx.db(), ctx.viewer(), CartId::parse("id", &input.id)?, duration).await };
        CartReservePayload::of(reserved.await.map(cart))
    }

    /// Lets others have what is reserved for a cart of yours.
    async fn cart_release(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which cart.")] input: CartReleaseInput,
    ) -> Result<CartReleasePayload> {
        let released = async { actions::release(ctx.db(), ctx.viewer(), CartId::parse("id", &input.id)?).await };
        CartReleasePayload::of(released.await.map(cart))
    }
}
