//! Rows and rules of products.

pub mod bulk;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use rust_decimal::Decimal;

use crate::{
    auth::Scope,
    db::{filter::Op, tables::products},
    error::{Result, UserError, UserErrorCode},
    ids::{BrandId, CategoryId, ProductGroupId, ProductId, SupplierId, UserId, WebsiteId},
    money::check_price,
    paging::SortKey,
    text::{MAX_DESCRIPTION, Validator, check_slug},
    text_enum,
};

/// Most pieces from which a stock can be low.
const MAX_LOW_STOCK: i32 = 1_000_000;

text_enum! {
    /// What everybody may know of a stock.
    pub enum Availability {
        /// More pieces than the number from which a stock is low.
        InStock => "in_stock",
        /// Few pieces.
        LowStock => "low_stock",
        /// None that could be bought.
        OutOfStock => "out_of_stock",
    }
}

/// Most offers of a product, and most products that are linked.
pub const MAX_OFFERS: i64 = 50;

/// What a website sells.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = products, check_for_backend(diesel::pg::Pg))]
pub struct ProductRow {
    /// Key.
    pub id: ProductId,
    /// The website that sells it.
    pub source_website_id: WebsiteId,
    /// Its category.
    pub category_id: Option<CategoryId>,
    /// Its brand.
    pub brand_id: Option<BrandId>,
    /// Whom it is bought from.
    pub supplier_id: Option<SupplierId>,
    /// The seller it belongs to; none for the shop's own.
    pub seller_id: Option<UserId>,
    /// Name for people.
    pub name: String,
    /// Name in URLs, unique.
    pub slug: String,
    /// Stock keeping unit, unique at the website.
    pub sku: String,
    /// GTIN or another code on the pack.
    pub barcode: Option<String>,
    /// Size, colour and the like, in words.
    pub variant: Option<String>,
    /// Text for people.
    pub description: String,
    /// Price of one, in the website's currency.
    pub price: Decimal,
    /// What it cost before, or costs elsewhere.
    pub compare_at_price: Option<Decimal>,
    /// The group of the same thing in other sizes or colours.
    pub group_id: Option<ProductGroupId>,
    /// Its values of what the group varies by, in the group's order.
    pub option_values: Vec<String>,
    /// Pieces that are there: the sum of the ledger.
    pub stock: i32,
    /// Pieces that are kept for carts.
    pub reserved: i32,
    /// From how many pieces down the stock is low.
    pub low_stock_threshold: i32,
    /// What everybody may know of the stock, kept by the database.
    pub availability: Availability,
    /// How many reviews count.
    pub rating_count: i32,
    /// The mean of their ratings, 0 without any.
    pub rating_average: Decimal,
    /// False after deletion.
    pub is_active: bool,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed, stock included.
    pub updated_at: DateTime<Utc>,
}

impl ProductRow {
    /// Pieces that anybody can buy; below 0 where more are reserved than there are, after a correction.
    pub fn available(&self) -> i32 {
        self.stock - self.reserved
    }

    /// How many pieces everybody may know of: those that can be bought, where they are few.
    pub fn low_stock_quantity(&self) -> Option<i32> {
        (self.availability == Availability::LowStock).then(|| self.available())
    }
}

/// What the shop buys a product by: not for the public.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = products, check_for_backend(diesel::pg::Pg))]
pub struct PurchaseRow {
    /// The product.
    pub id: ProductId,
    /// The supplier's own number of it.
    pub supplier_sku: Option<String>,
    /// What one costs the shop, in the website's currency.
    pub cost_price: Option<Decimal>,
}

/// A product to be. Its stock starts at 0: the opening stock is the ledger's first entry.
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
    /// See [`ProductRow`]; the table's default where absent.
    pub low_stock_threshold: Option<i32>,
}

/// A change of a product: what is absent stays, an inner `None` clears.
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
    pub is_active: Option<bool>,
}

impl NewProduct {
    /// # Errors
    /// User errors for the fields that break a rule.
    pub fn check(&self) -> Result<()> {
        ProductPatch {
            name: Some(self.name.clone()),
            slug: Some(self.slug.clone()),
            sku: Some(self.sku.clone()),
            barcode: Some(self.barcode.clone()),
            variant: Some(self.variant.clone()),
            description: Some(self.description.clone()),
            price: Some(self.price),
            compare_at_price: Some(self.compare_at_price),
            cost_price: Some(self.cost_price),
            supplier_sku: Some(self.supplier_sku.clone()),
            low_stock_threshold: self.low_stock_threshold,
            ..ProductPatch::default()
        }
        .check()
    }
}

