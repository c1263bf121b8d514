//! A product as bulk writes see it: a row of arrays instead of a patch.

use diesel::{
    QueryableByName,
    sql_types::{Array, BigInt, Bool, Integer, Nullable, Numeric, Text},
};
use rust_decimal::Decimal;

/// A product with all columns that an import writes.
#[derive(Debug, Clone, Default, PartialEq, QueryableByName)]
pub struct BulkProduct {
    /// Key; 0 for a product that does not exist yet.
    #[diesel(sql_type = BigInt)]
    pub id: i64,
    /// The source website's own id of the product; stored in `sources`, not written here.
    #[diesel(sql_type = Nullable<Text>)]
    pub external_id: Option<String>,
    /// SKU.
    #[diesel(sql_type = Text)]
    pub sku: String,
    /// Name.
    #[diesel(sql_type = Text)]
    pub name: String,
    /// Name in URLs.
    #[diesel(sql_type = Text)]
    pub slug: String,
    /// GTIN or another code on the package.
    #[diesel(sql_type = Nullable<Text>)]
    pub barcode: Option<String>,
    /// Size, color and the like.
    #[diesel(sql_type = Nullable<Text>)]
    pub variant: Option<String>,
    /// Plain text.
    #[diesel(sql_type = Text)]
    pub description: String,
    /// Price.
    #[diesel(sql_type = Numeric)]
    pub price: Decimal,
    /// Price before a discount.
    #[diesel(sql_type = Nullable<Numeric>)]
    pub compare_at_price: Option<Decimal>,
    /// What one unit costs the shop.
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
    /// The supplier's own number of the product.
    #[diesel(sql_type = Nullable<Text>)]
    pub supplier_sku: Option<String>,
    /// Group of variants.
    #[diesel(sql_type = Nullable<BigInt>)]
    pub group_id: Option<i64>,
    /// Values of the group's options.
    #[diesel(sql_type = Array<Text>)]
    pub option_values: Vec<String>,
    /// At or below this quantity the stock is low.
    #[diesel(sql_type = Integer)]
    pub low_stock_threshold: i32,
    /// Units in stock.
    #[diesel(sql_type = Integer)]
    pub stock: i32,
    /// Whether the product is for sale.
    #[diesel(sql_type = Bool)]
    pub is_active: bool,
}
