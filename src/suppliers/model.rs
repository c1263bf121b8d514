//! Rows, inputs and validation of suppliers.

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use crate::{
    db::{filter::Op, tables::suppliers},
    error::{Result, UserError, UserErrorCode},
    ids::SupplierId,
    paging::SortKey,
    text::{self, Validator},
};

/// Maximum lead time, in days.
const MAX_LEAD_TIME: i32 = 1000;

/// A row of `suppliers`.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = suppliers, check_for_backend(diesel::pg::Pg))]
pub struct SupplierRow {
    /// Primary key.
    pub id: SupplierId,
    /// Unique name.
    pub name: String,
    /// Contact person.
    pub contact_name: Option<String>,
    /// Email address of the contact, in canonical form.
    pub email: Option<String>,
    /// Phone number of the contact, in E.164.
    pub phone: Option<String>,
    /// Lead time from order to delivery, in days.
    pub lead_time_days: Option<i32>,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it was last updated.
    pub updated_at: DateTime<Utc>,
}

/// Fields of a new supplier.
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

/// Changes to a supplier; absent fields keep their values, an inner `None` clears them.
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
    /// Validates the fields and normalizes the email address and phone number.
    /// # Errors
    /// User errors for invalid fields.
    pub fn checked(mut self) -> Result<Self> {
        let mut validator = Validator::new();
        validator.text("name", &mut self.name, 255);
        validator.optional_texts("contactName", [&mut self.contact_name], 255);
        validator.check(check_lead_time(self.lead_time_days));
        let email = self.email.map(|email| validator.value_or_default(text::normalize_email("email", &email)));
        let phone = self.phone.map(|phone| validator.value_or_default(text::normalize_phone("phone", &phone, None)));
        validator.finish()?;
        Ok(Self { email, phone, ..self })
    }
}

impl SupplierPatch {
    /// Validates the fields and normalizes the email address and phone number.
    /// # Errors
    /// User errors for invalid fields.
    pub fn checked(mut self) -> Result<Self> {
        let mut validator = Validator::new();
        validator.texts("name", &mut self.name, 255);
        validator.optional_texts("contactName", &mut self.contact_name, 255);
        validator.check(check_lead_time(self.lead_time_days.flatten()));
        let email = self
            .email
            .map(|email| email.map(|email| validator.value_or_default(text::normalize_email("email", &email))));
        let phone = self
            .phone
            .map(|phone| phone.map(|phone| validator.value_or_default(text::normalize_phone("phone", &phone, None))));
        validator.finish()?;
        Ok(Self { email, phone, ..self })
    }

    /// Returns whether the patch changes nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

fn check_lead_time(days: Option<i32>) -> Result<(), UserError> {
    match days {
        Some(days) if !(0..=MAX_LEAD_TIME).contains(&days) => {
            let rule = format!("must be between 0 and {MAX_LEAD_TIME} days");
            Err(UserError::new(UserErrorCode::OutOfRange, "leadTimeDays", rule))
        }
        _ => Ok(()),
    }
}

/// A filter condition on suppliers.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum SupplierCondition {
    /// By id.
    Id(Op<SupplierId>),
    /// By name.
    Name(Op<String>),
}

/// Fields that suppliers can be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, async_graphql::Enum)]
pub enum SupplierOrderField {
    /// Name of the supplier.
    #[default]
    Name,
}

impl SupplierOrderField {
    /// Returns the name of the list in cursors.
    pub fn list(self) -> &'static str {
        "suppliers:name"
    }

    /// Returns the sort key of a row.
    pub fn key(self, row: &SupplierRow) -> SortKey {
        SortKey::Text(row.name.clone())
    }
}
