//! Filter conditions, sort orders and parents of product lists.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use super::{Availability, ProductRow};
use crate::{
    auth::Scope,
    db::filter::Op,
    ids::{BrandId, CategoryId, ProductGroupId, ProductId, SupplierId, UserId},
    paging::SortKey,
    websites::{
        model::WebsiteOp,
        name_order::{NameOrder, by_name_order},
    },
};

/// A filter condition on products.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ProductCondition {
    /// Filter by ID.
    Id(Op<ProductId>),
    /// Filter by name.
    Name(Op<String>),
    /// Filter by SKU.
    Sku(Op<String>),
    /// Filter by barcode.
    Barcode(Op<String>),
    /// Filter by price.
    Price(Op<Decimal>),
    /// Filter by quantity in stock, limited to products whose stock is visible in the scope.
    Stock(Scope, Op<i32>),
    /// Filter by availability.
    Availability(Op<Availability>),
    /// Filter by category.
    Category(Op<CategoryId>),
    /// Filter by category, including descendants.
    CategoryTree(Vec<CategoryId>),
    /// Filter by brand.
    Brand(Op<BrandId>),
    /// Filter by group.
    Group(Op<ProductGroupId>),
    /// Filter by supplier.
    Supplier(Op<SupplierId>),
    /// Filter by website.
    SourceWebsite(WebsiteOp),
    /// Filter by seller, for a viewer who may see the users of the scope.
    Seller(Scope, Op<UserId>),
    /// Filter by whether the product has images.
    HasImages(bool),
    /// Filter by whether the product is for sale.
    IsActive(bool),
    /// Filter by creation time.
    CreatedAt(Op<DateTime<Utc>>),
    /// Filter by tags, regardless of case: the product has any of these.
    AnyTag(Vec<String>),
    /// Filter by tags, regardless of case: the product has all of these.
    AllTags(Vec<String>),
}

/// Fields that products can be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, async_graphql::Enum)]
pub enum ProductOrderField {
    /// Time when the product was created.
    #[default]
    CreatedAt,
    /// Display name; of one website's products as in its language.
    Name,
    /// Price, within one currency: the list must be limited to websites with the same currency or by
    /// `where.price.currency`, unless all websites have the same.
    Price,
    /// Average rating; products without reviews sort below those with one star.
    Rating,
    /// Stock keeping unit, as text.
    Sku,
    /// Quantity in stock. Staff and sellers only; the list has only products whose stock is visible to the viewer.
    Stock,
    /// Time when the product was last updated, including its stock.
    UpdatedAt,
}

impl ProductOrderField {
    /// Returns the name of the list in cursors.
    pub fn list(self) -> &'static str {
        match self {
            Self::CreatedAt => "products:created_at",
            Self::Name => "products:name",
            Self::Price => "products:price",
            Self::Rating => "products:rating",
            Self::Sku => "products:sku",
            Self::Stock => "products:stock",
            Self::UpdatedAt => "products:updated_at",
        }
    }

    /// Returns the name of the list in cursors, with names in this order.
    pub fn list_in(self, names: NameOrder) -> &'static str {
        if self == Self::Name { by_name_order!(names, "products:name") } else { self.list() }
    }

    /// Returns the sort key of a row.
    pub fn key(self, row: &ProductRow) -> SortKey {
        match self {
            Self::CreatedAt => SortKey::Time(row.created_at),
            Self::Name => SortKey::Text(row.name.clone()),
            Self::Price => SortKey::Number(row.price),
            Self::Rating => SortKey::Number(row.rating_average),
            Self::Sku => SortKey::Text(row.sku.clone()),
            Self::Stock => SortKey::Int(row.stock),
            Self::UpdatedAt => SortKey::Time(row.updated_at),
        }
    }
}

/// Type of the parent of a nested list of products.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProductParent {
    /// A category.
    Category,
    /// A category including its descendants.
    CategoryTree,
    /// A brand.
    Brand,
    /// A supplier.
    Supplier,
    /// A website.
    Website,
    /// A group.
    Group,
}
