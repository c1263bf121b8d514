//! Returns in the graph: parts of an order on their way back.

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
            orders::{Order, OrderDetail, detail, order},
            resource::resource,
        },
    },
    ids::{OrderDetailId, OrderId, ReturnId, RowId},
    orders::{
        self,
        actions::{self, ReturnWithOrder},
        model::{self, OrderRow, ReturnLineRow, ReturnRequest, ReturnRow, ReturnStatus},
    },
};

/// A part of an order on its way back.
#[derive(Clone)]
pub struct Return {
    row: Arc<ReturnRow>,
    order: Arc<OrderRow>,
}

/// The object of a return of a visible order.
pub fn return_object(row: Arc<ReturnRow>, order: Arc<OrderRow>) -> Return {
    Return { row, order }
}

fn return_from_parts((row, order): ReturnWithOrder) -> Return {
    return_object(Arc::new(row), Arc::new(order))
}

resource! {
    Return by ReturnId of ReturnRow,
    |conn, context, ids| orders::store::returns::by_ids(conn, &ids), row => row.id,
    |all, row| all.row(row.order_id).await?.map(|order| return_object(row, order)),
}

by_parent! {
    /// The returns of orders.
    ReturnsByOrder by OrderId => ReturnRow,
    |conn, _, ids| orders::store::returns::by_order_ids(conn, &ids), row => row.order_id
}

by_parent! {
    /// The lines of returns.
    LinesByReturn by ReturnId => ReturnLineRow,
    |conn, _, ids| orders::store::returns::lines_by_return_ids(conn, &ids), row => row.return_id
}

/// A part of an order on its way back: whoever sees the order sees it.
#[object]
impl Return {
    /// Opaque id, unique across all types.
    pub fn id(&self) -> ID {
        global_id(self.row.id)
    }

    /// Of which order.
    fn order(&self) -> Order {
        order(Arc::clone(&self.order))
    }

    /// Where it stands.
    fn status(&self) -> ReturnStatus {
        self.row.status
    }

    /// What is in it: each line of the order at most once.
    #[graphql(complexity = "10 * child_complexity")]
    async fn lines(&self, ctx: &Context<'_>) -> Result<Vec<ReturnLine>> {
        let rows = ctx.loaders().group::<LinesByReturn, _>(self.row.id).await?;
        let line = |row: &Arc<ReturnLineRow>| ReturnLine { row: Arc::clone(row), order: Arc::clone(&self.order) };
        Ok(rows.iter().map(line).collect())
    }

    /// What was written along; null where nothing was, and once the customer was erased.
    fn note(&self) -> Option<&str> {
        self.row.note.as_deref()
    }

    /// Why the shop does not take it back; null unless it is REJECTED, and once the customer was erased.
    fn rejection(&self) -> Option<&str> {
        self.row.rejection.as_deref()
    }

    /// When it was asked for.
    fn created_at(&self) -> DateTime<Utc> {
        self.row.created_at
    }

    /// When it was received or rejected; null while it is REQUESTED.
    fn settled_at(&self) -> Option<DateTime<Utc>> {
        self.row.settled_at
    }
}

/// Pieces of a line in a return.
#[derive(Clone)]
pub struct ReturnLine {
    row: Arc<ReturnLineRow>,
    order: Arc<OrderRow>,
}

/// Pieces of an order's line in a return.
#[object]
impl ReturnLine {
    /// Of which line.
    async fn detail(&self, ctx: &Context<'_>) -> Result<OrderDetail> {
        let row = ctx.loaders().row(self.row.order_detail_id).await?;
        let row = row.ok_or_else(|| Error::Internal("a return of a line that is gone".into()))?;
        Ok(detail(row, Arc::clone(&self.order)))
    }

    /// Pieces.
    fn quantity(&self) -> i32 {
        self.row.quantity
    }

    /// Why; null once the customer was erased.
    fn reason(&self) -> Option<&str> {
        self.row.reason.as_deref()
    }

    /// Whether they went back to stock.
    fn is_restocked(&self) -> bool {
        self.row.is_restocked
    }
}

/// Pieces of a line to send back.
#[derive(Debug, InputObject)]
pub struct ReturnLineInput {
    /// Of which line of the order; each at most once.
    order_detail_id: ID,
    /// Pieces, 1 to as many as have left and are on no other return.
    quantity: i32,
    /// Why, 1 to 500 characters.
    reason: String,
}

/// A return to be.
#[derive(Debug, InputObject)]
pub struct ReturnCreateInput {
    /// Of which order.
    order_id: ID,
    /// What is to go back.
    lines: Vec<ReturnLineInput>,
    /// What else there is to say, 1 to 2,000 characters.
    note: Option<String>,
    /// Makes sending it again safe: the same key with the same input answers the same return. 1 to 200 characters.
    idempotency_key: String,
}

/// What becomes of a line of a return.
#[derive(Debug, InputObject)]
pub struct ReturnReceiveLineInput {
    /// Which line of the order; each at most once.
    order_detail_id: ID,
    /// Whether the pieces can be sold again: they go back to stock.
    restock: bool,
}

/// A return that has arrived.
#[derive(Debug, InputObject)]
pub struct ReturnReceiveInput {
    /// Which return.
    id: ID,
    /// What becomes of its lines; what is not named does not go back to stock.
    #[graphql(default)]
    lines: Vec<ReturnReceiveLineInput>,
}

/// A return that is not taken back.
#[derive(Debug, InputObject)]
pub struct ReturnRejectInput {
    /// Which return.
    id: ID,
    /// Why, 1 to 500 characters; the customer sees it.
    reason: String,
}

payload! {
    /// The answer of `returnCreate`.
    ReturnCreatePayload {
        /// The new return, or the one that was made with the same key before.
        r#return: Return
    }
}
payload! {
    /// The answer of `returnReceive`.
    ReturnReceivePayload {
        /// The return as it is now.
        r#return: Return
    }
}
payload! {
    /// The answer of `returnReject`.
    ReturnRejectPayload {
        /// The return as it is now.
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

/// Mutations of returns.
#[derive(Default)]
pub struct ReturnMutation;

#[object]
impl ReturnMutation {
    /// Asks to send pieces of an order back that have left: of your own, with MANAGE_ORDERS of any. Requires being logged in,
    /// or the cart token that placed it.
    #[graphql(guard = "LoginOrGuestGuard")]
    async fn return_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The return to be.")] input: ReturnCreateInput,
    ) -> Result<ReturnCreatePayload> {
        let created = async {
            let (request, key) = input.into_request()?;
            actions::create_return(ctx.db(), ctx.viewer(), request, key).await
        };
        ReturnCreatePayload::of(created.await.map(return_from_parts))
    }

    /// Notes that a return has arrived, and puts back into stock what can be sold again. Requires MANAGE_ORDERS.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageOrders])")]
    async fn return_receive(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The return, and what becomes of its lines.")] input: ReturnReceiveInput,
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

    /// Does not take a return back: its pieces may be asked for again. Requires MANAGE_ORDERS.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageOrders])")]
    async fn return_reject(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The return, and why.")] input: ReturnRejectInput,
    ) -> Result<ReturnRejectPayload> {
        let rejected = async {
            let id = ReturnId::parse("id", &input.id)?;
            actions::reject_return(ctx.db(), ctx.viewer(), id, input.reason).await
        };
        ReturnRejectPayload::of(rejected.await.map(return_from_parts))
    }
}
