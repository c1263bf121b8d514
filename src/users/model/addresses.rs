//! Rows, inputs and validation of postal addresses.
//! Rule: an address that is given here can be delivered to: its subdivision and its postal code are those of its
//! country. Addresses of files and of earlier versions stay as they are until these fields are changed.

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use crate::{
    db::tables::addresses,
    error::Result,
    ids::{AddressId, UserId},
    postal::{self, CountryCode},
    text::{self, Validator},
};

/// Maximum number of addresses per user.
pub const MAX_ADDRESSES: i64 = 50;

/// The fields of a postal address.
#[derive(Debug, Clone, Default, PartialEq, Queryable, Selectable, Insertable, serde::Serialize)]
#[diesel(table_name = addresses, check_for_backend(diesel::pg::Pg))]
pub struct AddressFields {
    /// Name of the recipient.
    pub recipient_name: Option<String>,
    /// Company of the recipient.
    pub company: Option<String>,
    /// Phone number for questions about the delivery, in E.164.
    pub phone: Option<String>,
    /// ISO 3166-1 alpha-2 code of the country.
    pub country: String,
    /// ISO 3166-2 code of the subdivision, such as `US-CA`.
    pub subdivision: Option<String>,
    /// City or town.
    pub city: String,
    /// District or county.
    pub district: Option<String>,
    /// Street, house number and further details, in lines separated by `\n`.
    pub address: String,
    /// Postal code.
    pub postal_code: Option<String>,
}

/// A postal address of a user.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = addresses, check_for_backend(diesel::pg::Pg))]
pub struct AddressRow {
    /// Primary key.
    pub id: AddressId,
    /// Owner of the address.
    pub user_id: UserId,
    /// The address itself.
    #[diesel(embed)]
    pub fields: AddressFields,
    /// Whether it is the default address for orders.
    pub is_default: bool,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it was last updated.
    pub updated_at: DateTime<Utc>,
}

/// A new address of a user.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = addresses)]
pub struct NewAddress {
    /// See [`AddressRow`].
    pub user_id: UserId,
    /// See [`AddressRow`].
    #[diesel(embed)]
    pub fields: AddressFields,
    /// See [`AddressRow`].
    pub is_default: bool,
}

/// Changes to an address; absent fields keep their values, an inner `None` clears them.
#[derive(Debug, Clone, Default, PartialEq, AsChangeset)]
#[diesel(table_name = addresses)]
pub struct AddressPatch {
    /// See [`AddressFields`].
    pub recipient_name: Option<Option<String>>,
    /// See [`AddressFields`].
    pub company: Option<Option<String>>,
    /// See [`AddressFields`].
    pub phone: Option<Option<String>>,
    /// See [`AddressFields`].
    pub country: Option<String>,
    /// See [`AddressFields`].
    pub subdivision: Option<Option<String>>,
    /// See [`AddressFields`].
    pub city: Option<String>,
    /// See [`AddressFields`].
    pub district: Option<Option<String>>,
    /// See [`AddressFields`].
    pub address: Option<String>,
    /// See [`AddressFields`].
    pub postal_code: Option<Option<String>>,
    /// See [`AddressRow`].
    pub is_default: Option<bool>,
}

impl AddressFields {
    /// Trims, validates and normalizes all fields.
    /// # Errors
    /// User errors for invalid fields.
    pub fn checked(self) -> Result<Self> {
        let patch = AddressPatch {
            recipient_name: Some(self.recipient_name),
            company: Some(self.company),
            phone: Some(self.phone),
            country: Some(self.country),
            subdivision: Some(self.subdivision),
            city: Some(self.city),
            district: Some(self.district),
            address: Some(self.address),
            postal_code: Some(self.postal_code),
            is_default: None,
        };
        let patch = patch.checked(&Self::default())?;
        Ok(Self {
            recipient_name: patch.recipient_name.flatten(),
            company: patch.company.flatten(),
            phone: patch.phone.flatten(),
            country: patch.country.unwrap_or_default(),
            subdivision: patch.subdivision.flatten(),
            city: patch.city.unwrap_or_default(),
            district: patch.district.flatten(),
            address: patch.address.unwrap_or_default(),
            postal_code: patch.postal_code.flatten(),
        })
    }
}

impl AddressPatch {
    /// Trims, validates and normalizes the changed fields of this address. If the country, the subdivision or the postal
    /// code changes, the three must fit together afterwards.
    /// # Errors
    /// User errors for invalid fields.
    pub fn checked(mut self, before: &AddressFields) -> Result<Self> {
        let mut validator = Validator::new();
        validator.optional_texts("recipientName", &mut self.recipient_name, 255);
        validator.optional_texts("company", &mut self.company, 255);
        validator.without_url("recipientName", self.recipient_name.iter_mut().flatten());
        validator.without_url("company", self.company.iter_mut().flatten());
        let country = match &mut self.country {
            Some(given) => match CountryCode::checked("countryCode", given) {
                Ok(country) => {
                    *given = country.as_str().to_owned();
                    Some(country)
                }
                Err(error) => {
                    validator.add(error);
                    None
                }
            },
            None => CountryCode::from_stored(&before.country),
        };
        if let Some(Some(phone)) = &mut self.phone {
            let country = country.as_ref().map(CountryCode::as_str);
            *phone = validator.value_or_default(text::normalize_phone("phone", phone, country));
        }
        // Without a country there are no rules to check, and the error of the country is enough.
        if let Some(country) = country {
            self.check_place(&mut validator, before, country);
        }
        validator.texts("city", &mut self.city, 100);
        validator.optional_texts("district", &mut self.district, 100);
        validator.street_lines("address", &mut self.address, 500);
        validator.finish()?;
        Ok(self)
    }

    fn check_place(&mut self, validator: &mut Validator, before: &AddressFields, country: CountryCode) {
        if self.country.is_none() && self.subdivision.is_none() && self.postal_code.is_none() {
            return;
        }
        let subdivision = self.subdivision.as_ref().unwrap_or(&before.subdivision).as_deref();
        let checked = postal::check_subdivision("subdivisionCode", subdivision, country);
        let subdivision = validator.value_or_default(checked);
        let postal_code = self.postal_code.as_ref().unwrap_or(&before.postal_code).as_deref();
        let postal_code = validator.value_or_default(postal::check_postal_code("postalCode", postal_code, country));
        if let Some(given) = &mut self.subdivision {
            *given = subdivision;
        }
        if let Some(given) = &mut self.postal_code {
            *given = postal_code;
        }
    }

    /// Returns whether the patch changes nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// An address of a user that an import adds.
#[derive(Debug, Clone)]
pub struct ImportedAddress {
    /// The user's key.
    pub user_id: i64,
    /// The address itself.
    pub fields: AddressFields,
    /// Whether it is the user's default address.
    pub is_default: bool,
}
