//! Subscriptions to carts.

use async_graphql::{Context, ID};
use souk_macros::object;

use super::{Cart, cart};
use crate::{
    error::Result,
    events::model::Topic,
    graphql::{
        engine::{guards::LoginOrGuestGuard, scalars::global_id},
        schema::{
            context::ContextExt,
            subscriptions::{event, event_object},
        },
    },
    ids::CartId,
};

event_object! {
    /// A change of a cart.
    CartChange {
        /// ID of the cart.
        cart_id: ID,
        /// The cart, as it is when the event is sent. Null if it was merged into another cart or has expired. A cart that was checked
        /// out is empty.
        cart: Option<Cart>,
    }
}

/// Subscription root for carts.
#[derive(Default)]
pub struct CartSubscription;

#[object]
impl CartSubscription {
    /// Sends an event for each change of the lines of the viewer's carts, also of carts that are created later. Requires a login, or the cart token as `X-Cart-Token`; `FORBIDDEN` for API keys, which have no carts.
    #[graphql(guard = "LoginOrGuestGuard")]
    async fn cart_updated(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Send the events after this cursor first.")] after: Option<String>,
    ) -> Result<Option<CartChange>> {
        let topics = Topic::carts_of(ctx.viewer().require_holder()?);
        let Some(event) = event(ctx, topics, &[], after)? else { return Ok(None) };
        let id: CartId = event.subject();
        let row = ctx.loaders().row(id).await?;
        Ok(Some(CartChange { event, cart_id: global_id(id), cart: row.map(cart) }))
    }
}
