//! Subscriptions to orders.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID};
use souk_macros::object;

use super::{Order, order};
use crate::{
    auth::Permission,
    error::Result,
    events::model::{Event, EventKind, Topic},
    graphql::{
        engine::guards::PermissionGuard,
        schema::{
            context::ContextExt,
            subscriptions::{event, event_object, missing, website_of},
        },
    },
    ids::{OrderId, RowId},
    orders::model::OrderRow,
};

/// Kind of a change of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum OrderChangeKind {
    /// The order was placed.
    Placed,
    /// The order's status changed.
    StatusChanged,
    /// Something else changed: a line, an address, a shipment, a return, a payment or a note.
    Updated,
}

event_object! {
    /// A change of an order.
    OrderChange {
        /// The order, as it is when the event is sent.
        order: Order,
        /// Kind of the change.
        kind: OrderChangeKind,
    }
}

/// Permissions whose holders also get events of internal notes.
const INTERNAL: &[Permission] = &[Permission::ManageOrders];

/// Returns the change of an order that the viewer sees; none if they do not see the change itself.
fn visible_change(ctx: &Context<'_>, event: Arc<Event>, row: Arc<OrderRow>) -> Option<OrderChange> {
    if !event.row.is_public && !ctx.viewer().can_at(Permission::ManageOrders, row.source_website_id) {
        return None;
    }
    let kind = match event.row.kind {
        EventKind::OrderPlaced => OrderChangeKind::Placed,
        EventKind::OrderStatusChanged => OrderChangeKind::StatusChanged,
        _ => OrderChangeKind::Updated,
    };
    Some(OrderChange { event, order: order(row), kind })
}

/// Subscription root for orders.
#[derive(Default)]
pub struct OrderSubscription;

#[object]
impl OrderSubscription {
    /// Sends an event for each change of an order. For the customer, the guest with the cart token that the order was placed
    /// with, the sellers of its lines, and staff with `MANAGE_ORDERS`; `NOT_FOUND` for others. Internal notes are
    /// events for staff only.
    async fn order_updated(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "ID of the order.")] id: ID,
        #[graphql(desc = "Send the events after this cursor first.")] after: Option<String>,
    ) -> Result<Option<OrderChange>> {
        let id = OrderId::parse("id", &id)?;
        let row = ctx.loaders().row(id).await?.ok_or_else(|| missing("order"))?;
        let Some(event) = event(ctx, [Topic::Order(id)], INTERNAL, after)? else { return Ok(None) };
        Ok(visible_change(ctx, event, row))
    }

    /// Sends an event for each change of any order that the viewer sees: of the websites that the viewer's permissions
    /// cover, or with lines of a seller. Orders of imports are left out. Requires `MANAGE_ORDERS` or `SELL_PRODUCTS`.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageOrders, Permission::SellProducts])")]
    async fn orders_changed(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Send only orders of this website, by ID or code.")] website: Option<ID>,
        #[graphql(desc = "Send the events after this cursor first.")] after: Option<String>,
    ) -> Result<Option<OrderChange>> {
        let website = website_of(ctx, website).await?;
        let Some(event) = event(ctx, [Topic::Orders(website)], INTERNAL, after)? else { return Ok(None) };
        let row = ctx.loaders().row::<OrderId>(event.subject()).await?;
        Ok(row.and_then(|row| visible_change(ctx, event, row)))
    }
}
