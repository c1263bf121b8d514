//! GraphQL type and input of the addresses of orders.

use async_graphql::InputObject;
use souk_macros::object;

use crate::{
    graphql::engine::scalars::CountryCode,
    orders::model::OrderAddress as Address,
    postal::{self, subdivision_name},
    users::model::AddressFields,
};

/// An address of an order.
pub struct OrderAddress(pub Address);

impl OrderAddress {
    fn country_or_unknown(&self) -> postal::CountryCode {
        self.0.country_code().unwrap_or(postal::CountryCode::UNKNOWN)
    }
}

/// The shipping or the billing address of an order: a copy of the customer's address, made when the order was placed.
#[object]
impl OrderAddress {
    /// Name of the recipient. Null if it is the order's contact.
    fn recipient_name(&self) -> Option<&str> {
        self.0.recipient_name.as_deref()
    }

    /// Company of the recipient. Null if there is none.
    fn company(&self) -> Option<&str> {
        self.0.company.as_deref()
    }

    /// Phone number for questions about the delivery, in E.164 format. Null if there is none.
    fn phone(&self) -> Option<&str> {
        self.0.phone.as_deref()
    }

    /// Code of the country. ZZ if the country of an imported or older order is not known.
    fn country_code(&self) -> CountryCode {
        CountryCode(self.country_or_unknown())
    }

    /// English name of the country.
    fn country(&self) -> &'static str {
        self.country_or_unknown().name()
    }

    /// ISO 3166-2 code of the subdivision (state, province or the like), such as `US-CA`. Null if there is none.
    fn subdivision_code(&self) -> Option<&str> {
        self.0.subdivision.as_deref()
    }

    /// Name of the subdivision. Null if there is none.
    fn subdivision(&self) -> Option<&'static str> {
        self.0.subdivision.as_deref().and_then(subdivision_name)
    }

    /// City or town.
    fn city(&self) -> Option<&str> {
        self.0.city.as_deref()
    }

    /// District or county. Null if there is none.
    fn district(&self) -> Option<&str> {
        self.0.district.as_deref()
    }

    /// Street, house number and further address details.
    fn address(&self) -> Option<&str> {
        self.0.address.as_deref()
    }

    /// Postal code. Null if there is none.
    fn postal_code(&self) -> Option<&str> {
        self.0.postal_code.as_deref()
    }
}

/// Shipping or billing address in `CheckoutInput`.
#[derive(Debug, InputObject)]
pub struct CheckoutAddressInput {
    /// Name of the recipient, 1 to 255 characters. Omit it if it is the contact.
    recipient_name: Option<String>,
    /// Company of the recipient, 1 to 255 characters.
    company: Option<String>,
    /// Phone number for questions about the delivery; read in the country of the address if it has no country code.
    phone: Option<String>,
    /// Code of the country.
    country_code: CountryCode,
    /// ISO 3166-2 code of the subdivision, such as `US-CA` or `CA`. Required if `Country.isSubdivisionRequired`.
    subdivision_code: Option<String>,
    /// City or town, 1 to 100 characters.
    city: String,
    /// District or county, 1 to 100 characters.
    district: Option<String>,
    /// Street, house number and further address details, 1 to 500 characters.
    address: String,
    /// Postal code of the country, in upper or lower case, with or without its separator. Required if
    /// `Country.postalCode.isRequired`.
    postal_code: Option<String>,
}

impl From<CheckoutAddressInput> for AddressFields {
    fn from(input: CheckoutAddressInput) -> Self {
        Self {
            recipient_name: input.recipient_name,
            company: input.company,
            phone: input.phone,
            country: input.country_code.0.as_str().to_owned(),
            subdivision: input.subdivision_code,
            city: input.city,
            district: input.district,
            address: input.address,
            postal_code: input.postal_code,
        }
    }
}
