//! Rows, inputs and validation of brands.

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use crate::{
    db::{filter::Op, tables::brands},
    error::Result,
    ids::BrandId,
    paging::SortKey,
    text::{Validator, check_page_texts},
};

/// A row of `brands`.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = brands, check_for_backend(diesel::pg::Pg))]
pub struct BrandRow {
    /// Primary key.
    pub id: BrandId,
    /// Display name.
    pub name: String,
    /// Unique name in URLs.
    pub slug: String,
    /// Description.
    pub description: String,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it was last updated.
    pub updated_at: DateTime<Utc>,
}

/// Fields of a new brand.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = brands)]
pub struct NewBrand {
    /// See [`BrandRow`].
    pub name: String,
    /// See [`BrandRow`]; empty to derive one from the name.
    pub slug: String,
    /// See [`BrandRow`].
    pub description: String,
}

/// Changes to a brand; absent fields keep their values.
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
    /// Trims and validates the fields.
    /// # Errors
    /// User errors for invalid fields.
    pub fn checked(mut self) -> Result<Self> {
        let mut validator = Validator::new();
        let slug = Some(&mut self.slug).filter(|slug| !slug.is_empty());
        check_page_texts(&mut validator, Some(&mut self.name), slug, Some(&mut self.description));
        validator.finish()?;
        Ok(self)
    }
}

impl BrandPatch {
    /// Trims and validates the fields.
    /// # Errors
    /// User errors for invalid fields.
    pub fn checked(mut self) -> Result<Self> {
        let mut validator = Validator::new();
        check_page_texts(&mut validator, self.name.as_mut(), self.slug.as_mut(), self.description.as_mut());
        validator.finish()?;
        Ok(self)
    }

    /// Returns whether the patch changes nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A filter condition on brands.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum BrandCondition {
    /// By id.
    Id(Op<BrandId>),
    /// By name.
    Name(Op<String>),
    /// By slug.
    Slug(Op<String>),
}

/// Fields that brands can be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, async_graphql::Enum)]
pub enum BrandOrderField {
    /// Name of the brand.
    #[default]
    Name,
}

impl BrandOrderField {
    /// Returns the name of the list in cursors.
    pub fn list(self) -> &'static str {
        "brands:name"
    }

    /// Returns the sort key of a row.
    pub fn key(self, row: &BrandRow) -> SortKey {
        SortKey::Text(row.name.clone())
    }
}
