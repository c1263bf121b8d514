//! The history of an order in the graph.

use std::sync::Arc;

use async_graphql::{Context, Object};
use chrono::{DateTime, Utc};

use crate::error::Result;
use crate::graphql::engine::container::Ordered;
use crate::graphql::engine::container::Plain;
use crate::graphql::engine::scalars::Money;
use crate::graphql::engine::scalars::money;
use crate::graphql::schema::context::ContextExt;
use crate::graphql::schema::users::User;
use crate::graphql::schema::users::user;
use crate::ids::WebsiteId;
use crate::orders::model::EventKind;
use crate::orders::model::OrderEventRow;
use crate::orders::model::Status;

/// See [`OrderEventObject`].
pub type OrderEvent = Ordered<OrderEventObject>;

/// Something that happened to an order.
#[derive(Clone)]
pub struct OrderEventObject {
    row: Arc<OrderEventRow>,
    website: WebsiteId,
}

impl Plain for OrderEventObject {
    const PLAIN: &'static [&'static str] =
        &["kind", "at", "fromStatus", "toStatus", "quantity", "amount", "message", "isInternal"];
}

/// The object of an event of a visible order, which was placed at this website.
pub fn event(row: Arc<OrderEventRow>, website: WebsiteId) -> OrderEvent {
    Ordered(OrderEventObject { row, website })
}

/// Something that happened to an order. Events are never changed; only erasing a customer takes the notes out of theirs.
#[Object(name = "OrderEvent")]
impl OrderEventObject {
    /// What happened.
    async fn kind(&self) -> EventKind {
        self.row.kind
    }

    /// When.
    async fn at(&self) -> DateTime<Utc> {
        self.row.at
    }

    /// Who did it; null for guests and the shop's program, and where you may not see them.
    async fn by(&self, ctx: &Context<'_>) -> Result<Option<User>> {
        let Some(id) = self.row.user_id else { return Ok(None) };
        Ok(ctx.loaders().users.load(id).await?.map(user))
    }

    /// The order's status before; null where it stayed.
    async fn from_status(&self) -> Option<Status> {
        self.row.from_status
    }

    /// The order's status after; null where it stayed.
    async fn to_status(&self) -> Option<Status> {
        self.row.to_status
    }

    /// How many pieces it is about; null where it is about none.
    async fn quantity(&self) -> Option<i32> {
        self.row.quantity
    }

    /// How much money it is about; null where it is about none.
    async fn amount(&self, ctx: &Context<'_>) -> Result<Option<Money>> {
        let Some(amount) = self.row.amount else { return Ok(None) };
        Ok(Some(money(amount, ctx.currency(self.website).await?)))
    }

    /// In words: a note, the name of a line, carrier and number of a shipment. Null where there are none.
    async fn message(&self) -> Option<&str> {
        self.row.message.as_deref()
    }

    /// Whether only the shop's staff sees it.
    async fn is_internal(&self) -> bool {
        self.row.is_internal
    }
}
