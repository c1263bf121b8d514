//! Mutations of orders, order lines and order notes.

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

/// A line of `OrderCreateInput`.
#[derive(Debug, InputObject)]
pub struct OrderLineInput {
    /// ID of the product to order.
    product_id: ID,
    /// Quantity, 1 to 1,000,000.
    quantity: i32,
}

/// Input for `orderCreate`.
#[derive(Debug, InputObject)]
pub struct OrderCreateInput {
    /// Lines to order, 1 to 500, all from one website. Quantities of repeated products are added up.
    lines: Vec<OrderLineInput>,
    /// ID of the shipping address. Defaults to the viewer's default address.
    address_id: Option<ID>,
    /// ID of the billing address, one of the viewer's saved addresses. Defaults to the shipping address.
    billing_address_id: Option<ID>,
    /// Key chosen by the client, 1 to 200 characters, such as a UUID. Repeating a request with the same key returns the
    /// first result; with other input it fails with IDEMPOTENCY_MISMATCH.
    idempotency_key: String,
}

/// Input for `orderDetailAdd`.
#[derive(Debug, InputObject)]
pub struct OrderDetailAddInput {
    /// ID of the order.
    order_id: ID,
    /// ID of the product, which is added at its current price: to the line that already has it at this price, or as a new
    /// line.
    product_id: ID,
    /// Quantity, 1 to 1,000,000.
    quantity: i32,
}

/// Input for `orderDetailUpdate`.
#[derive(Debug, InputObject)]
pub struct OrderDetailUpdateInput {
    /// ID of the order line.
    id: ID,
    /// New quantity, 1 to 1,000,000.
    quantity: i32,
}

/// Input for `orderDetailRemove`.
#[derive(Debug, InputObject)]
pub struct OrderDetailRemoveInput {
    /// ID of the order line.
    id: ID,
}

/// Input for `orderStatusUpdate`.
#[derive(Debug, InputObject)]
pub struct OrderStatusUpdateInput {
    /// ID of the order.
    id: ID,
    /// New status. Allowed transitions: PENDING to CONFIRMED to SHIPPED to DELIVERED, and PENDING or CONFIRMED to
    /// CANCELLED, which has the same effects as `orderCancel`.
    status: Status,
}

/// Input for `orderCancel`.
#[derive(Debug, InputObject)]
pub struct OrderCancelInput {
    /// ID of the order.
    id: ID,
}

/// Input for `orderNoteAdd`.
#[derive(Debug, InputObject)]
pub struct OrderNoteAddInput {
    /// ID of the order.
    order_id: ID,
    /// Text of the note, 1 to 2,000 characters.
    text: String,
    /// Whether the note is visible to staff only; can be set by staff only.
    #[graphql(default)]
    is_internal: bool,
}

/// Input for `orderEmailConfirm`.
#[derive(Debug, InputObject)]
pub struct OrderEmailConfirmInput {
    /// Token from the email.
    token: String,
}

payload! {
    /// Result of `orderEmailConfirm`.
    OrderEmailConfirmPayload {
        /// The order whose email address is confirmed.
        order: Order
    }
}
payload! {
    /// Result of `orderNoteAdd`.
    OrderNoteAddPayload {
        /// The order; its latest event is the note.
        order: Order
    }
}
payload! {
    /// Result of `orderCreate`.
    OrderCreatePayload {
        /// The new order, or the order that was placed earlier with the same key.
        order: Order
    }
}
payload! {
    /// Result of `orderDetailAdd`.
    OrderDetailAddPayload {
        /// The updated order.
        order: Order
    }
}
payload! {
    /// Result of `orderDetailUpdate`.
    OrderDetailUpdatePayload {
        /// The updated order.
        order: Order
    }
}
payload! {
    /// Result of `orderDetailRemove`.
    OrderDetailRemovePayload {
        /// The updated order.
        order: Order
    }
}
payload! {
    /// Result of `orderStatusUpdate`.
    OrderStatusUpdatePayload {
        /// The updated order.
        order: Order
    }
}
payload! {
    /// Result of `orderCancel`.
    OrderCancelPayload {
        /// The canceled order.
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
        let billing_address = optional_id("billingAddressId", self.billing_address_id)?;
        Ok((actions::OrderRequest { lines, address, billing_address }, self.idempotency_key))
    }
}

/// Mutation root for orders.
#[derive(Default)]
pub struct OrderMutation;