impl ProductPatch {
    /// # Errors
    /// User errors for the fields that break a rule.
    pub fn check(&self) -> Result<()> {
        let mut validator = Validator::new();
        validator.optional_text("name", self.name.as_deref(), 255);
        check_slug(&mut validator, "slug", self.slug.as_deref());
        validator.optional_text("sku", self.sku.as_deref(), 100);
        validator.optional_text("barcode", self.barcode.as_ref().and_then(Option::as_deref), 100);
        validator.optional_text("variant", self.variant.as_ref().and_then(Option::as_deref), 255);
        validator.multiline_text("description", self.description.as_deref().unwrap_or_default(), MAX_DESCRIPTION);
        if let Some(price) = self.price {
            validator.check(check_price("price", price));
        }
        if let Some(price) = self.compare_at_price.flatten() {
            validator.check(check_price("compareAtPrice", price));
        }
        if let Some(price) = self.cost_price.flatten() {
            validator.check(check_price("costPrice", price));
        }
        validator.optional_text("supplierSku", self.supplier_sku.as_ref().and_then(Option::as_deref), 100);
        if self.low_stock_threshold.is_some_and(|quantity| !(0..=MAX_LOW_STOCK).contains(&quantity)) {
            let rule = format!("a stock is low from 0 to {MAX_LOW_STOCK} pieces down");
            validator.check(Err(UserError::new(UserErrorCode::OutOfRange, "lowStockThreshold", rule)));
        }
        validator.finish()
    }

    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What a group shows of one of its products.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = products, check_for_backend(diesel::pg::Pg))]
pub struct VariantRow {
    /// The group.
    #[diesel(select_expression = products::group_id.assume_not_null())]
    pub group_id: ProductGroupId,
    /// See [`ProductRow`].
    pub option_values: Vec<String>,
    /// See [`ProductRow`].
    pub price: Decimal,
}

/// A condition on products.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ProductCondition {
    /// By id.
    Id(Op<ProductId>),
    /// By name.
    Name(Op<String>),
    /// By SKU.
    Sku(Op<String>),
    /// By barcode.
    Barcode(Op<String>),
    /// By price.
    Price(Op<Decimal>),
    /// By pieces in stock, of the products whose stock this scope knows.
    Stock(Scope, Op<i32>),
    /// By what everybody may know of the stock.
    Availability(Op<Availability>),
    /// By category.
    Category(Op<CategoryId>),
    /// By category: one of these, or one below them.
    CategoryTree(Vec<CategoryId>),
    /// By brand.
    Brand(Op<BrandId>),
    /// By group.
    Group(Op<ProductGroupId>),
    /// By supplier.
    Supplier(Op<SupplierId>),
    /// By website.
    SourceWebsite(Op<WebsiteId>),
    /// By seller.
    Seller(Op<UserId>),
    /// By whether it is for sale.
    IsActive(bool),
    /// By when it was made.
    CreatedAt(Op<DateTime<Utc>>),
}

/// What a list of products is ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, async_graphql::Enum)]
pub enum ProductOrderField {
    /// When it was made.
    #[default]
    CreatedAt,
    /// The name.
    Name,
    /// The price, without regard to the currency.
    Price,
    /// The mean of its reviews' ratings; products without reviews come before those with one star.
    Rating,
}

impl ProductOrderField {
    /// The list's name in cursors.
    pub fn list(self) -> &'static str {
        match self {
            Self::CreatedAt => "products:created_at",
            Self::Name => "products:name",
            Self::Price => "products:price",
            Self::Rating => "products:rating",
        }
    }

    /// The sort key of a row.
    pub fn key(self, row: &ProductRow) -> SortKey {
        match self {
            Self::CreatedAt => SortKey::Time(row.created_at),
            Self::Name => SortKey::Text(row.name.clone()),
            Self::Price => SortKey::Number(row.price),
            Self::Rating => SortKey::Number(row.rating_average),
        }
    }
}

/// Whose products a nested list shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProductParent {
    /// A category's.
    Category,
    /// A category's, and those of the categories below it.
    CategoryTree,
    /// A brand's.
    Brand,
    /// A supplier's.
    Supplier,
    /// A website's.
    Website,
    /// A group's.
    Group,
}
