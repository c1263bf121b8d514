//! Rows and rules of the stock ledger.

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use crate::{
    auth::{Permission, Scope, Viewer},
    db::tables::stock_movements,
    ids::{OrderId, ProductId, StockMovementId, UserId},
    products::model::ProductRow,
    text_enum,
};

/// Maximum number of units of a product in a movement, a line or its stock, and on backorder.
pub const MAX_QUANTITY: i32 = 1_000_000;

text_enum! {
    /// Reasons for a change of stock.
    #[graphql(name = "StockMovementReason")]
    pub enum Reason {
        /// The opening stock of a product.
        Opening => "opening",
        /// The stock was adjusted, such as after a count, a loss or damage.
        Adjustment => "adjustment",
        /// Units were sold in an order.
        Sale => "sale",
        /// A pending order was changed.
        OrderChange => "order_change",
        /// An order was canceled.
        Cancellation => "cancellation",
        /// Units were returned and can be sold again.
        Return => "return",
    }
}

/// Returns whether the viewer may edit a product's stock and read its ledger: staff of its website, and its seller.
pub fn can_manage_stock(viewer: &Viewer, product: &ProductRow) -> bool {
    let is_own = product.seller_id.is_some() && product.seller_id == viewer.seller_id();
    viewer.can_at(Permission::ManageStock, product.source_website_id) || is_own && viewer.can(Permission::SellProducts)
}

/// Returns whether the viewer may see the exact stock. Everyone else sees only [`ProductRow::low_stock_quantity`].
pub fn can_see_stock(viewer: &Viewer, product: &ProductRow) -> bool {
    can_manage_stock(viewer, product) || viewer.can_at(Permission::ManageProducts, product.source_website_id)
}

/// Returns the scope of products for which [`can_see_stock`] is true.
pub fn stock_scope(viewer: &Viewer) -> Scope {
    let all = if viewer.can(Permission::ManageStock) { Permission::ManageStock } else { Permission::ManageProducts };
    viewer.scope(all)
}

/// A stock movement.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = stock_movements, check_for_backend(diesel::pg::Pg))]
pub struct MovementRow {
    /// Primary key.
    pub id: StockMovementId,
    /// Product whose stock changed.
    pub product_id: ProductId,
    /// Order that caused the change.
    pub order_id: Option<OrderId>,
    /// User who made the change.
    pub user_id: Option<UserId>,
    /// Reason for the change.
    pub reason: Reason,
    /// Change in units: positive for additions, negative for removals.
    pub delta: i32,
    /// Stock after the change.
    pub balance: i32,
    /// Note of the user.
    pub note: Option<String>,
    /// When the movement was created.
    pub created_at: DateTime<Utc>,
}

/// A new stock movement.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = stock_movements)]
pub struct NewMovement {
    /// Product whose stock changes.
    pub product_id: ProductId,
    /// Order that causes the change.
    pub order_id: Option<OrderId>,
    /// User who makes the change.
    pub user_id: Option<UserId>,
    reason: Reason,
    /// Change in units: positive for additions, negative for removals, never 0.
    pub delta: i32,
    /// Note of the user.
    pub note: Option<String>,
    /// When the stock moved; defaults to now.
    pub created_at: Option<DateTime<Utc>>,
}

impl NewMovement {
    /// Creates a movement without a note.
    pub fn new(product: ProductId, order: Option<OrderId>, user: Option<UserId>, reason: Reason, delta: i32) -> Self {
        Self { product_id: product, order_id: order, user_id: user, reason, delta, note: None, created_at: None }
    }

    /// Returns the movement with this time instead of now.
    pub fn at(self, time: DateTime<Utc>) -> Self {
        Self { created_at: Some(time), ..self }
    }
}
