//! Shipments in the graph: parts of an order on their way.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, MaybeUndefined};
use chrono::{DateTime, Utc};
use souk_macros::object;

use crate::{
    auth::Permission,
    error::{Error, Result},
    graphql::{
        engine::{guards::PermissionGuard, payload::payload, scalars::global_id},
        schema::{
            context::ContextExt,
            loaders::by_parent,
            orders::{Order, OrderDetail, detail, order},
            resource::resource,
        },
    },
    ids::{OrderDetailId, OrderId, RowId, ShipmentId},
    orders::{
        self,
        actions::{self, ShipmentWithOrder},
        model::{OrderRow, ShipmentLineRow, ShipmentRequest, ShipmentRow, Tracking, TrackingPatch},
    },
};

/// A part of an order on its way.
#[derive(Clone)]
pub struct Shipment {
    row: Arc<ShipmentRow>,
    order: Arc<OrderRow>,
}

/// The object of a shipment of a visible order.
pub fn shipment(row: Arc<ShipmentRow>, order: Arc<OrderRow>) -> Shipment {
    Shipment { row, order }
}

fn shipment_from_parts((row, order): ShipmentWithOrder) -> Shipment {
    shipment(Arc::new(row), Arc::new(order))
}

resource! {
    Shipment by ShipmentId of ShipmentRow,
    |conn, context, ids| orders::store::shipments::by_ids(conn, &ids), row => row.id,
    |all, row| all.row(row.order_id).await?.map(|order| shipment(row, order)),
}

by_parent! {
    /// The shipments of orders.
    ShipmentsByOrder by OrderId => ShipmentRow,
    |conn, _, ids| orders::store::shipments::by_order_ids(conn, &ids), row => row.order_id
}

by_parent! {
    /// The lines of shipments.
    LinesByShipment by ShipmentId => ShipmentLineRow,
    |conn, _, ids| orders::store::shipments::lines_by_shipment_ids(conn, &ids), row => row.shipment_id
}

/// A part of an order on its way: whoever sees the order sees it.
#[object]
impl Shipment {
    /// Opaque id, unique across all types.
    pub fn id(&self) -> ID {
        global_id(self.row.id)
    }

    /// Of which order.
    fn order(&self) -> Order {
        order(Arc::clone(&self.order))
    }

    /// What is in it: each line of the order at most once.
    #[graphql(complexity = "10 * child_complexity")]
    async fn lines(&self, ctx: &Context<'_>) -> Result<Vec<ShipmentLine>> {
        let rows = ctx.loaders().group::<LinesByShipment, _>(self.row.id).await?;
        let line = |row: &Arc<ShipmentLineRow>| ShipmentLine { row: Arc::clone(row), order: Arc::clone(&self.order) };
        Ok(rows.iter().map(line).collect())
    }

    /// Who carries it.
    fn carrier(&self) -> Option<&str> {
        self.row.tracking.carrier.as_deref()
    }

    /// The carrier's number.
    fn tracking_number(&self) -> Option<&str> {
        self.row.tracking.tracking_number.as_deref()
    }

    /// Where people see how far it is.
    fn tracking_url(&self) -> Option<&str> {
        self.row.tracking.tracking_url.as_deref()
    }

    /// When it left.
    fn shipped_at(&self) -> DateTime<Utc> {
        self.row.shipped_at
    }

    /// When it arrived; null while it is on its way.
    fn delivered_at(&self) -> Option<DateTime<Utc>> {
        self.row.delivered_at
    }
}

/// Pieces of a line in a shipment.
#[derive(Clone)]
pub struct ShipmentLine {
    row: Arc<ShipmentLineRow>,
    order: Arc<OrderRow>,
}

/// Pieces of an order's line in a shipment.
#[object]
impl ShipmentLine {
    /// Of which line.
    async fn detail(&self, ctx: &Context<'_>) -> Result<OrderDetail> {
        let row = ctx.loaders().row(self.row.order_detail_id).await?;
        let row = row.ok_or_else(|| Error::Internal("a shipment of a line that is gone".into()))?;
        Ok(detail(row, Arc::clone(&self.order)))
    }

    /// Pieces.
    fn quantity(&self) -> i32 {
        self.row.quantity
    }
}

/// Pieces of a line to ship.
#[derive(Debug, InputObject)]
pub struct ShipmentLineInput {
    /// Of which line of the order; each at most once.
    order_detail_id: ID,
    /// Pieces, 1 to as many as are left.
    quantity: i32,
}

/// A shipment to be.
#[derive(Debug, InputObject)]
pub struct ShipmentCreateInput {
    /// Of which confirmed order.
    order_id: ID,
    /// What is in it; all that is left of the order where absent.
    lines: Option<Vec<ShipmentLineInput>>,
    /// Who carries it, 1 to 100 characters.
    carrier: Option<String>,
    /// The carrier's number, 1 to 100 characters.
    tracking_number: Option<String>,
    /// Where people see how far it is: a URL that starts with https:// or http://.
    tracking_url: Option<String>,
    /// Makes sending it again safe: the same key with the same input answers the same shipment. 1 to 200 characters.
    idempotency_key: String,
}

