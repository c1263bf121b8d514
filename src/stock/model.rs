//! Rows of the ledger.

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use crate::{
    db::tables::stock_movements,
    ids::{OrderId, ProductId, StockMovementId, UserId},
};

/// Most pieces of one product in one movement, one line, or one stock.
pub const MAX_PIECES: i32 = 1_000_000;

/// Why stock moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The stock a product began with.
    Opening,
    /// Counted, found, lost or broken.
    Adjustment,
    /// Sold by an order.
    Sale,
    /// A pending order was changed.
    OrderChange,
    /// An order was cancelled.
    Cancellation,
    /// Pieces came back that can be sold again.
    Return,
}

impl Reason {
    /// The value in the table.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Opening => "opening",
            Self::Adjustment => "adjustment",
            Self::Sale => "sale",
            Self::OrderChange => "order_change",
            Self::Cancellation => "cancellation",
            Self::Return => "return",
        }
    }
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
    /// Why, as [`Reason::as_str`] says it.
    pub reason: String,
    /// Pieces: positive in, negative out.
    pub delta: i32,
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
    reason: &'static str,
    /// Pieces: positive in, negative out, never 0.
    pub delta: i32,
    /// What the person wrote.
    pub note: Option<String>,
}

impl NewMovement {
    /// A movement without a note.
    pub fn new(product: ProductId, order: Option<OrderId>, user: Option<UserId>, reason: Reason, delta: i32) -> Self {
        Self { product_id: product, order_id: order, user_id: user, reason: reason.as_str(), delta, note: None }
    }
}
