//! Rows, inputs and validation of users and addresses.

mod addresses;

pub use self::addresses::{AddressFields, AddressPatch, AddressRow, ImportedAddress, MAX_ADDRESSES, NewAddress};

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use crate::{
    db::{filter::Op, tables::users},
    error::Result,
    ids::{CodeOrId, RoleId, UserId, WebsiteId},
    paging::SortKey,
    text::{self, Validator},
    websites::model::WebsiteOp,
};

/// A row of `users` (customers and staff), without the password hash.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = users, check_for_backend(diesel::pg::Pg))]
pub struct UserRow {
    /// Primary key.
    pub id: UserId,
    /// Display name.
    pub name: String,
    /// Phone number in E.164.
    pub phone: Option<String>,
    /// Email address in canonical form, unique, to log in with; none for imported customers without one.
    pub email: Option<String>,
    /// Email address of an imported customer that no account has confirmed. Whoever confirms it takes the customer over.
    pub imported_email: Option<String>,
    /// Role.
    pub role_id: RoleId,
    /// Website that the user comes from.
    pub source_website_id: Option<WebsiteId>,
    /// Whether the account is active (not deactivated).
    pub is_active: bool,
    /// When the email address was verified.
    pub email_verified_at: Option<DateTime<Utc>>,
    /// When the personal data was erased.
    pub erased_at: Option<DateTime<Utc>>,
    /// When the account was created.
    pub created_at: DateTime<Utc>,
    /// When it was last updated.
    pub updated_at: DateTime<Utc>,
}

impl UserRow {
    /// Returns the email address to show: that of the account or of the import.
    pub fn shown_email(&self) -> Option<&str> {
        self.email.as_deref().or(self.imported_email.as_deref())
    }
}

/// Fields of a new user.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = users)]
pub struct NewUser {
    /// See [`UserRow`].
    pub name: String,
    /// See [`UserRow`].
    pub phone: Option<String>,
    /// See [`UserRow`].
    pub email: Option<String>,
    /// PHC string; without it the user cannot log in.
    pub password_hash: Option<String>,
    /// See [`UserRow`].
    pub role_id: RoleId,
    /// See [`UserRow`].
    pub source_website_id: Option<WebsiteId>,
}

/// Changes to a user; absent fields keep their values, an inner `None` clears them.
#[derive(Debug, Clone, Default, PartialEq, AsChangeset)]
#[diesel(table_name = users)]
pub struct UserPatch {
    /// See [`UserRow`].
    pub name: Option<String>,
    /// See [`UserRow`].
    pub phone: Option<Option<String>>,
    /// See [`UserRow`].
    pub email: Option<String>,
    /// See [`UserRow`].
    pub is_active: Option<bool>,
}

impl UserPatch {
    /// Validates the fields and normalizes the email address and phone number, which is read in this country if it has
    /// no country code.
    /// # Errors
    /// User errors for invalid fields.
    pub fn checked(mut self, country: Option<&str>) -> Result<Self> {
        let mut validator = Validator::new();
        validator.names("name", &mut self.name, 255);
        let phone = self.phone.map(|phone| {
            phone.map(|phone| validator.value_or_default(text::normalize_phone("phone", &phone, country)))
        });
        let email = self.email.map(|email| validator.value_or_default(text::normalize_email("email", &email)));
        validator.finish()?;
        Ok(Self { phone, email, ..self })
    }

    /// Returns whether the patch changes nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A filter condition on users.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum UserCondition {
    /// By id.
    Id(Op<UserId>),
    /// By name.
    Name(Op<String>),
    /// By email address.
    Email(Op<String>),
    /// By role.
    Role(Op<CodeOrId<RoleId>>),
    /// By the website that they come from.
    SourceWebsite(WebsiteOp),
    /// By whether they are active.
    IsActive(bool),
    /// By creation time.
    CreatedAt(Op<DateTime<Utc>>),
}

/// Fields that users can be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, async_graphql::Enum)]
pub enum UserOrderField {
    /// When the user was created.
    #[default]
    CreatedAt,
    /// Name of the user.
    Name,
}

impl UserOrderField {
    /// Returns the name of the list in cursors.
    pub fn list(self) -> &'static str {
        match self {
            Self::CreatedAt => "users:created_at",
            Self::Name => "users:name",
        }
    }

    /// Returns the sort key of a row.
    pub fn key(self, row: &UserRow) -> SortKey {
        match self {
            Self::CreatedAt => SortKey::Time(row.created_at),
            Self::Name => SortKey::Text(row.name.clone()),
        }
    }
}

/// A customer with all columns that an import writes.
#[derive(Debug, Clone, Copy)]
pub struct ImportedUser<'a> {
    /// Primary key.
    pub id: i64,
    /// Name.
    pub name: &'a str,
    /// Phone number.
    pub phone: Option<&'a str>,
    /// Email address.
    pub email: Option<&'a str>,
    /// Whether the email address is stored as [`UserRow::imported_email`].
    pub is_email_unconfirmed: bool,
    /// Whether the customer can log in.
    pub is_active: bool,
}
