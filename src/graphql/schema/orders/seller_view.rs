//! What a viewer sees of an order.
//! Rule: sellers of some of its lines see these lines, the shipments and returns of them, and the shipping address. They
//! see no other line, contact, payment, total, note or history.

use std::{collections::HashSet, sync::Arc};

use async_graphql::Context;
use futures_util::future::try_join_all;
use rust_decimal::Decimal;

use crate::{
    auth::Viewer,
    error::Result,
    graphql::{
        engine::scalars::{Money, money},
        schema::{
            context::ContextExt,
            loaders::{Group, Load, Loaders},
            orders::{DetailsByOrder, Order},
        },
    },
    ids::OrderDetailId,
    orders::model::{OrderActor, OrderDetailRow, OrderRow, ReturnLineRow, ShipmentLineRow},
};

/// A part of an order line, in a shipment or a return.
pub trait LinePart {
    /// Returns the ID of the order line.
    fn line(&self) -> OrderDetailId;
}

impl LinePart for ShipmentLineRow {
    fn line(&self) -> OrderDetailId {
        self.order_detail_id
    }
}

impl LinePart for ReturnLineRow {
    fn line(&self) -> OrderDetailId {
        self.order_detail_id
    }
}

impl Order {
    /// Returns whether the viewer sees the whole order: its customer, staff, and who found it by its email address.
    pub(super) fn is_whole_for(&self, viewer: &Viewer) -> bool {
        self.is_found_by_email || OrderActor::of(viewer, &self.row) != OrderActor::Seller
    }

    /// Returns the row, if the viewer sees the whole order.
    pub(super) fn whole_for(&self, viewer: &Viewer) -> Option<&OrderRow> {
        self.is_whole_for(viewer).then_some(&*self.row)
    }

    /// Returns an amount of the order, if the viewer sees the whole order.
    pub(super) async fn amount_of_whole(&self, ctx: &Context<'_>, amount: Decimal) -> Result<Option<Money>> {
        if !self.is_whole_for(ctx.viewer()) {
            return Ok(None);
        }
        Ok(Some(money(amount, ctx.currency(self.row.source_website_id).await?)))
    }

    /// Returns whether the viewer sees this line of the order.
    pub(super) fn shows_line(&self, viewer: &Viewer, line: &OrderDetailRow) -> bool {
        self.is_found_by_email || line.is_visible_to(viewer, &self.row)
    }

    /// Returns the lines of a shipment or return that the viewer sees.
    pub(super) async fn visible_parts<L, P>(&self, loaders: &Loaders, parent: L::Key) -> Result<Vec<Arc<P>>>
    where
        L: Load<Value = Group<P>>,
        P: LinePart + Send + Sync + 'static,
    {
        let parts = loaders.group::<L, P>(parent).await?;
        if self.is_whole_for(loaders.viewer()) {
            return Ok(parts.to_vec());
        }
        let lines = loaders.group::<DetailsByOrder, _>(self.row.id).await?;
        let visible = lines.iter().filter(|line| self.shows_line(loaders.viewer(), line));
        let visible: HashSet<OrderDetailId> = visible.map(|line| line.id).collect();
        Ok(parts.iter().filter(|part| visible.contains(&part.line())).cloned().collect())
    }

    /// Returns whether the viewer sees a shipment or return: those who do not see the whole order see one of its lines.
    pub(super) async fn shows<L, P>(&self, loaders: &Loaders, id: L::Key) -> Result<bool>
    where
        L: Load<Value = Group<P>>,
        P: LinePart + Send + Sync + 'static,
    {
        Ok(self.is_whole_for(loaders.viewer()) || !self.visible_parts::<L, P>(loaders, id).await?.is_empty())
    }

    /// Returns those of the order's shipments or returns that the viewer sees.
    pub(super) async fn with_visible_lines<L, P, R>(
        &self,
        loaders: &Loaders,
        rows: &[Arc<R>],
        id: impl Fn(&R) -> L::Key,
    ) -> Result<Vec<Arc<R>>>
    where
        L: Load<Value = Group<P>>,
        P: LinePart + Send + Sync + 'static,
    {
        let shown = try_join_all(rows.iter().map(|row| self.shows::<L, P>(loaders, id(row)))).await?;
        Ok(rows.iter().zip(shown).filter(|(_, is_shown)| *is_shown).map(|(row, _)| Arc::clone(row)).collect())
    }
}
