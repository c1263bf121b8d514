//! Rows and rules of products.

pub mod attributes;
pub mod bulk;
mod list;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use rust_decimal::Decimal;
use serde::Deserialize;

use self::attributes::{WeightUnit, check_seo, check_tags, check_weight};
pub use self::list::{ProductCondition, ProductOrderField, ProductParent};
use crate::{
    db::tables::products,
    error::{Result, UserError, UserErrorCode},
    ids::{BrandId, CategoryId, ProductGroupId, ProductId, SupplierId, UserId, WebsiteId},
    money::Currency,
    text::{MAX_DESCRIPTION, Validator, check_slug},
    text_enum,
};

/// Maximum of the low-stock threshold.
const MAX_LOW_STOCK: i32 = 1_000_000;

text_enum! {
    /// Stock level of a product, as visible to everyone.
    pub enum Availability {
        /// The available quantity is above the low-stock threshold.
        InStock => "in_stock",
        /// The available quantity is at or below the low-stock threshold, and above 0.
        LowStock => "low_stock",
        /// No units are in stock, but the product can be ordered and is delivered later.
        Backorder => "backorder",
        /// No units can be sold.
        OutOfStock => "out_of_stock",
    }
}

text_enum! {
    /// Whether the stock of a product is tracked.
    #[derive(Default, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum InventoryPolicy {
        /// Sales reduce the stock, and the stock limits sales.
        #[default]
        Tracked => "tracked",
        /// The product can always be sold, and sales leave its stock unchanged: services, downloads, goods made to order.
        NotTracked => "not_tracked",
    }
}

text_enum! {
    /// Whether a product can be sold when it is out of stock.
    #[derive(Default, Deserialize)]
    #[graphql(name = "BackorderPolicy")]
    #[serde(rename_all = "snake_case")]
    pub enum Backorders {
        /// The product can be sold only while units are in stock.
        #[default]
        Deny => "deny",
        /// The product can be sold without units in stock; its stock becomes negative, down to -1,000,000.
        Allow => "allow",
    }
}

/// Maximum number of offers of a product, and of linked products.
pub const MAX_OFFERS: i64 = 50;

/// Maximum length of a SKU, in characters.
pub const MAX_SKU: usize = 255;

/// A product offered for sale on one website.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = products, check_for_backend(diesel::pg::Pg))]
pub struct ProductRow {
    /// Primary key.
    pub id: ProductId,
    /// Website that sells the product.
    pub source_website_id: WebsiteId,
    /// Category.
    pub category_id: Option<CategoryId>,
    /// Brand.
    pub brand_id: Option<BrandId>,
    /// Supplier that the product is purchased from.
    pub supplier_id: Option<SupplierId>,
    /// Seller who owns the product; none if the shop itself sells it.
    pub seller_id: Option<UserId>,
    /// Display name.
    pub name: String,
    /// Unique URL slug.
    pub slug: String,
    /// Stock keeping unit, unique within the website.
    pub sku: String,
    /// GTIN or other barcode.
    pub barcode: Option<String>,
    /// Variant in words, such as size and color.
    pub variant: Option<String>,
    /// Description.
    pub description: String,
    /// Price of one unit, in the website's currency.
    pub price: Decimal,
    /// Price to show for comparison.
    pub compare_at_price: Option<Decimal>,
    /// Group of variants that the product belongs to.
    pub group_id: Option<ProductGroupId>,
    /// Values for the options of the group, in the group's order.
    pub option_values: Vec<String>,
    /// Number of units in stock: the sum of the stock ledger.
    pub stock: i32,
    /// Number of units reserved for carts.
    pub reserved: i32,
    /// Quantity at or below which stock is low.
    pub low_stock_threshold: i32,
    /// Whether the stock is tracked.
    pub inventory_policy: InventoryPolicy,
    /// Whether the product can be sold when it is out of stock.
    pub backorders: Backorders,
    /// Stock level as visible to everyone, maintained by the database.
    pub availability: Availability,
    /// Number of approved reviews.
    pub rating_count: i32,
    /// Average rating of approved reviews; 0 if there are none.
    pub rating_average: Decimal,
    /// Whether the product is for sale; false after deletion.
    pub is_active: bool,
    /// When the product was created.
    pub created_at: DateTime<Utc>,
    /// When the product was last updated, including its stock.
    pub updated_at: DateTime<Utc>,
    /// Tags, in the order given.
    pub tags: Vec<String>,
    /// Weight of one unit, in its unit.
    pub weight: Option<Decimal>,
    /// Unit of the weight.
    pub weight_unit: Option<WeightUnit>,
    /// Title for search engines; none if it is the name.
    pub seo_title: Option<String>,
    /// Description for search engines; none if it is the description.
    pub seo_description: Option<String>,
}

