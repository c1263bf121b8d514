//! Rows and inputs of shipments.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::Serialize;

use crate::{
    db::tables::{shipment_lines, shipments},
    error::{Result, UserError, UserErrorCode},
    ids::{OrderDetailId, OrderId, ShipmentId},
    text::Validator,
};

/// Most shipments of an order: the last of them takes all that is left.
pub const MAX_SHIPMENTS: usize = 100;

/// How a parcel can be followed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Queryable, Selectable, Insertable)]
#[diesel(table_name = shipments, check_for_backend(diesel::pg::Pg))]
pub struct Tracking {
    /// Who carries it.
    pub carrier: Option<String>,
    /// The carrier's number.
    pub tracking_number: Option<String>,
    /// Where people see how far it is.
    pub tracking_url: Option<String>,
}

/// A change of the above: what is absent stays, an inner `None` clears.
#[derive(Debug, Clone, Default, PartialEq, Eq, AsChangeset)]
#[diesel(table_name = shipments)]
pub struct TrackingPatch {
    /// See [`Tracking`].
    pub carrier: Option<Option<String>>,
    /// See [`Tracking`].
    pub tracking_number: Option<Option<String>>,
    /// See [`Tracking`].
    pub tracking_url: Option<Option<String>>,
}

impl Tracking {
    /// # Errors
    /// User errors for the fields that break a rule.
    pub fn check(&self) -> Result<()> {
        check_tracking(self.carrier.as_deref(), self.tracking_number.as_deref(), self.tracking_url.as_deref())
    }
}

impl TrackingPatch {
    /// # Errors
    /// User errors for the fields that break a rule.
    pub fn check(&self) -> Result<()> {
        let new = |field: &'_ Option<Option<String>>| field.clone().flatten();
        let (carrier, number, url) = (new(&self.carrier), new(&self.tracking_number), new(&self.tracking_url));
        check_tracking(carrier.as_deref(), number.as_deref(), url.as_deref())
    }

    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

fn check_tracking(carrier: Option<&str>, number: Option<&str>, url: Option<&str>) -> Result<()> {
    let mut validator = Validator::new();
    validator.optional_text("carrier", carrier, 100);
    validator.optional_text("trackingNumber", number, 100);
    validator.optional_text("trackingUrl", url, 2000);
    let is_link = |url: &str| url.starts_with("https://") || url.starts_with("http://");
    if url.is_some_and(|url| !url.trim().is_empty() && (!is_link(url) || url.contains(char::is_whitespace))) {
        validator.add(UserError::new(UserErrorCode::Invalid, "trackingUrl", "give a URL that starts with https://"));
    }
    validator.finish()
}

/// A part of an order on its way.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = shipments, check_for_backend(diesel::pg::Pg))]
pub struct ShipmentRow {
    /// Key.
    pub id: ShipmentId,
    /// Of which order.
    pub order_id: OrderId,
    /// How it can be followed.
    #[diesel(embed)]
    pub tracking: Tracking,
    /// When it left.
    pub shipped_at: DateTime<Utc>,
    /// When it arrived.
    pub delivered_at: Option<DateTime<Utc>>,
}

/// Pieces of a line in a shipment.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = shipment_lines, check_for_backend(diesel::pg::Pg))]
pub struct ShipmentLineRow {
    /// In which shipment.
    pub shipment_id: ShipmentId,
    /// Of which line.
    pub order_detail_id: OrderDetailId,
    /// Pieces.
    pub quantity: i32,
}

/// A shipment to be.
#[derive(Debug, Clone, Serialize)]
pub struct ShipmentRequest {
    /// Of which order.
    pub order: OrderId,
    /// Pieces of its lines; all that is left where absent.
    pub lines: Option<Vec<(OrderDetailId, i32)>>,
    /// How it can be followed.
    pub tracking: Tracking,
}
