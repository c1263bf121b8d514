//! Rows and rules of suppliers.

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use crate::{
    db::{filter::Op, tables::suppliers},
    error::Result,
    ids::SupplierId,
    paging::SortKey,
    text::Check,
};

/// A supplier.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = suppliers, check_for_backend(diesel::pg::Pg))]
pub struct SupplierRow {
    /// Key.
    pub id: SupplierId,
    /// Name, unique.
    pub name: String,
    /// E-mail address of the contact.
    pub email: Option<String>,
    /// Phone number of the contact.
    pub phone: Option<String>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

/// A supplier to be.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = suppliers)]
pub struct NewSupplier {
    /// See [`SupplierRow`].
    pub name: String,
    /// See [`SupplierRow`].
    pub email: Option<String>,
    /// See [`SupplierRow`].
    pub phone: Option<String>,
}

/// A change of a supplier: what is absent stays, an inner `None` clears.
#[derive(Debug, Clone, Default, PartialEq, AsChangeset)]
#[diesel(table_name = suppliers)]
pub struct SupplierPatch {
    /// See [`SupplierRow`].
    pub name: Option<String>,
    /// See [`SupplierRow`].
    pub email: Option<Option<String>>,
    /// See [`SupplierRow`].
    pub phone: Option<Option<String>>,
}

impl NewSupplier {
    /// # Errors
    /// User errors for the fields that break a rule.
    pub fn check(&self) -> Result<()> {
        SupplierPatch {
            name: Some(self.name.clone()),
            email: Some(self.email.clone()),
            phone: Some(self.phone.clone()),
        }
        .check()
    }
}

impl SupplierPatch {
    /// # Errors
    /// User errors for the fields that break a rule.
    pub fn check(&self) -> Result<()> {
        let mut check = Check::new();
        check.optional("name", self.name.as_deref(), 255);
        if let Some(Some(email)) = &self.email {
            check.email("email", email);
        }
        check.phone("phone", self.phone.as_ref().and_then(Option::as_deref));
        check.finish()
    }

    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A condition on suppliers.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum SupplierCondition {
    /// By id.
    Id(Op<SupplierId>),
    /// By name.
    Name(Op<String>),
}

/// What a list of suppliers is ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, async_graphql::Enum)]
pub enum SupplierOrderField {
    /// The name.
    #[default]
    Name,
}

impl SupplierOrderField {
    /// The list's name in cursors.
    pub fn list(self) -> &'static str {
        "suppliers:name"
    }

    /// The sort key of a row.
    pub fn key(self, row: &SupplierRow) -> SortKey {
        SortKey::Text(row.name.clone())
    }
}
