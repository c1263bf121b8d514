//! A product as bulk writes see it: all columns instead of a patch.

use diesel::{
    QueryableByName,
    sql_types::{Array, BigInt, Bool, Integer, Nullable, Numeric, Text},
};
use rust_decimal::Decimal;

use super::{Backorders, InventoryPolicy, attributes::WeightUnit};

/// A product with all columns that an import writes.
#[derive(Debug, Clone, Default, PartialEq, QueryableByName)]
pub struct BulkProduct {
    /// Primary key; 0 for a product that does not exist yet.
    #[diesel(sql_type = BigInt)]
    pub id: i64,
    /// External ID of the product at its website; stored in `sources`, not written here.
    #[diesel(sql_type = Nullable<Text>)]
    pub external_id: Option<String>,
    /// SKU.
    #[diesel(sql_type = Text)]
    pub sku: String,
    /// Name.
    #[diesel(sql_type = Text)]
    pub name: String,
    /// URL slug.
    #[diesel(sql_type = Text)]
    pub slug: String,
    /// GTIN or other barcode.
    #[diesel(sql_type = Nullable<Text>)]
    pub barcode: Option<String>,
    /// Variant, such as size and color.
    #[diesel(sql_type = Nullable<Text>)]
    pub variant: Option<String>,
    /// Description as plain text.
    #[diesel(sql_type = Text)]
    pub description: String,
    /// Price.
    #[diesel(sql_type = Numeric)]
    pub price: Decimal,
    /// Price to show for comparison.
    #[diesel(sql_type = Nullable<Numeric>)]
    pub compare_at_price: Option<Decimal>,
    /// Purchase cost of one unit.
    #[diesel(sql_type = Nullable<Numeric>)]
    pub cost_price: Option<Decimal>,
    /// Category.
    #[diesel(sql_type = Nullable<BigInt>)]
    pub category_id: Option<i64>,
    /// Brand.
    #[diesel(sql_type = Nullable<BigInt>)]
    pub brand_id: Option<i64>,
    /// Supplier.
    #[diesel(sql_type = Nullable<BigInt>)]
    pub supplier_id: Option<i64>,
    /// SKU of the product at its supplier.
    #[diesel(sql_type = Nullable<Text>)]
    pub supplier_sku: Option<String>,
    /// Group of variants.
    #[diesel(sql_type = Nullable<BigInt>)]
    pub group_id: Option<i64>,
    /// Values for the options of the group.
    #[diesel(sql_type = Array<Text>)]
    pub option_values: Vec<String>,
    /// Quantity at or below which stock is low.
    #[diesel(sql_type = Integer)]
    pub low_stock_threshold: i32,
    /// Whether the stock is tracked.
    #[diesel(sql_type = Text)]
    pub inventory_policy: InventoryPolicy,
    /// Whether the product can be sold when it is out of stock.
    #[diesel(sql_type = Text)]
    pub backorders: Backorders,
    /// Number of units in stock.
    #[diesel(sql_type = Integer)]
    pub stock: i32,
    /// Whether the product is for sale.
    #[diesel(sql_type = Bool)]
    pub is_active: bool,
    /// Tags.
    #[diesel(sql_type = Array<Text>)]
    pub tags: Vec<String>,
    /// Weight of one unit, in its unit.
    #[diesel(sql_type = Nullable<Numeric>)]
    pub weight: Option<Decimal>,
    /// Unit of the weight.
    #[diesel(sql_type = Nullable<Text>)]
    pub weight_unit: Option<WeightUnit>,
    /// Title for search engines.
    #[diesel(sql_type = Nullable<Text>)]
    pub seo_title: Option<String>,
    /// Description for search engines.
    #[diesel(sql_type = Nullable<Text>)]
    pub seo_description: Option<String>,
}