impl ProductRow {
    /// Returns whether sales change the stock.
    pub fn is_tracked(&self) -> bool {
        self.inventory_policy == InventoryPolicy::Tracked
    }

    /// Returns whether the product can be sold without units in stock.
    pub fn sells_without_stock(&self) -> bool {
        !self.is_tracked() || self.backorders == Backorders::Allow
    }

    /// Returns the stock without reserved units. It is negative after sales on backorder, and if more units are
    /// reserved than in stock, after an adjustment.
    pub fn available(&self) -> i32 {
        self.stock - self.reserved
    }

    /// Returns the number of units left that everyone may see: the available units if stock is low.
    pub fn low_stock_quantity(&self) -> Option<i32> {
        (self.availability == Availability::LowStock).then(|| self.available())
    }
}

/// Purchase details of a product, which are not public.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = products, check_for_backend(diesel::pg::Pg))]
pub struct PurchaseRow {
    /// Primary key of the product.
    pub id: ProductId,
    /// SKU of the product at its supplier.
    pub supplier_sku: Option<String>,
    /// Purchase cost of one unit, in the website's currency.
    pub cost_price: Option<Decimal>,
}

/// A new product. Its stock is 0; the opening stock is the first entry of the stock ledger.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = products)]
pub struct NewProduct {
    /// See [`ProductRow`].
    pub source_website_id: WebsiteId,
    /// See [`ProductRow`].
    pub category_id: Option<CategoryId>,
    /// See [`ProductRow`].
    pub brand_id: Option<BrandId>,
    /// See [`ProductRow`].
    pub supplier_id: Option<SupplierId>,
    /// See [`ProductRow`].
    pub seller_id: Option<UserId>,
    /// See [`ProductRow`].
    pub name: String,
    /// See [`ProductRow`].
    pub slug: String,
    /// See [`ProductRow`].
    pub sku: String,
    /// See [`ProductRow`].
    pub barcode: Option<String>,
    /// See [`ProductRow`].
    pub variant: Option<String>,
    /// See [`ProductRow`].
    pub description: String,
    /// See [`ProductRow`].
    pub price: Decimal,
    /// See [`ProductRow`].
    pub compare_at_price: Option<Decimal>,
    /// See [`PurchaseRow`].
    pub cost_price: Option<Decimal>,
    /// See [`PurchaseRow`].
    pub supplier_sku: Option<String>,
    /// See [`ProductRow`].
    pub group_id: Option<ProductGroupId>,
    /// See [`ProductRow`].
    pub option_values: Vec<String>,
    /// See [`ProductRow`]; the column default if absent.
    pub low_stock_threshold: Option<i32>,
    /// See [`ProductRow`]; tracked if absent.
    pub inventory_policy: Option<InventoryPolicy>,
    /// See [`ProductRow`]; denied if absent.
    pub backorders: Option<Backorders>,
    /// See [`ProductRow`]; for sale if absent.
    pub is_active: Option<bool>,
    /// See [`ProductRow`].
    pub tags: Vec<String>,
    /// See [`ProductRow`].
    pub weight: Option<Decimal>,
    /// See [`ProductRow`].
    pub weight_unit: Option<WeightUnit>,
    /// See [`ProductRow`].
    pub seo_title: Option<String>,
    /// See [`ProductRow`].
    pub seo_description: Option<String>,
}

/// Changes of a product: an absent field keeps its value, an inner `None` clears it.
#[derive(Debug, Clone, Default, PartialEq, AsChangeset)]
#[diesel(table_name = products)]
pub struct ProductPatch {
    /// See [`ProductRow`].
    pub category_id: Option<Option<CategoryId>>,
    /// See [`ProductRow`].
    pub brand_id: Option<Option<BrandId>>,
    /// See [`ProductRow`].
    pub supplier_id: Option<Option<SupplierId>>,
    /// See [`ProductRow`].
    pub name: Option<String>,
    /// See [`ProductRow`].
    pub slug: Option<String>,
    /// See [`ProductRow`].
    pub sku: Option<String>,
    /// See [`ProductRow`].
    pub barcode: Option<Option<String>>,
    /// See [`ProductRow`].
    pub variant: Option<Option<String>>,
    /// See [`ProductRow`].
    pub description: Option<String>,
    /// See [`ProductRow`].
    pub price: Option<Decimal>,
    /// See [`ProductRow`].
    pub compare_at_price: Option<Option<Decimal>>,
    /// See [`NewProduct`].
    pub cost_price: Option<Option<Decimal>>,
    /// See [`NewProduct`].
    pub supplier_sku: Option<Option<String>>,
    /// See [`ProductRow`].
    pub group_id: Option<Option<ProductGroupId>>,
    /// See [`ProductRow`].
    pub option_values: Option<Vec<String>>,
    /// See [`ProductRow`].
    pub low_stock_threshold: Option<i32>,
    /// See [`ProductRow`].
    pub inventory_policy: Option<InventoryPolicy>,
    /// See [`ProductRow`].
    pub backorders: Option<Backorders>,
    /// See [`ProductRow`].
    pub is_active: Option<bool>,
    /// See [`ProductRow`].
    pub tags: Option<Vec<String>>,
    /// See [`ProductRow`].
    pub weight: Option<Option<Decimal>>,
    /// See [`ProductRow`]; changes together with the weight.
    pub weight_unit: Option<Option<WeightUnit>>,
    /// See [`ProductRow`].
    pub seo_title: Option<Option<String>>,
    /// See [`ProductRow`].
    pub seo_description: Option<Option<String>>,
}

