//! Rows and rules of brands.

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use crate::{
    db::{filter::Op, tables::brands},
    error::Result,
    ids::BrandId,
    paging::SortKey,
    text::{Validator, check_page_texts},
};

/// A brand.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = brands, check_for_backend(diesel::pg::Pg))]
pub struct BrandRow {
    /// Primary key.
    pub id: BrandId,
    /// Display name.
    pub name: String,
    /// Name in URLs, unique.
    pub slug: String,
    /// Text for people.
    pub description: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

/// A brand to be.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = brands)]
pub struct NewBrand {
    /// See [`BrandRow`].
    pub name: String,
    /// See [`BrandRow`].
    pub slug: String,
    /// See [`BrandRow`].
    pub description: String,
}

/// A change of a brand: what is absent stays.
#[derive(Debug, Clone, Default, PartialEq, AsChangeset)]
#[diesel(table_name = brands)]
pub struct BrandPatch {
    /// See [`BrandRow`].
    pub name: Option<String>,
    /// See [`BrandRow`].
    pub slug: Option<String>,
    /// See [`BrandRow`].
    pub description: Option<String>,
}

impl NewBrand {
    /// # Errors
    /// User errors for invalid fields.
    pub fn check(&self) -> Result<()> {
        let mut validator = Validator::new();
        check_page_texts(&mut validator, Some(&self.name), Some(&self.slug), Some(&self.description));
        validator.finish()
    }
}

impl BrandPatch {
    /// # Errors
    /// User errors for invalid fields.
    pub fn check(&self) -> Result<()> {
        let mut validator = Validator::new();
        check_page_texts(&mut validator, self.name.as_deref(), self.slug.as_deref(), self.description.as_deref());
        validator.finish()
    }

    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A condition on brands.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum BrandCondition {
    /// By id.
    Id(Op<BrandId>),
    /// By name.
    Name(Op<String>),
    /// By slug.
    Slug(Op<String>),
}

/// What a list of brands is ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, async_graphql::Enum)]
pub enum BrandOrderField {
    /// The name.
    #[default]
    Name,
}

impl BrandOrderField {
    /// The list's name in cursors.
    pub fn list(self) -> &'static str {
        "brands:name"
    }

    /// The sort key of a row.
    pub fn key(self, row: &BrandRow) -> SortKey {
        SortKey::Text(row.name.clone())
    }
}