#[object]
impl OrderMutation {
    /// Places an order: deducts stock and copies the current prices, product names and addresses, all or
    /// nothing. Requires login.
    #[graphql(guard = "LoginGuard")]
    async fn order_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Lines and addresses of the order.")] input: OrderCreateInput,
    ) -> Result<OrderCreatePayload> {
        let created = async {
            let (request, key) = input.into_request()?;
            actions::create(ctx.db(), ctx.viewer(), &ctx.shopper(), request, key).await
        };
        OrderCreatePayload::of(created.await.map(order))
    }

    /// Adds a line to a pending, unpaid order. Customers can change their own orders; `MANAGE_ORDERS` allows any order.
    /// Requires login or the cart token that placed the order.
    #[graphql(guard = "LoginOrGuestGuard")]
    async fn order_detail_add(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Order, product and quantity.")] input: OrderDetailAddInput,
    ) -> Result<OrderDetailAddPayload> {
        let added = async {
            let id = OrderId::parse("orderId", &input.order_id)?;
            let product = ProductId::parse("productId", &input.product_id)?;
            actions::add_line(ctx.db(), ctx.viewer(), &ctx.shopper(), id, product, input.quantity).await
        };
        OrderDetailAddPayload::of(added.await.map(order))
    }

    /// Changes the quantity of a line of a pending, unpaid order. Staff change it at the line's unit price. If a customer
    /// raises it and the product's price has changed, the line stays as it is, and the additional units become a line of
    /// their own at the current price, or are added to the line that has it. Customers can change their own orders;
    /// `MANAGE_ORDERS` allows any order. Requires login or the cart token that placed the order.
    #[graphql(guard = "LoginOrGuestGuard")]
    async fn order_detail_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Order line and its new quantity.")] input: OrderDetailUpdateInput,
    ) -> Result<OrderDetailUpdatePayload> {
        let updated = async {
            let id = OrderDetailId::parse("id", &input.id)?;
            actions::update_line(ctx.db(), ctx.viewer(), &ctx.shopper(), id, input.quantity).await
        };
        OrderDetailUpdatePayload::of(updated.await.map(order))
    }

    /// Removes a line from a pending, unpaid order. The last line cannot be removed. Customers can change their own
    /// orders; `MANAGE_ORDERS` allows any order. Requires login or the cart token that placed the order.
    #[graphql(guard = "LoginOrGuestGuard")]
    async fn order_detail_remove(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Order line to remove.")] input: OrderDetailRemoveInput,
    ) -> Result<OrderDetailRemovePayload> {
        let removed = async {
            let id = OrderDetailId::parse("id", &input.id)?;
            actions::remove_line(ctx.db(), ctx.viewer(), id).await
        };
        OrderDetailRemovePayload::of(removed.await.map(order))
    }

    /// Changes the status of an order. Sellers change that of their own lines: CONFIRMED confirms them, SHIPPED ships
    /// what is left of them, and DELIVERED delivers their shipments; the order's status follows when this is true of
    /// all of its lines. CANCELLED is `PERMISSION_NOT_HELD` for sellers if the order has lines of others. Requires
    /// `MANAGE_ORDERS`, or `SELL_PRODUCTS` for orders that contain the viewer's products.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageOrders, Permission::SellProducts])")]
    async fn order_status_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Order and its new status.")] input: OrderStatusUpdateInput,
    ) -> Result<OrderStatusUpdatePayload> {
        let updated = async {
            let id = OrderId::parse("id", &input.id)?;
            actions::update_status(ctx.db(), ctx.viewer(), id, input.status).await
        };
        OrderStatusUpdatePayload::of(updated.await.map(order))
    }

    /// Adds a note to an order; an order has at most 200 notes. Customers can add notes to their own orders;
    /// `MANAGE_ORDERS` allows any order. Requires login or the cart token that placed the order.
    #[graphql(guard = "LoginOrGuestGuard")]
    async fn order_note_add(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Order and text of the note.")] input: OrderNoteAddInput,
    ) -> Result<OrderNoteAddPayload> {
        let added = async {
            let id = OrderId::parse("orderId", &input.order_id)?;
            actions::add_note(ctx.db(), ctx.viewer(), id, input.text, input.is_internal).await
        };
        OrderNoteAddPayload::of(added.await.map(order))
    }

    /// Confirms the email address of an order with the token from its confirmation email. Orders with an unverified email
    /// address have such a token; it can be used once, within 48 hours. Later orders of the same customer with this address
    /// are confirmed in full.
    async fn order_email_confirm(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Token from the email.")] input: OrderEmailConfirmInput,
    ) -> Result<OrderEmailConfirmPayload> {
        OrderEmailConfirmPayload::of(actions::confirm_email(ctx.db(), &input.token).await.map(order))
    }

    /// Cancels an order, restores its stock and refunds what was paid. Customers can cancel their own orders while they
    /// are pending; `MANAGE_ORDERS` allows any order until a part of it is shipped. Requires login or the cart token
    /// that placed the order.
    #[graphql(guard = "LoginOrGuestGuard")]
    async fn order_cancel(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Order to cancel.")] input: OrderCancelInput,
    ) -> Result<OrderCancelPayload> {
        let cancelled = async {
            let id = OrderId::parse("id", &input.id)?;
            actions::cancel(ctx.db(), ctx.viewer(), id).await
        };
        OrderCancelPayload::of(cancelled.await.map(order))
    }
}
