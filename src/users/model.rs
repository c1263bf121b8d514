//! Rows, inputs and validation of users and addresses.

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use crate::{
    db::{
        filter::Op,
        tables::{addresses, users},
    },
    error::Result,
    ids::{AddressId, CodeOrId, RoleId, UserId, WebsiteId},
    paging::SortKey,
    text::{self, Validator},
    websites::model::WebsiteOp,
};

/// Maximum number of addresses per user.
pub const MAX_ADDRESSES: i64 = 50;

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
    /// Email address in canonical form, unique; none for imported customers without one.
    pub email: Option<String>,
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
        validator.texts("name", &mut self.name, 255);
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

/// A postal address of a user.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = addresses, check_for_backend(diesel::pg::Pg))]
pub struct AddressRow {
    /// Primary key.
    pub id: AddressId,
    /// Owner of the address.
    pub user_id: UserId,
    /// Country, as a name or an ISO 3166 code.
    pub country: String,
    /// City or town.
    pub city: String,
    /// District, county or state.
    pub district: Option<String>,
    /// Street, house number and further details, in lines separated by `\n`.
    pub address: String,
    /// Postal code.
    pub postal_code: Option<String>,
    /// Whether it is the default address for orders.
    pub is_default: bool,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it was last updated.
    pub updated_at: DateTime<Utc>,
}

/// Fields of a new address.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = addresses)]
pub struct NewAddress {
    /// See [`AddressRow`].
    pub user_id: UserId,
    /// See [`AddressRow`].
    pub country: String,
    /// See [`AddressRow`].
    pub city: String,
    /// See [`AddressRow`].
    pub district: Option<String>,
    /// See [`AddressRow`].
    pub address: String,
    /// See [`AddressRow`].
    pub postal_code: Option<String>,
    /// See [`AddressRow`].
    pub is_default: bool,
}

/// Changes to an address; absent fields keep their values, an inner `None` clears them.
#[derive(Debug, Clone, Default, PartialEq, AsChangeset, serde::Serialize)]
#[diesel(table_name = addresses)]
pub struct AddressPatch {
    /// See [`AddressRow`].
    pub country: Option<String>,
    /// See [`AddressRow`].
    pub city: Option<String>,
    /// See [`AddressRow`].
    pub district: Option<Option<String>>,
    /// See [`AddressRow`].
    pub address: Option<String>,
    /// See [`AddressRow`].
    pub postal_code: Option<Option<String>>,
    /// See [`AddressRow`].
    pub is_default: Option<bool>,
}

impl NewAddress {
    /// Trims and validates the fields.
    /// # Errors
    /// User errors for invalid fields.
    pub fn checked(self) -> Result<Self> {
        let patch = AddressPatch {
            country: Some(self.country),
            city: Some(self.city),
            district: Some(self.district),
            address: Some(self.address),
            postal_code: Some(self.postal_code),
            is_default: None,
        };
        let AddressPatch { country, city, district, address, postal_code, .. } = patch.checked()?;
        Ok(Self {
            country: country.unwrap_or_default(),
            city: city.unwrap_or_default(),
            district: district.flatten(),
            address: address.unwrap_or_default(),
            postal_code: postal_code.flatten(),
            ..self
        })
    }
}

impl AddressPatch {
    /// Trims and validates the fields.
    /// # Errors
    /// User errors for invalid fields.
    pub fn checked(mut self) -> Result<Self> {
        let mut validator = Validator::new();
        validator.texts("country", &mut self.country, 100);
        validator.texts("city", &mut self.city, 100);
        validator.texts("district", self.district.iter_mut().flatten(), 100);
        validator.street_lines("address", &mut self.address, 500);
        validator.texts("postalCode", self.postal_code.iter_mut().flatten(), 20);
        validator.finish()?;
        Ok(self)
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
    /// Whether the customer can log in.
    pub is_active: bool,
}

/// An address of a user that an import adds.
#[derive(Debug, Clone, Copy)]
pub struct ImportedAddress<'a> {
    /// The user's key.
    pub user_id: i64,
    /// Country, as a name or an ISO 3166 code.
    pub country: &'a str,
    /// City or town.
    pub city: &'a str,
    /// District, county or state.
    pub district: Option<&'a str>,
    /// Street and number.
    pub address: &'a str,
    /// Postal code.
    pub postal_code: Option<&'a str>,
    /// Whether it is the user's default address.
    pub is_default: bool,
}
