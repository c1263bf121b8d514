//! Rows and rules of categories.

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use crate::{
    db::{filter::Op, tables::categories},
    error::Result,
    ids::CategoryId,
    paging::SortKey,
    text::{Check, MAX_DESCRIPTION, check_slug},
};

/// A node of the tree.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = categories, check_for_backend(diesel::pg::Pg))]
pub struct CategoryRow {
    /// Key.
    pub id: CategoryId,
    /// The category above; none for a root.
    pub parent_id: Option<CategoryId>,
    /// Name for people.
    pub name: String,
    /// Name in URLs, unique.
    pub slug: String,
    /// Text for people.
    pub description: String,
    /// Place among its siblings.
    pub position: i32,
    /// Ids from the root down to itself.
    pub path: Vec<CategoryId>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

/// A category to be.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = categories)]
pub struct NewCategory {
    /// See [`CategoryRow`].
    pub parent_id: Option<CategoryId>,
    /// See [`CategoryRow`].
    pub name: String,
    /// See [`CategoryRow`].
    pub slug: String,
    /// See [`CategoryRow`].
    pub description: String,
    /// See [`CategoryRow`].
    pub position: i32,
    /// Filled in by the database.
    pub path: Vec<CategoryId>,
}

/// A change of a category: what is absent stays, an inner `None` clears.
#[derive(Debug, Clone, Default, PartialEq, AsChangeset)]
#[diesel(table_name = categories)]
pub struct CategoryPatch {
    /// See [`CategoryRow`].
    pub parent_id: Option<Option<CategoryId>>,
    /// See [`CategoryRow`].
    pub name: Option<String>,
    /// See [`CategoryRow`].
    pub slug: Option<String>,
    /// See [`CategoryRow`].
    pub description: Option<String>,
    /// See [`CategoryRow`].
    pub position: Option<i32>,
}

impl CategoryPatch {
    /// # Errors
    /// User errors for the fields that break a rule.
    pub fn check(&self) -> Result<()> {
        let mut check = Check::new();
        check.optional("name", self.name.as_deref(), 255);
        check_slug(&mut check, "slug", self.slug.as_deref());
        check.at_most("description", self.description.as_deref().unwrap_or_default(), MAX_DESCRIPTION);
        check.finish()
    }

    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl NewCategory {
    /// # Errors
    /// User errors for the fields that break a rule.
    pub fn check(&self) -> Result<()> {
        CategoryPatch {
            name: Some(self.name.clone()),
            slug: Some(self.slug.clone()),
            description: Some(self.description.clone()),
            ..CategoryPatch::default()
        }
        .check()
    }
}

/// A condition on categories.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum CategoryCondition {
    /// By id.
    Id(Op<CategoryId>),
    /// By name.
    Name(Op<String>),
    /// By slug.
    Slug(Op<String>),
    /// By the category above; `IsNull(true)` for roots.
    Parent(Op<CategoryId>),
}

/// What a list of categories is ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, async_graphql::Enum)]
pub enum CategoryOrderField {
    /// The place among siblings.
    #[default]
    Position,
    /// The name.
    Name,
}

impl CategoryOrderField {
    /// The list's name in cursors.
    pub fn list(self) -> &'static str {
        match self {
            Self::Position => "categories:position",
            Self::Name => "categories:name",
        }
    }

    /// The sort key of a row.
    pub fn key(self, row: &CategoryRow) -> SortKey {
        match self {
            Self::Position => SortKey::Int(row.position),
            Self::Name => SortKey::Text(row.name.clone()),
        }
    }
}
