//! Mutations of orders.

use async_graphql::{Context, ID, InputObject};
use souk_macros::object;

use crate::{
    auth::Permission,
    error::Result,
    graphql::{
        engine::{
            guards::{LoginGuard, LoginOrGuestGuard, PermissionGuard},
            payload::payload,
            scalars::optional_id,
        },
        schema::{
            context::ContextExt,
            orders::{Order, order},
        },
    },
    ids::{OrderDetailId, OrderId, ProductId, RowId},
    orders::{actions, model::Status},
};

/// A line of an order to be.
#[derive(Debug, InputObject)]
pub struct OrderLineInput {
    /// Which product.
    product_id: ID,
    /// Pieces, 1 to 1,000,000.
    quantity: i32,
}

/// An order to be.
#[derive(Debug, InputObject)]
pub struct OrderCreateInput {
    /// What to buy, 1 to 500 lines, all of one website; the same product twice counts together.
    lines: Vec<OrderLineInput>,
    /// Where it goes; your default address where absent.
    address_id: Option<ID>,
    /// Makes sending it again safe: the same key with the same input answers the same order. 1 to 200 characters, for
    /// example a UUID that the checkout page made.
    idempotency_key: String,
}

/// A line to add to a pending order.
#[derive(Debug, InputObject)]
pub struct OrderDetailAddInput {
    /// To which order.
    order_id: ID,
    /// Which product, at today's price.
    product_id: ID,
    /// Pieces, 1 to 1,000,000.
    quantity: i32,
}

/// A change of a line of a pending order.
#[derive(Debug, InputObject)]
pub struct OrderDetailUpdateInput {
    /// Which line.
    id: ID,
    /// Pieces, 1 to 1,000,000.
    quantity: i32,
}

/// A line to take off a pending order.
#[derive(Debug, InputObject)]
pub struct OrderDetailRemoveInput {
    /// Which line.
    id: ID,
}

/// A move of an order.
#[derive(Debug, InputObject)]
pub struct OrderStatusUpdateInput {
    /// Which order.
    id: ID,
    /// Where to: PENDING to CONFIRMED to SHIPPED to DELIVERED, or from the first two to CANCELLED.
    status: Status,
}

/// Which order to cancel.
#[derive(Debug, InputObject)]
pub struct OrderCancelInput {
    /// Which order.
    id: ID,
}

/// A note on an order.
#[derive(Debug, InputObject)]
pub struct OrderNoteAddInput {
    /// On which order.
    order_id: ID,
    /// What it says, 1 to 2,000 characters.
    text: String,
    /// Whether only the shop's staff sees it; for them alone.
    #[graphql(default)]
    is_internal: bool,
}

payload! {
    /// The answer of `orderNoteAdd`.
    OrderNoteAddPayload {
        /// The order; its latest event is the note.
        order: Order
    }
}
payload! {
    /// The answer of `orderCreate`.
    OrderCreatePayload {
        /// The new order, or the one that was placed with the same key before.
        order: Order
    }
}
payload! {
    /// The answer of `orderDetailAdd`.
    OrderDetailAddPayload {
        /// The order as it is now.
        order: Order
    }
}
payload! {
    /// The answer of `orderDetailUpdate`.
    OrderDetailUpdatePayload {
        /// The order as it is now.
        order: Order
    }
}
payload! {
    /// The answer of `orderDetailRemove`.
    OrderDetailRemovePayload {
        /// The order as it is now.
        order: Order
    }
}
payload! {
    /// The answer of `orderStatusUpdate`.
    OrderStatusUpdatePayload {
        /// The order as it is now.
        order: Order
    }
}
payload! {
    /// The answer of `orderCancel`.
    OrderCancelPayload {
        /// The order, cancelled, its stock back.
        order: Order
    }
}

impl OrderCreateInput {
    fn into_request(self) -> Result<(actions::OrderRequest, String)> {
        let lines = self.lines.iter().enumerate().map(|(index, line)| {
            Ok((ProductId::parse(&format!("lines.{index}.productId"), &line.product_id)?, line.quantity))
        });
        let lines = lines.collect::<Result<_>>()?;
        let address = optional_id("addressId", self.address_id)?;
        Ok((actions::OrderRequest { lines, address }, self.idempotency_key))
    }
}

