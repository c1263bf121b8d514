//! Rows of an order's event history.

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

/// Maximum number of events shown per order; the latest ones.
pub const MAX_EVENTS: i64 = 500;
/// Maximum number of notes per order, so that notes do not push other events out of the list.
pub const MAX_NOTES: i64 = 200;

text_enum! {
    /// Type of an event in an order's history.
    #[graphql(name = "OrderEventKind")]
    pub enum EventKind {
        /// The order was placed.
        Placed => "placed",
        /// The order's status changed.
        StatusChanged => "status_changed",
        /// A line was added; `message` is the line's name.
        LineAdded => "line_added",
        /// The quantity of a line was changed; `message` is the line's name, `quantity` its new quantity.
        LineChanged => "line_changed",
        /// A line was removed; `message` is the line's name.
        LineRemoved => "line_removed",
        /// A note was added; `message` is its text.
        Note => "note",
        /// Units were shipped; `message` is the carrier and the tracking number.
        Shipped => "shipped",
        /// The tracking details of a shipment were changed; `message` is the new carrier and tracking number.
        TrackingChanged => "tracking_changed",
        /// A shipment was delivered; `message` is the carrier and the tracking number.
        Delivered => "delivered",
        /// A return was requested.
        ReturnRequested => "return_requested",
        /// A return was received.
        ReturnReceived => "return_received",
        /// A return was rejected.
        ReturnRejected => "return_rejected",
        /// A payment was authorized.
        PaymentAuthorized => "payment_authorized",
        /// A payment was captured.
        PaymentCaptured => "payment_captured",
        /// A payment authorization was voided.
        PaymentVoided => "payment_voided",
        /// A payment was refunded in full or in part.
        PaymentRefunded => "payment_refunded",
        /// A payment failed.
        PaymentFailed => "payment_failed",
    }
}

/// An event in an order's history.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = order_events, check_for_backend(diesel::pg::Pg))]
pub struct OrderEventRow {
    /// Primary key; increases with time.
    pub id: OrderEventId,
    /// The order.
    pub order_id: OrderId,
    /// When the event occurred.
    pub at: DateTime<Utc>,
    /// The user who caused it; none for guests and for the system.
    pub user_id: Option<UserId>,
    /// Type of the event.
    pub kind: EventKind,
    /// Status before the event.
    pub from_status: Option<Status>,
    /// Status after the event.
    pub to_status: Option<Status>,
    /// Number of units.
    pub quantity: Option<i32>,
    /// Amount of money.
    pub amount: Option<Decimal>,
    /// Text of the event; none if it has no text or the customer's data was erased.
    pub message: Option<String>,
    /// Whether the event is visible to staff only.
    pub is_internal: bool,
}

/// A note to insert.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = order_events)]
pub struct NewNote {
    /// The order.
    pub order_id: OrderId,
    /// The author; none for guests.
    pub user_id: Option<UserId>,
    /// Text of the note.
    pub message: String,
    /// See [`OrderEventRow`].
    pub is_internal: bool,
}

/// A past event to insert. Events of the present are written by triggers.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = order_events)]
pub struct NewEvent {
    /// See [`OrderEventRow`].
    pub order_id: OrderId,
    /// See [`OrderEventRow`].
    pub at: DateTime<Utc>,
    /// See [`OrderEventRow`].
    pub user_id: Option<UserId>,
    /// See [`OrderEventRow`].
    pub kind: EventKind,
    /// See [`OrderEventRow`].
    pub from_status: Option<Status>,
    /// See [`OrderEventRow`].
    pub to_status: Option<Status>,
    /// See [`OrderEventRow`].
    pub quantity: Option<i32>,
    /// See [`OrderEventRow`].
    pub amount: Option<Decimal>,
    /// See [`OrderEventRow`].
    pub message: Option<String>,
    /// See [`OrderEventRow`].
    pub is_internal: bool,
}

/// Trims and checks the text of a note: 1 to 2,000 characters, line breaks allowed.
/// # Errors
/// A user error of `text`.
pub fn checked_note(mut text: String) -> Result<String> {
    let mut validator = Validator::new();
    validator.multiline_texts("text", [&mut text], 2000);
    if text.is_empty() {
        validator.add(UserError::new(UserErrorCode::Required, "text", "must not be blank"));
    }
    validator.finish()?;
    Ok(text)
}
