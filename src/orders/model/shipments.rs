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

/// Maximum number of shipments per order; the last one must contain all remaining units.
pub const MAX_SHIPMENTS: usize = 100;

/// Tracking details of a shipment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Queryable, Selectable, Insertable)]
#[diesel(table_name = shipments, check_for_backend(diesel::pg::Pg))]
pub struct Tracking {
    /// Name of the carrier.
    pub carrier: Option<String>,
    /// Tracking number.
    pub tracking_number: Option<String>,
    /// URL of the tracking page.
    pub tracking_url: Option<String>,
}

/// A change of [`Tracking`]: an absent field keeps its value, an inner `None` clears it.
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
    /// Trims and checks the fields.
    /// # Errors
    /// User errors of the invalid fields.
    pub fn checked(mut self) -> Result<Self> {
        check_tracking(Some(&mut self.carrier), Some(&mut self.tracking_number), Some(&mut self.tracking_url))?;
        Ok(self)
    }
}

impl TrackingPatch {
    /// Trims and checks the new values.
    /// # Errors
    /// User errors of the invalid fields.
    pub fn checked(mut self) -> Result<Self> {
        check_tracking(self.carrier.as_mut(), self.tracking_number.as_mut(), self.tracking_url.as_mut())?;
        Ok(self)
    }

    /// Returns whether the patch changes nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

fn check_tracking(
    carrier: Option<&mut Option<String>>,
    number: Option<&mut Option<String>>,
    mut url: Option<&mut Option<String>>,
) -> Result<()> {
    let mut validator = Validator::new();
    validator.optional_texts("carrier", carrier, 100);
    validator.optional_texts("trackingNumber", number, 100);
    validator.optional_texts("trackingUrl", url.as_deref_mut(), 2000);
    let is_link = |url: &str| url.starts_with("https://") || url.starts_with("http://");
    let url = url.and_then(|url| url.as_deref());
    if url.is_some_and(|url| !is_link(url) || url.contains(char::is_whitespace)) {
        validator.add(UserError::new(
            UserErrorCode::Invalid,
            "trackingUrl",
            "must be a URL that starts with https:// or http://",
        ));
    }
    validator.finish()
}

/// A shipment of units of an order.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = shipments, check_for_backend(diesel::pg::Pg))]
pub struct ShipmentRow {
    /// Primary key.
    pub id: ShipmentId,
    /// The order.
    pub order_id: OrderId,
    /// Tracking details.
    #[diesel(embed)]
    pub tracking: Tracking,
    /// When the shipment was sent.
    pub shipped_at: DateTime<Utc>,
    /// When the shipment was delivered.
    pub delivered_at: Option<DateTime<Utc>>,
}

/// A line of a shipment.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = shipment_lines, check_for_backend(diesel::pg::Pg))]
pub struct ShipmentLineRow {
    /// The shipment.
    pub shipment_id: ShipmentId,
    /// The order line.
    pub order_detail_id: OrderDetailId,
    /// Number of units.
    pub quantity: i32,
}

/// A request to ship units of an order.
#[derive(Debug, Clone, Serialize)]
pub struct ShipmentRequest {
    /// The order.
    pub order: OrderId,
    /// Order lines and quantities; all remaining units if absent.
    pub lines: Option<Vec<(OrderDetailId, i32)>>,
    /// Tracking details.
    pub tracking: Tracking,
}
