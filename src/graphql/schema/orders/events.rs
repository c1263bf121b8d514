//! The history of an order in the graph.

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

/// Something that happened to an order.
#[derive(Clone)]
pub struct OrderEvent {
    row: Arc<OrderEventRow>,
    website: WebsiteId,
}

/// The object of an event of a visible order, which was placed at this website.
pub fn event(row: Arc<OrderEventRow>, website: WebsiteId) -> OrderEvent {
    OrderEvent { row, website }
}

by_parent! {
    /// The latest events of orders.
    EventsByOrder by OrderId => OrderEventRow,
    |conn, context, ids| orders::store::events::latest_by_order_ids(conn, &context.order_scope(), &ids), row => row.order_id
}

/// Something that happened to an order. Events are never changed; only erasing a customer takes the notes out of theirs.
#[object]
impl OrderEvent {
    /// What happened.
    fn kind(&self) -> EventKind {
        self.row.kind
    }

    /// When.
    fn at(&self) -> DateTime<Utc> {
        self.row.at
    }

    /// Who did it; null for guests and the shop's program, and where you may not see them.
    async fn by(&self, ctx: &Context<'_>) -> Result<Option<User>> {
        let Some(id) = self.row.user_id else { return Ok(None) };
        Ok(ctx.loaders().row(id).await?.map(user))
    }

    /// The order's status before; null where it stayed.
    fn from_status(&self) -> Option<Status> {
        self.row.from_status
    }

    /// The order's status after; null where it stayed.
    fn to_status(&self) -> Option<Status> {
        self.row.to_status
    }

    /// How many pieces it is about; null where it is about none.
    fn quantity(&self) -> Option<i32> {
        self.row.quantity
    }

    /// How much money it is about; null where it is about none.
    #[graphql(eager)]
    async fn amount(&self, ctx: &Context<'_>) -> Result<Option<Money>> {
        let Some(amount) = self.row.amount else { return Ok(None) };
        Ok(Some(money(amount, ctx.currency(self.website).await?)))
    }

    /// In words: a note, the name of a line, carrier and number of a shipment. Null where there are none.
    fn message(&self) -> Option<&str> {
        self.row.message.as_deref()
    }

    /// Whether only the shop's staff sees it.
    fn is_internal(&self) -> bool {
        self.row.is_internal
    }
}
