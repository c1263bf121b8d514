//! GraphQL types and mutations of shipments.

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
            orders::{Order, OrderDetail, detail},
            resource::resource,
        },
    },
    ids::{OrderDetailId, OrderId, RowId, ShipmentId},
    orders::{
        self,
        actions::{self, ShipmentWithOrder},
        model::{ShipmentLineRow, ShipmentRequest, ShipmentRow, Tracking, TrackingPatch},
    },
};

/// A shipment of items of an order.
#[derive(Clone)]
pub struct Shipment {
    row: Arc<ShipmentRow>,
    order: Order,
}

/// Returns the object of a shipment of a visible order.
pub fn shipment(row: Arc<ShipmentRow>, order: Order) -> Shipment {
    Shipment { row, order }
}

fn shipment_from_parts((row, order): ShipmentWithOrder) -> Shipment {
    shipment(Arc::new(row), super::order(order))
}

resource! {
    Shipment by ShipmentId of ShipmentRow,
    |conn, context, ids| orders::store::shipments::by_ids(conn, &ids), row => row.id,
    |all, row| match all.row(row.order_id).await?.map(super::order) {
        Some(order) if order.shows::<LinesByShipment, _>(all, row.id).await? => Some(shipment(row, order)),
        _ => None,
    },
}

by_parent! {
    /// Shipments of orders.
    ShipmentsByOrder by OrderId => ShipmentRow,
    |conn, _, ids| orders::store::shipments::by_order_ids(conn, &ids), row => row.order_id
}

by_parent! {
    /// Lines of shipments.
    LinesByShipment by ShipmentId => ShipmentLineRow,
    |conn, _, ids| orders::store::shipments::lines_by_shipment_ids(conn, &ids), row => row.shipment_id
}

/// A shipment of items of an order. Visible to everyone who may see the order; to sellers only with one of
/// their lines, without those of others.
#[object]
impl Shipment {
    /// Opaque global ID.
    pub fn id(&self) -> ID {
        global_id(self.row.id)
    }

    /// Order that the items belong to.
    fn order(&self) -> Order {
        self.order.clone()
    }

    /// Lines of the shipment; each order line appears at most once.
    #[graphql(complexity = "10 * child_complexity")]
    async fn lines(&self, ctx: &Context<'_>) -> Result<Vec<ShipmentLine>> {
        let rows = self.order.visible_parts::<LinesByShipment, _>(ctx.loaders(), self.row.id).await?;
        Ok(rows.into_iter().map(|row| ShipmentLine { row, order: self.order.clone() }).collect())
    }

    /// Name of the carrier; null if unknown.
    fn carrier(&self) -> Option<&str> {
        self.row.tracking.carrier.as_deref()
    }

    /// Tracking number of the carrier; null if unknown.
    fn tracking_number(&self) -> Option<&str> {
        self.row.tracking.tracking_number.as_deref()
    }

    /// URL of the carrier's tracking page; null if unknown.
    fn tracking_url(&self) -> Option<&str> {
        self.row.tracking.tracking_url.as_deref()
    }

    /// When the shipment left (UTC).
    fn shipped_at(&self) -> DateTime<Utc> {
        self.row.shipped_at
    }

    /// When the shipment was delivered (UTC); null while it is in transit.
    fn delivered_at(&self) -> Option<DateTime<Utc>> {
        self.row.delivered_at
    }
}

/// A line of a shipment.
#[derive(Clone)]
pub struct ShipmentLine {
    row: Arc<ShipmentLineRow>,
    order: Order,
}

/// A line of a shipment: a quantity of one order line.
#[object]
impl ShipmentLine {
    /// Order line that the items belong to.
    async fn detail(&self, ctx: &Context<'_>) -> Result<OrderDetail> {
        let row = ctx.loaders().row(self.row.order_detail_id).await?;
        let row = row.ok_or_else(|| Error::Internal("shipment line refers to a missing order line".into()))?;
        Ok(detail(row, self.order.clone()))
    }

    /// Quantity shipped.
    fn quantity(&self) -> i32 {
        self.row.quantity
    }
}

/// A line of `ShipmentCreateInput`.
#[derive(Debug, InputObject)]
pub struct ShipmentLineInput {
    /// ID of the order line; each order line at most once.
    order_detail_id: ID,
    /// Quantity to ship: at least 1, at most the quantity that is not shipped yet.
    quantity: i32,
}