/// A change of how a shipment can be followed: an absent field stays, null clears.
#[derive(Debug, InputObject)]
pub struct ShipmentUpdateInput {
    /// Which shipment.
    id: ID,
    /// Who carries it, 1 to 100 characters.
    carrier: MaybeUndefined<String>,
    /// The carrier's number, 1 to 100 characters.
    tracking_number: MaybeUndefined<String>,
    /// Where people see how far it is: a URL that starts with https:// or http://.
    tracking_url: MaybeUndefined<String>,
}

/// Which shipment has arrived.
#[derive(Debug, InputObject)]
pub struct ShipmentDeliverInput {
    /// Which shipment.
    id: ID,
}

payload! {
    /// The answer of `shipmentCreate`.
    ShipmentCreatePayload {
        /// The new shipment, or the one that was made with the same key before.
        shipment: Shipment
    }
}
payload! {
    /// The answer of `shipmentUpdate`.
    ShipmentUpdatePayload {
        /// The shipment as it is now.
        shipment: Shipment
    }
}
payload! {
    /// The answer of `shipmentDeliver`.
    ShipmentDeliverPayload {
        /// The shipment as it is now.
        shipment: Shipment
    }
}

/// Pieces of lines of an input's list `lines`.
/// # Errors
/// User errors naming the place in the list.
pub fn parse_line_quantities<'a>(lines: impl IntoIterator<Item = (&'a ID, i32)>) -> Result<Vec<(OrderDetailId, i32)>> {
    let lines = lines.into_iter().enumerate().map(|(index, (id, quantity))| {
        Ok((OrderDetailId::parse(&format!("lines.{index}.orderDetailId"), id)?, quantity))
    });
    lines.collect()
}

impl ShipmentCreateInput {
    fn into_request(self) -> Result<(ShipmentRequest, String)> {
        let order = OrderId::parse("orderId", &self.order_id)?;
        let lines = self
            .lines
            .as_ref()
            .map(|lines| parse_line_quantities(lines.iter().map(|line| (&line.order_detail_id, line.quantity))));
        let Self { carrier, tracking_number, tracking_url, .. } = self;
        let tracking = Tracking { carrier, tracking_number, tracking_url };
        Ok((ShipmentRequest { order, lines: lines.transpose()?, tracking }, self.idempotency_key))
    }
}

/// Mutations of shipments.
#[derive(Default)]
pub struct ShipmentMutation;

#[object]
impl ShipmentMutation {
    /// Ships pieces of a confirmed order, or all that is left of it: with the last piece the order becomes SHIPPED. The
    /// contact of the order is told by mail. Requires MANAGE_ORDERS, or SELL_PRODUCTS where it holds one's products.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageOrders, Permission::SellProducts])")]
    async fn shipment_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The shipment to be.")] input: ShipmentCreateInput,
    ) -> Result<ShipmentCreatePayload> {
        let created = async {
            let (request, key) = input.into_request()?;
            actions::create_shipment(ctx.db(), ctx.viewer(), request, key).await
        };
        ShipmentCreatePayload::of(created.await.map(shipment_from_parts))
    }

    /// Changes how a shipment can be followed. Requires MANAGE_ORDERS, or SELL_PRODUCTS where its order holds one's products.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageOrders, Permission::SellProducts])")]
    async fn shipment_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The change.")] input: ShipmentUpdateInput,
    ) -> Result<ShipmentUpdatePayload> {
        let updated = async {
            let id = ShipmentId::parse("id", &input.id)?;
            let patch = TrackingPatch {
                carrier: input.carrier.into(),
                tracking_number: input.tracking_number.into(),
                tracking_url: input.tracking_url.into(),
            };
            actions::update_shipment(ctx.db(), ctx.viewer(), id, patch).await
        };
        ShipmentUpdatePayload::of(updated.await.map(shipment_from_parts))
    }

    /// Notes that a shipment has arrived: with the last one of a shipped order the order becomes DELIVERED. Requires
    /// MANAGE_ORDERS, or SELL_PRODUCTS where its order holds one's products.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageOrders, Permission::SellProducts])")]
    async fn shipment_deliver(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which shipment.")] input: ShipmentDeliverInput,
    ) -> Result<ShipmentDeliverPayload> {
        let delivered = async {
            let id = ShipmentId::parse("id", &input.id)?;
            actions::deliver_shipment(ctx.db(), ctx.viewer(), id).await
        };
        ShipmentDeliverPayload::of(delivered.await.map(shipment_from_parts))
    }
}