/// Mutations of orders.
#[derive(Default)]
pub struct OrderMutation;

#[object]
impl OrderMutation {
    /// Places an order: takes the stock and copies prices, names and the address, all or nothing. Requires being logged
    /// in.
    #[graphql(guard = "LoginGuard")]
    async fn order_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The order to be.")] input: OrderCreateInput,
    ) -> Result<OrderCreatePayload> {
        let created = async {
            let (request, key) = input.into_request()?;
            actions::create(ctx.db(), ctx.viewer(), request, key).await
        };
        OrderCreatePayload::of(created.await.map(order))
    }

    /// Adds a line to a pending order that nobody has paid for: your own, with MANAGE_ORDERS any. Requires being logged in,
    /// or the cart token that placed it.
    #[graphql(guard = "LoginOrGuestGuard")]
    async fn order_detail_add(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The line.")] input: OrderDetailAddInput,
    ) -> Result<OrderDetailAddPayload> {
        let added = async {
            let id = OrderId::parse("orderId", &input.order_id)?;
            let product = ProductId::parse("productId", &input.product_id)?;
            actions::add_line(ctx.db(), ctx.viewer(), id, product, input.quantity).await
        };
        OrderDetailAddPayload::of(added.await.map(order))
    }

    /// Changes the pieces of a line of a pending order that nobody has paid for, at the price agreed: your own, with
    /// MANAGE_ORDERS any. Requires being logged in, or the cart token that placed it.
    #[graphql(guard = "LoginOrGuestGuard")]
    async fn order_detail_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The change.")] input: OrderDetailUpdateInput,
    ) -> Result<OrderDetailUpdatePayload> {
        let updated = async {
            let id = OrderDetailId::parse("id", &input.id)?;
            actions::update_line(ctx.db(), ctx.viewer(), id, input.quantity).await
        };
        OrderDetailUpdatePayload::of(updated.await.map(order))
    }

    /// Takes a line off a pending order that nobody has paid for, but not the last one: your own, with MANAGE_ORDERS any.
    /// Requires being logged in, or the cart token that placed it.
    #[graphql(guard = "LoginOrGuestGuard")]
    async fn order_detail_remove(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which line.")] input: OrderDetailRemoveInput,
    ) -> Result<OrderDetailRemovePayload> {
        let removed = async {
            let id = OrderDetailId::parse("id", &input.id)?;
            actions::remove_line(ctx.db(), ctx.viewer(), id).await
        };
        OrderDetailRemovePayload::of(removed.await.map(order))
    }

    /// Moves an order along. Requires MANAGE_ORDERS, or SELL_PRODUCTS where it holds one's products.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageOrders, Permission::SellProducts])")]
    async fn order_status_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The move.")] input: OrderStatusUpdateInput,
    ) -> Result<OrderStatusUpdatePayload> {
        let updated = async {
            let id = OrderId::parse("id", &input.id)?;
            actions::update_status(ctx.db(), ctx.viewer(), id, input.status).await
        };
        OrderStatusUpdatePayload::of(updated.await.map(order))
    }

    /// Notes something on an order: your own, with MANAGE_ORDERS any, at most 200 notes each. Requires being logged in, or the
    /// cart token that placed it.
    #[graphql(guard = "LoginOrGuestGuard")]
    async fn order_note_add(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The note.")] input: OrderNoteAddInput,
    ) -> Result<OrderNoteAddPayload> {
        let added = async {
            let id = OrderId::parse("orderId", &input.order_id)?;
            actions::add_note(ctx.db(), ctx.viewer(), id, input.text, input.is_internal).await
        };
        OrderNoteAddPayload::of(added.await.map(order))
    }

    /// Cancels an order and puts its stock back: your own while it is pending, with MANAGE_ORDERS any until something of it
    /// is shipped. What was paid is paid back. Requires being logged in, or the cart token that placed it.
    #[graphql(guard = "LoginOrGuestGuard")]
    async fn order_cancel(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which order.")] input: OrderCancelInput,
    ) -> Result<OrderCancelPayload> {
        let cancelled = async {
            let id = OrderId::parse("id", &input.id)?;
            actions::cancel(ctx.db(), ctx.viewer(), id).await
        };
        OrderCancelPayload::of(cancelled.await.map(order))
    }
}
