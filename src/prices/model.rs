//! Rows of the history of prices.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use rust_decimal::Decimal;

use crate::{
    auth::{Permission, Viewer},
    db::tables::price_changes,
    ids::{PriceChangeId, ProductId, UserId},
    products::model::ProductRow,
};

/// Whether the viewer may read a product's history: who may set its price.
pub fn can_set_price(viewer: &Viewer, product: &ProductRow) -> bool {
    let is_own = product.seller_id.is_some() && product.seller_id == viewer.user_id();
    viewer.can_at(Permission::ManageProducts, product.source_website_id)
        || is_own && viewer.can(Permission::SellProducts)
}

/// What a product cost from one moment on.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = price_changes, check_for_backend(diesel::pg::Pg))]
pub struct PriceChangeRow {
    /// Key.
    pub id: PriceChangeId,
    /// Of which product.
    pub product_id: ProductId,
    /// By whom.
    pub user_id: Option<UserId>,
    /// Price of one.
    pub price: Decimal,
    /// The price to compare with.
    pub compare_at_price: Option<Decimal>,
    /// The lowest price of the 30 days before this price began; none where it is no reduction.
    pub prior_price: Option<Decimal>,
    /// From when on.
    pub at: DateTime<Utc>,
}
