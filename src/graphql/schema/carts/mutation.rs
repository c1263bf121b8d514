//! Mutations of carts.

use async_graphql::{Context, ID, InputObject};
use souk_macros::object;

use crate::{
    carts::{
        actions,
        model::{CartRow, MAX_LINES},
    },
    error::{Error, Result, UserErrorCode},
    graphql::{
        engine::payload::{UserError, payload_object, split_user_errors},
        schema::{
            carts::{Cart, cart, current_cart},
            context::ContextExt,
        },
    },
    ids::{CartId, CartLineId, ProductId, RowId},
};

/// A line of a new cart.
#[derive(Debug, InputObject)]
pub struct CartLineInput {
    /// ID of the product.
    product_id: ID,
    /// Number of units, 1 to 1,000,000.
    quantity: i32,
}

/// Input for `cartCreate`.
#[derive(Debug, Default, InputObject)]
pub struct CartCreateInput {
    /// Lines to add to the cart, at most 500.
    #[graphql(default)]
    lines: Vec<CartLineInput>,
}

/// Input for `cartLineAdd`.
#[derive(Debug, InputObject)]
pub struct CartLineAddInput {
    /// ID of the cart.
    cart_id: ID,
    /// ID of the product.
    product_id: ID,
    /// Number of units to add, 1 to 1,000,000. If the cart already has a line of the product, its quantity is
    /// increased.
    quantity: i32,
}

/// Input for `cartLineUpdate`.
#[derive(Debug, InputObject)]
pub struct CartLineUpdateInput {
    /// ID of the cart line.
    id: ID,
    /// New number of units, 1 to 1,000,000; 0 removes the line.
    quantity: i32,
}

/// Input for `cartLineRemove`.
#[derive(Debug, InputObject)]
pub struct CartLineRemoveInput {
    /// ID of the cart line.
    id: ID,
}

/// Input for `cartClear`.
#[derive(Debug, InputObject)]
pub struct CartClearInput {
    /// ID of the cart.
    id: ID,
}

/// Input for `cartReserve`.
#[derive(Debug, InputObject)]
pub struct CartReserveInput {
    /// ID of the cart.
    id: ID,
}

/// Input for `cartRelease`.
#[derive(Debug, InputObject)]
pub struct CartReleaseInput {
    /// ID of the cart.
    id: ID,
}

