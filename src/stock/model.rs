//! Rows of the ledger.

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use crate::{
    auth::{Permission, Scope, Viewer},
    db::tables::stock_movements,
    ids::{OrderId, ProductId, StockMovementId, UserId},
    products::model::ProductRow,
    text_enum,
};

/// Most pieces of one product in one movement, one line, or one stock.
pub const MAX_QUANTITY: i32 = 1_000_000;

text_enum! {
    /// Why stock moved.
    #[graphql(name = "StockMovementReason")]
    pub enum Reason {
        /// The stock a product began with.
        Opening => "opening",
        /// Counted, found, lost or broken.
        Adjustment => "adjustment",
        /// Sold by an order.
        Sale => "sale",
        /// A pending order was changed.
        OrderChange => "order_change",
        /// An order was cancelled.
        Cancellation => "cancellation",
        /// Pieces came back that can be sold again.
        Return => "return",
    }
}

/// Whether the viewer may write a product's stock, and read its ledger: staff of its website, and the seller it belongs to.
pub fn can_manage_stock(viewer: &Viewer, product: &ProductRow) -> bool {
    let is_own = product.seller_id.is_some() && product.seller_id == viewer.user_id();
    viewer.can_at(Permission::ManageStock, product.source_website_id) || is_own && viewer.can(Permission::SellProducts)
}

/// Whether the viewer may know how many pieces there are; everybody else knows [`ProductRow::low_stock_quantity`].
pub fn can_see_stock(viewer: &Viewer, product: &ProductRow) -> bool {
    can_manage_stock(viewer, product) || viewer.can_at(Permission::ManageProducts, product.source_website_id)
}

/// What [`can_see_stock`] says, as a scope of products.
pub fn stock_scope(viewer: &Viewer) -> Scope {
    let all = if viewer.can(Permission::ManageStock) { Permission::ManageStock } else { Permission::ManageProducts };
    viewer.scope(all)
}

/// A movement as the table has it.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = stock_movements, check_for_backend(diesel::pg::Pg))]
pub struct MovementRow {
    /// Key.
    pub id: StockMovementId,
    /// Of which product.
    pub product_id: ProductId,
    /// By which order.
    pub order_id: Option<OrderId>,
    /// By whom.
    pub user_id: Option<UserId>,
    /// Why.
    pub reason: Reason,
    /// Pieces: positive in, negative out.
    pub delta: i32,
    /// The stock that it left.
    pub balance: i32,
    /// What the person wrote.
    pub note: Option<String>,
    /// When.
    pub created_at: DateTime<Utc>,
}

/// A movement to be.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = stock_movements)]
pub struct NewMovement {
    /// Of which product.
    pub product_id: ProductId,
    /// By which order.
    pub order_id: Option<OrderId>,
    /// By whom.
    pub user_id: Option<UserId>,
    reason: Reason,
    /// Pieces: positive in, negative out, never 0.
    pub delta: i32,
    /// What the person wrote.
    pub note: Option<String>,
}

impl NewMovement {
    /// A movement without a note.
    pub fn new(product: ProductId, order: Option<OrderId>, user: Option<UserId>, reason: Reason, delta: i32) -> Self {
        Self { product_id: product, order_id: order, user_id: user, reason, delta, note: None }
    }
}