impl NewProduct {
    /// Trims and checks the fields. Prices are in the currency of the website.
    /// # Errors
    /// Returns user errors of invalid fields.
    pub fn checked(self, currency: Currency) -> Result<Self> {
        let patch = ProductPatch {
            name: Some(self.name),
            slug: Some(self.slug).filter(|slug| !slug.is_empty()),
            sku: Some(self.sku),
            barcode: Some(self.barcode),
            variant: Some(self.variant),
            description: Some(self.description),
            price: Some(self.price),
            compare_at_price: Some(self.compare_at_price),
            cost_price: Some(self.cost_price),
            supplier_sku: Some(self.supplier_sku),
            low_stock_threshold: self.low_stock_threshold,
            tags: Some(self.tags),
            weight: Some(self.weight),
            seo_title: Some(self.seo_title),
            seo_description: Some(self.seo_description),
            ..ProductPatch::default()
        };
        let patch = patch.checked(currency)?;
        Ok(Self {
            name: patch.name.unwrap_or_default(),
            slug: patch.slug.unwrap_or_default(),
            sku: patch.sku.unwrap_or_default(),
            barcode: patch.barcode.flatten(),
            variant: patch.variant.flatten(),
            description: patch.description.unwrap_or_default(),
            price: patch.price.unwrap_or_default(),
            compare_at_price: patch.compare_at_price.flatten(),
            cost_price: patch.cost_price.flatten(),
            supplier_sku: patch.supplier_sku.flatten(),
            tags: patch.tags.unwrap_or_default(),
            weight: patch.weight.flatten(),
            seo_title: patch.seo_title.flatten(),
            seo_description: patch.seo_description.flatten(),
            ..self
        })
    }
}

impl ProductPatch {
    /// Trims and checks the fields. Prices are in the currency of the website.
    /// # Errors
    /// Returns user errors of invalid fields.
    pub fn checked(mut self, currency: Currency) -> Result<Self> {
        let mut validator = Validator::new();
        validator.texts("name", &mut self.name, 255);
        check_slug(&mut validator, "slug", self.slug.as_mut());
        validator.texts("sku", &mut self.sku, MAX_SKU);
        validator.optional_texts("barcode", &mut self.barcode, 100);
        validator.optional_texts("variant", &mut self.variant, 255);
        validator.multiline_texts("description", &mut self.description, MAX_DESCRIPTION);
        let mut check_price = |field, price: Option<&mut Decimal>| {
            if let Some(price) = price {
                *price = validator.value_or_default(currency.check_price(field, *price));
            }
        };
        check_price("price", self.price.as_mut());
        check_price("compareAtPrice", self.compare_at_price.as_mut().and_then(Option::as_mut));
        check_price("costPrice", self.cost_price.as_mut().and_then(Option::as_mut));
        validator.optional_texts("supplierSku", &mut self.supplier_sku, MAX_SKU);
        if self.low_stock_threshold.is_some_and(|quantity| !(0..=MAX_LOW_STOCK).contains(&quantity)) {
            let rule = format!("lowStockThreshold must be between 0 and {MAX_LOW_STOCK}");
            validator.check(Err(UserError::new(UserErrorCode::OutOfRange, "lowStockThreshold", rule)));
        }
        check_tags(&mut validator, self.tags.as_mut());
        check_weight(&mut validator, self.weight.flatten());
        check_seo(&mut validator, self.seo_title.as_mut(), self.seo_description.as_mut());
        validator.finish()?;
        Ok(self)
    }

    /// Returns whether the patch changes nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Columns of a product that its group needs.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = products, check_for_backend(diesel::pg::Pg))]
pub struct VariantRow {
    /// Group of the product.
    #[diesel(select_expression = products::group_id.assume_not_null())]
    pub group_id: ProductGroupId,
    /// See [`ProductRow`].
    pub option_values: Vec<String>,
    /// See [`ProductRow`].
    pub price: Decimal,
}