/// Declares the result of a mutation of a cart. Unlike other results, it has the resource beside user errors, too, so
/// that a page shows the cart without another request.
macro_rules! cart_payload {
    ($(#[doc = $doc:literal])* $payload:ident { $(#[doc = $cart_doc:literal])+ cart }) => {
        payload_object! {
            $(#[doc = $doc])*
            $payload {
                $(#[doc = $cart_doc])+
                cart: Option<Cart>,
                /// Validation and business-rule errors; empty on success.
                user_errors: Vec<UserError>,
            }
        }

        impl $payload {
            /// Creates the payload from the result of an action.
            async fn of(ctx: &Context<'_>, result: Result<CartRow>) -> Result<Self> {
                let (row, user_errors) = split_user_errors(result)?;
                Ok(Self { cart: cart_or_current(ctx, row).await?, user_errors })
            }
        }
    };
}

/// Returns the changed cart, or the viewer's current cart if the change was rejected.
/// # Errors
/// Database errors.
pub async fn cart_or_current(ctx: &Context<'_>, changed: Option<CartRow>) -> Result<Option<Cart>> {
    match changed {
        Some(row) => Ok(Some(cart(row))),
        None => current_cart(ctx).await,
    }
}

payload_object! {
    /// Result of `cartCreate`.
    CartCreatePayload {
        /// The viewer's cart. If there are user errors, the cart as it is; null if there is none.
        cart: Option<Cart>,
        /// Token of a guest's new cart, to be sent in the header `X-Cart-Token`. It is not shown again. Null for
        /// logged-in users and if the cart already existed.
        cart_token: Option<String>,
        /// Validation and business-rule errors; empty on success.
        user_errors: Vec<UserError>,
    }
}
cart_payload! {
    /// Result of `cartLineAdd`.
    CartLineAddPayload {
        /// The updated cart. If there are user errors, the viewer's cart as it is.
        cart
    }
}
cart_payload! {
    /// Result of `cartLineUpdate`.
    CartLineUpdatePayload {
        /// The updated cart. If there are user errors, the viewer's cart as it is.
        cart
    }
}
cart_payload! {
    /// Result of `cartLineRemove`.
    CartLineRemovePayload {
        /// The updated cart. If there are user errors, the viewer's cart as it is.
        cart
    }
}
cart_payload! {
    /// Result of `cartClear`.
    CartClearPayload {
        /// The empty cart. If there are user errors, the viewer's cart as it is.
        cart
    }
}
cart_payload! {
    /// Result of `cartReserve`.
    CartReservePayload {
        /// The cart; `reservedUntil` is the end of the reservation. If there are user errors, the viewer's cart as it is.
        cart
    }
}
cart_payload! {
    /// Result of `cartRelease`.
    CartReleasePayload {
        /// The cart without a reservation. If there are user errors, the viewer's cart as it is.
        cart
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
    /// Returns the viewer's cart: the cart of their account, or the guest cart whose token is sent in the header
    /// `X-Cart-Token`, or a new cart. If a logged-in user sends a token, the guest cart is merged into theirs, as at
    /// login.
    async fn cart_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Lines to add; may be omitted.")] input: Option<CartCreateInput>,
    ) -> Result<CartCreatePayload> {
        let created = async { actions::create(ctx.db(), ctx.viewer(), &input.unwrap_or_default().into_lines()?).await };
        let (created, user_errors) = split_user_errors(created.await)?;
        let (row, cart_token) = created.unzip();
        let cart = cart_or_current(ctx, row).await?;
        Ok(CartCreatePayload { cart, cart_token: cart_token.flatten(), user_errors })
    }

    /// Adds units of a product to the viewer's cart, at the current price. Releases the cart's reservation.
    async fn cart_line_add(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The product and the quantity.")] input: CartLineAddInput,
    ) -> Result<CartLineAddPayload> {
        let added = async {
            let id = CartId::parse("cartId", &input.cart_id)?;
            let product = ProductId::parse("productId", &input.product_id)?;
            actions::add_line(ctx.db(), ctx.viewer(), id, product, input.quantity).await
        };
        CartLineAddPayload::of(ctx, added.await).await
    }

    /// Changes the quantity of a line of the viewer's cart; 0 removes the line. Releases the cart's reservation.
    async fn cart_line_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The new quantity.")] input: CartLineUpdateInput,
    ) -> Result<CartLineUpdatePayload> {
        let updated = async {
            let id = CartLineId::parse("id", &input.id)?;
            actions::update_line(ctx.db(), ctx.viewer(), id, input.quantity).await
        };
        CartLineUpdatePayload::of(ctx, updated.await).await
    }

    /// Removes a line from the viewer's cart. Releases the cart's reservation.
    async fn cart_line_remove(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The line to remove.")] input: CartLineRemoveInput,
    ) -> Result<CartLineRemovePayload> {
        let removed = async { actions::remove_line(ctx.db(), ctx.viewer(), CartLineId::parse("id", &input.id)?).await };
        CartLineRemovePayload::of(ctx, removed.await).await
    }

    /// Removes all lines from the viewer's cart. Releases the cart's reservation.
    async fn cart_clear(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The cart to empty.")] input: CartClearInput,
    ) -> Result<CartClearPayload> {
        let cleared = async { actions::clear(ctx.db(), ctx.viewer(), CartId::parse("id", &input.id)?).await };
        CartClearPayload::of(ctx, cleared.await).await
    }

    /// Reserves all units in the viewer's cart until `reservedUntil` (by default for 15 minutes), or none of them, with
    /// OUT_OF_STOCK, if a product is not available in this quantity, or OUT_OF_RANGE, if one customer may not hold so many
    /// units without paying. A checkout page calls this when it opens, so that the units are not sold to others in the meantime. Calling it
    /// again does not extend the reservation. Reserves nothing if reservations are disabled on this server.
    async fn cart_reserve(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The cart to reserve.")] input: CartReserveInput,
    ) -> Result<CartReservePayload> {
        let duration = ctx.services().selling.reservation();
        let reserved = async {
            actions::reserve(ctx.db(), ctx.viewer(), &ctx.shopper(), CartId::parse("id", &input.id)?, duration).await
        };
        CartReservePayload::of(ctx, reserved.await).await
    }

    /// Releases the reservation of the viewer's cart.
    async fn cart_release(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The cart to release.")] input: CartReleaseInput,
    ) -> Result<CartReleasePayload> {
        let released = async { actions::release(ctx.db(), ctx.viewer(), CartId::parse("id", &input.id)?).await };
        CartReleasePayload::of(ctx, released.await).await
    }
}
