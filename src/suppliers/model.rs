//! Rows and rules of suppliers.

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use crate::{
    db::{filter::Op, tables::suppliers},
    error::{Result, UserError, UserErrorCode},
    ids::SupplierId,
    paging::SortKey,
    text::{self, Validator},
};

/// Longest lead time, in days.
const MAX_LEAD_TIME: i32 = 1000;

/// A supplier.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = suppliers, check_for_backend(diesel::pg::Pg))]
pub struct SupplierRow {
    /// Primary key.
    pub id: SupplierId,
    /// Name, unique.
    pub name: String,
    /// Whom to ask for there.
    pub contact_name: Option<String>,
    /// E-mail address of the contact, in canonical form.
    pub email: Option<String>,
    /// Phone number of the contact, in E.164.
    pub phone: Option<String>,
    /// Days from an order to its delivery.
    pub lead_time_days: Option<i32>,
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
    pub contact_name: Option<String>,
    /// See [`SupplierRow`].
    pub email: Option<String>,
    /// See [`SupplierRow`].
    pub phone: Option<String>,
    /// See [`SupplierRow`].
    pub lead_time_days: Option<i32>,
}

/// A change of a supplier: what is absent stays, an inner `None` clears.
#[derive(Debug, Clone, Default, PartialEq, AsChangeset)]
#[diesel(table_name = suppliers)]
pub struct SupplierPatch {
    /// See [`SupplierRow`].
    pub name: Option<String>,
    /// See [`SupplierRow`].
    pub contact_name: Option<Option<String>>,
    /// See [`SupplierRow`].
    pub email: Option<Option<String>>,
    /// See [`SupplierRow`].
    pub phone: Option<Option<String>>,
    /// See [`SupplierRow`].
    pub lead_time_days: Option<Option<i32>>,
}

impl NewSupplier {
    /// The supplier with its texts in canonical form.
    /// # Errors
    /// User errors for invalid fields.
    pub fn checked(self) -> Result<Self> {
        let mut validator = Validator::new();
        validator.text("name", &self.name, 255);
        validator.optional_text("contactName", self.contact_name.as_deref(), 255);
        validator.check(check_lead_time(self.lead_time_days));
        let email = self.email.map(|email| validator.value_or_default(text::normalize_email("email", &email)));
        let phone = self.phone.map(|phone| validator.value_or_default(text::normalize_phone("phone", &phone)));
        validator.finish()?;
        Ok(Self { email, phone, ..self })
    }
}

impl SupplierPatch {
    /// The change with its texts in canonical form.
    /// # Errors
    /// User errors for invalid fields.
    pub fn checked(self) -> Result<Self> {
        let mut validator = Validator::new();
        validator.optional_text("name", self.name.as_deref(), 255);
        validator.optional_text("contactName", self.contact_name.as_ref().and_then(Option::as_deref), 255);
        validator.check(check_lead_time(self.lead_time_days.flatten()));
        let email = self
            .email
            .map(|email| email.map(|email| validator.value_or_default(text::normalize_email("email", &email))));
        let phone = self
            .phone
            .map(|phone| phone.map(|phone| validator.value_or_default(text::normalize_phone("phone", &phone))));
        validator.finish()?;
        Ok(Self { email, phone, ..self })
    }

    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

fn check_lead_time(days: Option<i32>) -> Result<(), UserError> {
    match days {
        Some(days) if !(0..=MAX_LEAD_TIME).contains(&days) => {
            let rule = format!("a lead time is 0 to {MAX_LEAD_TIME} days");
            Err(UserError::new(UserErrorCode::OutOfRange, "leadTimeDays", rule))
        }
        _ => Ok(()),
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
