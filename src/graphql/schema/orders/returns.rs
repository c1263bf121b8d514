//! GraphQL types and mutations of returns.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject};
use chrono::{DateTime, Utc};
use souk_macros::object;

use crate::{
    auth::Permission,
    error::{Error, Result},
    graphql::{
        engine::{
            guards::{LoginOrGuestGuard, PermissionGuard},
            payload::payload,
            scalars::global_id,
        },
        schema::{
            context::ContextExt,
            loaders::by_parent,
            orders::{Order, OrderDetail, detail},
            resource::resource,
        },
    },
    ids::{OrderDetailId, OrderId, ReturnId, RowId},
    orders::{
        self,
        actions::{self, ReturnWithOrder},
        model::{self, ReturnLineRow, ReturnRequest, ReturnRow, ReturnStatus},
    },
};

/// A return of items of an order.
#[derive(Clone)]
pub struct Return {
    row: Arc<ReturnRow>,
    order: Order,
}

/// Returns the object of a return of a visible order.
pub fn return_object(row: Arc<ReturnRow>, order: Order) -> Return {
    Return { row, order }
}

fn return_from_parts((row, order): ReturnWithOrder) -> Return {
    return_object(Arc::new(row), super::order(order))
}

resource! {
    Return by ReturnId of ReturnRow,
    |conn, context, ids| orders::store::returns::by_ids(conn, &ids), row => row.id,
    |all, row| match all.row(row.order_id).await?.map(super::order) {
        Some(order) if order.shows::<LinesByReturn, _>(all, row.id).await? => Some(return_object(row, order)),
        _ => None,
    },
}

by_parent! {
    /// Returns of orders.
    ReturnsByOrder by OrderId => ReturnRow,
    |conn, _, ids| orders::store::returns::by_order_ids(conn, &ids), row => row.order_id
}

by_parent! {
    /// Lines of returns.
    LinesByReturn by ReturnId => ReturnLineRow,
    |conn, _, ids| orders::store::returns::lines_by_return_ids(conn, &ids), row => row.return_id
}

/// A return of items of an order. Visible to everyone who may see the order; to sellers only with one of
/// their lines, without those of others.
#[object]
impl Return {
    /// Opaque global ID.
    pub fn id(&self) -> ID {
        global_id(self.row.id)
    }

    /// Order that the items belong to.
    fn order(&self) -> Order {
        self.order.clone()
    }

    /// Current status of the return.
    fn status(&self) -> ReturnStatus {
        self.row.status
    }

    /// Lines of the return; each order line appears at most once.
    #[graphql(complexity = "10 * child_complexity")]
    async fn lines(&self, ctx: &Context<'_>) -> Result<Vec<ReturnLine>> {
        let rows = self.order.visible_parts::<LinesByReturn, _>(ctx.loaders(), self.row.id).await?;
        Ok(rows.into_iter().map(|row| ReturnLine { row, order: self.order.clone() }).collect())
    }

    /// Note of the requester. Null if there is none, if the customer's data was erased, and for sellers.
    fn note(&self, ctx: &Context<'_>) -> Option<&str> {
        self.order.whole_for(ctx.viewer())?;
        self.row.note.as_deref()
    }

    /// Reason for the rejection. Null unless the status is REJECTED, or if the customer's data was erased.
    fn rejection(&self) -> Option<&str> {
        self.row.rejection.as_deref()
    }

    /// When the return was requested (UTC).
    fn created_at(&self) -> DateTime<Utc> {
        self.row.created_at
    }

    /// When the return was received or rejected (UTC); null while the status is REQUESTED.
    fn settled_at(&self) -> Option<DateTime<Utc>> {
        self.row.settled_at
    }
}

/// A line of a return.
#[derive(Clone)]
pub struct ReturnLine {
    row: Arc<ReturnLineRow>,
    order: Order,
}

/// A line of a return: a quantity of one order line.
#[object]
impl ReturnLine {
    /// Order line that the items belong to.
    async fn detail(&self, ctx: &Context<'_>) -> Result<OrderDetail> {
        let row = ctx.loaders().row(self.row.order_detail_id).await?;
        let row = row.ok_or_else(|| Error::Internal("return line refers to a missing order line".into()))?;
        Ok(detail(row, self.order.clone()))
    }

    /// Quantity returned.
    fn quantity(&self) -> i32 {
        self.row.quantity
    }

    /// Reason for the return. Null if the customer's data was erased.
    fn reason(&self) -> Option<&str> {
        self.row.reason.as_deref()
    }

    /// Whether the returned units were put back into stock.
    fn is_restocked(&self) -> bool {
        self.row.is_restocked
    }
}

