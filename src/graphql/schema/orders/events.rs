//! GraphQL type of the events in an order's history.

use std::sync::Arc;

use async_graphql::Context;
use chrono::{DateTime, Utc};
use souk_macros::object;

use crate::{
    error::Result,
    graphql::{
        engine::scalars::{Money, money},
        schema::{
            context::ContextExt,
            loaders::by_parent,
            users::{User, user},
        },
    },
    ids::{OrderId, WebsiteId},
    orders::{
        self,
        model::{EventKind, OrderEventRow, Status},
    },
};

/// An event in the history of an order.
#[derive(Clone)]
pub struct OrderEvent {
    row: Arc<OrderEventRow>,
    website: WebsiteId,
}

/// Returns the object of an event of a visible order that was placed at this website.
pub fn event(row: Arc<OrderEventRow>, website: WebsiteId) -> OrderEvent {
    OrderEvent { row, website }
}

by_parent! {
    /// Latest events of orders.
    EventsByOrder by OrderId => OrderEventRow,
    |conn, context, ids| orders::store::events::latest_by_order_ids(conn, &context.order_scope(), &ids), row => row.order_id
}

/// An event in the history of an order. Events are immutable, except that notes are removed when the customer's data is
/// erased.
#[object]
impl OrderEvent {
    /// Kind of event.
    fn kind(&self) -> EventKind {
        self.row.kind
    }

    /// When the event occurred (UTC).
    fn at(&self) -> DateTime<Utc> {
        self.row.at
    }

    /// User who caused the event. Null for guests, for automatic events, and if the viewer may not see the user.
    async fn by(&self, ctx: &Context<'_>) -> Result<Option<User>> {
        let Some(id) = self.row.user_id else { return Ok(None) };
        Ok(ctx.loaders().row(id).await?.map(user))
    }

    /// Status of the order before the event; null if the event did not change it.
    fn from_status(&self) -> Option<Status> {
        self.row.from_status
    }

    /// Status of the order after the event; null if the event did not change it.
    fn to_status(&self) -> Option<Status> {
        self.row.to_status
    }

    /// Number of units that the event concerns; null if it concerns none.
    fn quantity(&self) -> Option<i32> {
        self.row.quantity
    }

    /// Amount of money that the event concerns; null if it concerns none.
    #[graphql(eager)]
    async fn amount(&self, ctx: &Context<'_>) -> Result<Option<Money>> {
        let Some(amount) = self.row.amount else { return Ok(None) };
        Ok(Some(money(amount, ctx.currency(self.website).await?)))
    }

    /// Text of the event, such as a note, the name of an order line, or the carrier and tracking number of a shipment.
    /// Null if there is none.
    fn message(&self) -> Option<&str> {
        self.row.message.as_deref()
    }

    /// Whether the event is visible to staff only.
    fn is_internal(&self) -> bool {
        self.row.is_internal
    }
}
