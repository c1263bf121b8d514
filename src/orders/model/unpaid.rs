//! Rows of orders that wait for payment.

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use crate::{
    db::tables::unpaid_orders,
    ids::{OrderId, UserId},
};

/// An order that waits for payment, to insert.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = unpaid_orders)]
pub struct NewUnpaidOrder {
    /// The order.
    pub order_id: OrderId,
    /// The user who placed it; none for guests.
    pub user_id: Option<UserId>,
    /// SHA-256 of the network from which it was placed.
    pub network: Option<Vec<u8>>,
    /// When the order is canceled if it is not paid; none for never.
    pub expires_at: Option<DateTime<Utc>>,
}