/// A line of `ReturnCreateInput`.
#[derive(Debug, InputObject)]
pub struct ReturnLineInput {
    /// ID of the order line; each order line at most once.
    order_detail_id: ID,
    /// Quantity to return: at least 1, at most the shipped quantity that is not part of another return.
    quantity: i32,
    /// Reason for the return, 1 to 500 characters.
    reason: String,
}

/// Input for `returnCreate`.
#[derive(Debug, InputObject)]
pub struct ReturnCreateInput {
    /// ID of the order.
    order_id: ID,
    /// Lines to return.
    lines: Vec<ReturnLineInput>,
    /// Additional note, 1 to 2,000 characters.
    note: Option<String>,
    /// Key chosen by the client, 1 to 200 characters. Repeating a request with the same key returns the first result.
    idempotency_key: String,
}

/// A line of `ReturnReceiveInput`.
#[derive(Debug, InputObject)]
pub struct ReturnReceiveLineInput {
    /// ID of the order line; each order line at most once.
    order_detail_id: ID,
    /// Whether to put the returned units back into stock because they can be sold again.
    restock: bool,
}

/// Input for `returnReceive`.
#[derive(Debug, InputObject)]
pub struct ReturnReceiveInput {
    /// ID of the return.
    id: ID,
    /// Lines with the decision whether to put their units back into stock. Units of omitted lines are not put back.
    #[graphql(default)]
    lines: Vec<ReturnReceiveLineInput>,
}

/// Input for `returnReject`.
#[derive(Debug, InputObject)]
pub struct ReturnRejectInput {
    /// ID of the return.
    id: ID,
    /// Reason for the rejection, 1 to 500 characters; visible to the customer.
    reason: String,
}

payload! {
    /// Result of `returnCreate`.
    ReturnCreatePayload {
        /// The new return, or the return that was requested earlier with the same key.
        r#return: Return
    }
}
payload! {
    /// Result of `returnReceive`.
    ReturnReceivePayload {
        /// The updated return.
        r#return: Return
    }
}
payload! {
    /// Result of `returnReject`.
    ReturnRejectPayload {
        /// The updated return.
        r#return: Return
    }
}

fn parse_line_id(index: usize, id: &ID) -> Result<OrderDetailId> {
    OrderDetailId::parse(&format!("lines.{index}.orderDetailId"), id)
}

impl ReturnCreateInput {
    fn into_request(self) -> Result<(ReturnRequest, String)> {
        let order = OrderId::parse("orderId", &self.order_id)?;
        let lines = self.lines.into_iter().enumerate().map(|(index, line)| {
            let ReturnLineInput { order_detail_id, quantity, reason } = line;
            Ok(model::ReturnLine { line: parse_line_id(index, &order_detail_id)?, quantity, reason })
        });
        let lines = lines.collect::<Result<_>>()?;
        Ok((ReturnRequest { order, lines, note: self.note }, self.idempotency_key))
    }
}

/// Mutation root for returns.
#[derive(Default)]
pub struct ReturnMutation;

#[object]
impl ReturnMutation {
    /// Requests the return of shipped items of an order. Customers can return items of their own orders;
    /// `MANAGE_ORDERS` allows any order. Requires login or the cart token that placed the order.
    #[graphql(guard = "LoginOrGuestGuard")]
    async fn return_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Order and lines to return.")] input: ReturnCreateInput,
    ) -> Result<ReturnCreatePayload> {
        let created = async {
            let (request, key) = input.into_request()?;
            actions::create_return(ctx.db(), ctx.viewer(), request, key).await
        };
        ReturnCreatePayload::of(created.await.map(return_from_parts))
    }

    /// Marks a return as received and restocks the units that can be sold again. Requires `MANAGE_ORDERS`.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageOrders])")]
    async fn return_receive(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Return and the lines to restock.")] input: ReturnReceiveInput,
    ) -> Result<ReturnReceivePayload> {
        let received = async {
            let id = ReturnId::parse("id", &input.id)?;
            let lines = input.lines.iter().enumerate();
            let lines = lines.map(|(index, line)| Ok((parse_line_id(index, &line.order_detail_id)?, line.restock)));
            let lines = lines.collect::<Result<_>>()?;
            actions::receive_return(ctx.db(), ctx.viewer(), id, lines).await
        };
        ReturnReceivePayload::of(received.await.map(return_from_parts))
    }

    /// Rejects a return. Its units can be requested again in another return. Requires `MANAGE_ORDERS`.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageOrders])")]
    async fn return_reject(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Return and the reason for the rejection.")] input: ReturnRejectInput,
    ) -> Result<ReturnRejectPayload> {
        let rejected = async {
            let id = ReturnId::parse("id", &input.id)?;
            actions::reject_return(ctx.db(), ctx.viewer(), id, input.reason).await
        };
        ReturnRejectPayload::of(rejected.await.map(return_from_parts))
    }
}
