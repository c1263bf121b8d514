//! Rows of the price history.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use rust_decimal::Decimal;

use crate::{
    auth::{Permission, Viewer},
    db::tables::price_changes,
    ids::{PriceChangeId, ProductId, UserId},
    products::model::ProductRow,
};

/// Returns whether the viewer may read a product's price history: those who may set its price.
pub fn can_set_price(viewer: &Viewer, product: &ProductRow) -> bool {
    let is_own = product.seller_id.is_some() && product.seller_id == viewer.seller_id();
    viewer.can_at(Permission::ManageProducts, product.source_website_id)
        || is_own && viewer.can(Permission::SellProducts)
}

/// A price change.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = price_changes, check_for_backend(diesel::pg::Pg))]
pub struct PriceChangeRow {
    /// Primary key.
    pub id: PriceChangeId,
    /// Product whose price changed.
    pub product_id: ProductId,
    /// User who changed the price, if known.
    pub user_id: Option<UserId>,
    /// Price of one unit from this change on.
    pub price: Decimal,
    /// Compare-at price from this change on.
    pub compare_at_price: Option<Decimal>,
    /// Lowest price of the 30 days before this change; none if the change is not a price reduction.
    pub prior_price: Option<Decimal>,
    /// When the price took effect.
    pub at: DateTime<Utc>,
}
