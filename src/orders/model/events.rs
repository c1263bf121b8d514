//! Rows of an order's history.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use rust_decimal::Decimal;

use super::Status;
use crate::{
    db::tables::order_events,
    error::{Result, UserError, UserErrorCode},
    ids::{OrderEventId, OrderId, UserId},
    text::Validator,
    text_enum,
};

/// Most events of an order that are shown: the latest.
pub const MAX_EVENTS: i64 = 500;
/// Most notes on an order, so that they do not hide what happened.
pub const MAX_NOTES: i64 = 200;

text_enum! {
    /// What happened to an order.
    #[graphql(name = "OrderEventKind")]
    pub enum EventKind {
        /// It was placed.
        Placed => "placed",
        /// It moved from one status to another.
        StatusChanged => "status_changed",
        /// A line was added; `message` is its name.
        LineAdded => "line_added",
        /// The pieces of a line were changed; `message` is its name, `quantity` the pieces it has now.
        LineChanged => "line_changed",
        /// A line was taken off; `message` is its name.
        LineRemoved => "line_removed",
        /// Somebody noted something: `message`.
        Note => "note",
        /// Pieces left; `message` is carrier and number.
        Shipped => "shipped",
        /// A shipment can be followed otherwise; `message` is carrier and number.
        TrackingChanged => "tracking_changed",
        /// A shipment arrived; `message` is carrier and number.
        Delivered => "delivered",
        /// Somebody wants to send pieces back.
        ReturnRequested => "return_requested",
        /// Pieces came back.
        ReturnReceived => "return_received",
        /// Pieces are not taken back.
        ReturnRejected => "return_rejected",
        /// An amount was promised.
        PaymentAuthorized => "payment_authorized",
        /// An amount was paid.
        PaymentCaptured => "payment_captured",
        /// A promise was given back.
        PaymentVoided => "payment_voided",
        /// An amount was paid back.
        PaymentRefunded => "payment_refunded",
        /// A payment did not work.
        PaymentFailed => "payment_failed",
    }
}

/// Something that happened to an order.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = order_events, check_for_backend(diesel::pg::Pg))]
pub struct OrderEventRow {
    /// Key: later events have larger ones.
    pub id: OrderEventId,
    /// To which order.
    pub order_id: OrderId,
    /// When.
    pub at: DateTime<Utc>,
    /// By whom; none where it was nobody known.
    pub user_id: Option<UserId>,
    /// What.
    pub kind: EventKind,
    /// The status before.
    pub from_status: Option<Status>,
    /// The status after.
    pub to_status: Option<Status>,
    /// How many pieces.
    pub quantity: Option<i32>,
    /// How much money.
    pub amount: Option<Decimal>,
    /// In words; none where there are none, and once its customer was erased.
    pub message: Option<String>,
    /// Whether only the shop's staff sees it.
    pub is_internal: bool,
}

/// A note to be.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = order_events)]
pub struct NewNote {
    /// On which order.
    pub order_id: OrderId,
    /// By whom.
    pub user_id: Option<UserId>,
    /// What it says.
    pub message: String,
    /// See [`OrderEventRow`].
    pub is_internal: bool,
}

/// Checks the text of a note: 1 to 2,000 characters, several lines.
/// # Errors
/// A user error of `text`.
pub fn check_note(text: &str) -> Result<()> {
    let mut validator = Validator::new();
    if text.trim().is_empty() {
        validator.add(UserError::new(UserErrorCode::Required, "text", "give a text that is not blank"));
    }
    validator.multiline_text("text", text, 2000);
    validator.finish()
}