/// Input for `shipmentCreate`.
#[derive(Debug, InputObject)]
pub struct ShipmentCreateInput {
    /// ID of the order, which must be confirmed.
    order_id: ID,
    /// Lines to ship. If omitted, everything that is not shipped yet is shipped; for sellers everything of their lines.
    lines: Option<Vec<ShipmentLineInput>>,
    /// Name of the carrier, 1 to 100 characters.
    carrier: Option<String>,
    /// Tracking number of the carrier, 1 to 100 characters.
    tracking_number: Option<String>,
    /// URL of the carrier's tracking page; must start with https:// or http://.
    tracking_url: Option<String>,
    /// Key chosen by the client, 1 to 200 characters. Repeating a request with the same key returns the first result.
    idempotency_key: String,
}

/// Input for `shipmentUpdate`. An omitted field keeps its value; null clears an optional one.
#[derive(Debug, InputObject)]
pub struct ShipmentUpdateInput {
    /// ID of the shipment.
    id: ID,
    /// Name of the carrier, 1 to 100 characters.
    carrier: MaybeUndefined<String>,
    /// Tracking number of the carrier, 1 to 100 characters.
    tracking_number: MaybeUndefined<String>,
    /// URL of the carrier's tracking page; must start with https:// or http://.
    tracking_url: MaybeUndefined<String>,
}

/// Input for `shipmentDeliver`.
#[derive(Debug, InputObject)]
pub struct ShipmentDeliverInput {
    /// ID of the shipment.
    id: ID,
}

payload! {
    /// Result of `shipmentCreate`.
    ShipmentCreatePayload {
        /// The new shipment, or the shipment that was created earlier with the same key.
        shipment: Shipment
    }
}
payload! {
    /// Result of `shipmentUpdate`.
    ShipmentUpdatePayload {
        /// The updated shipment.
        shipment: Shipment
    }
}
payload! {
    /// Result of `shipmentDeliver`.
    ShipmentDeliverPayload {
        /// The delivered shipment.
        shipment: Shipment
    }
}

/// Parses the order line IDs and quantities of the list `lines` of an input.
/// # Errors
/// Returns user errors that name the index in the list.
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

/// Mutation root for shipments.
#[derive(Default)]
pub struct ShipmentMutation;

#[object]
impl ShipmentMutation {
    /// Ships items of a confirmed order; sellers ship their own lines. When everything is shipped, the order's status
    /// becomes SHIPPED. The order's contact is notified by email. Requires `MANAGE_ORDERS`, or `SELL_PRODUCTS` for
    /// orders that contain the viewer's products.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageOrders, Permission::SellProducts])")]
    async fn shipment_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Order, lines and tracking data.")] input: ShipmentCreateInput,
    ) -> Result<ShipmentCreatePayload> {
        let created = async {
            let (request, key) = input.into_request()?;
            actions::create_shipment(ctx.db(), ctx.viewer(), request, key).await
        };
        ShipmentCreatePayload::of(created.await.map(shipment_from_parts))
    }

    /// Updates the tracking data of a shipment; `PERMISSION_NOT_HELD` for sellers if it has lines of others. Requires
    /// `MANAGE_ORDERS`, or `SELL_PRODUCTS` for orders that contain the viewer's products.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageOrders, Permission::SellProducts])")]
    async fn shipment_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Shipment and the tracking data to change.")] input: ShipmentUpdateInput,
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

    /// Marks a shipment as delivered. When all shipments of a shipped order are delivered, the order's status becomes
    /// DELIVERED. `PERMISSION_NOT_HELD` for sellers if it has lines of others. Requires `MANAGE_ORDERS`, or
    /// `SELL_PRODUCTS` for orders that contain the viewer's products.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageOrders, Permission::SellProducts])")]
    async fn shipment_deliver(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Shipment that was delivered.")] input: ShipmentDeliverInput,
    ) -> Result<ShipmentDeliverPayload> {
        let delivered = async {
            let id = ShipmentId::parse("id", &input.id)?;
            actions::deliver_shipment(ctx.db(), ctx.viewer(), id).await
        };
        ShipmentDeliverPayload::of(delivered.await.map(shipment_from_parts))
    }
}
