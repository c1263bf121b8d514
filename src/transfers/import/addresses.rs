//! Rules for postal addresses in files.
//! Rule: a country may be given by its alpha-2 or alpha-3 code or its English name, a subdivision by its code or name;
//! both are stored as codes. Postal codes are kept as they are, because the owner of the file cannot correct them.

use crate::{
    error::{UserError, UserErrorCode},
    orders::model::OrderAddress,
    postal::{Country, CountryCode, find_subdivision},
    text::{Validator, normalize_phone, trim},
};

/// The column of each part of an address, for rejections.
pub struct AddressColumns {
    /// Name of the recipient.
    pub recipient_name: &'static str,
    /// Company.
    pub company: &'static str,
    /// Phone number.
    pub phone: &'static str,
    /// Country.
    pub country: &'static str,
    /// Subdivision.
    pub subdivision: &'static str,
    /// City.
    pub city: &'static str,
    /// District.
    pub district: &'static str,
    /// Street and number.
    pub address: &'static str,
    /// Postal code.
    pub postal_code: &'static str,
}

impl AddressColumns {
    /// An address whose parts are all in one column.
    pub const fn one(column: &'static str) -> Self {
        Self {
            recipient_name: column,
            company: column,
            phone: column,
            country: column,
            subdivision: column,
            city: column,
            district: column,
            address: column,
            postal_code: column,
        }
    }
}

/// Trims and checks the address of a past order. A phone number that is not valid is kept as it is.
pub fn check_order_address(validator: &mut Validator, address: &mut OrderAddress, columns: &AddressColumns) {
    validator.texts(columns.recipient_name, &mut address.recipient_name, 255);
    validator.texts(columns.company, &mut address.company, 255);
    let country = match &mut address.country {
        Some(text) => check_country(validator, columns.country, text),
        None => None,
    };
    if let Some(subdivision) = &mut address.subdivision {
        check_subdivision(validator, columns.subdivision, subdivision, country);
    }
    validator.texts(columns.phone, &mut address.phone, 50);
    if let Some(phone) = &mut address.phone
        && let Ok(normal) = normalize_phone(columns.phone, phone, country.as_ref().map(CountryCode::as_str))
    {
        *phone = normal;
    }
    validator.texts(columns.city, &mut address.city, 100);
    validator.texts(columns.district, &mut address.district, 100);
    validator.street_lines(columns.address, &mut address.address, 500);
    validator.texts(columns.postal_code, &mut address.postal_code, 20);
}

/// Checks a country and replaces it with its code. An exported file has the code of a country that is not known, too.
pub fn check_country(validator: &mut Validator, column: &'static str, text: &mut String) -> Option<CountryCode> {
    let unknown = CountryCode::UNKNOWN;
    let found = if trim(text) == unknown.as_str() { Some(unknown) } else { Country::find(text).map(CountryCode::from) };
    match found {
        Some(country) => *text = country.as_str().to_owned(),
        // An invalid text has an error of its own.
        None => {
            validator.text(column, text, 100);
            let rule = format!("{text:?} is not a country; give an ISO 3166-1 code or an English name");
            validator.add(UserError::new(UserErrorCode::Invalid, column, rule));
        }
    }
    found
}

/// Checks a subdivision and replaces it with its full code.
pub fn check_subdivision(
    validator: &mut Validator,
    column: &'static str,
    text: &mut String,
    country: Option<CountryCode>,
) {
    validator.text(column, text, 100);
    let rule = match country {
        None => "a subdivision needs a country".to_owned(),
        Some(country) => match find_subdivision(text, country) {
            Some(subdivision) => {
                *text = subdivision.code.to_owned();
                return;
            }
            None => format!("{text:?} is not the ISO 3166-2 code or name of a subdivision of {}", country.name()),
        },
    };
    validator.add(UserError::new(UserErrorCode::Invalid, column, rule));
}
