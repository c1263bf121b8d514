//! Countries and their codes.

use super::{PostalCodeRule, countries::COUNTRIES, names};
use crate::{
    error::{UserError, UserErrorCode},
    text::trim,
};

/// A country or territory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Country {
    /// ISO 3166-1 alpha-2 code.
    pub code: &'static str,
    /// English name.
    pub name: &'static str,
    /// Rule for its postal codes; none if it has none.
    pub postal_code: Option<PostalCodeRule>,
}

impl Country {
    /// Returns all countries, sorted by code.
    pub fn all() -> &'static [Self] {
        COUNTRIES
    }

    /// Returns the country with this alpha-2 code, in upper or lower case.
    pub fn by_code(code: &str) -> Option<&'static Self> {
        let code = trim(code).to_ascii_uppercase();
        COUNTRIES.binary_search_by(|country| country.code.cmp(code.as_str())).ok().map(|index| &COUNTRIES[index])
    }

    /// Returns the country that a text of another system names: by its alpha-2 or alpha-3 code or one of its English
    /// names, in upper or lower case.
    pub fn find(text: &str) -> Option<&'static Self> {
        names::find(text).and_then(Self::by_code)
    }
}

/// The code of a country. `Copy`, because every address carries one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CountryCode([u8; 2]);

/// The rule for codes of countries.
pub const INVALID_CODE: &str = "must be the ISO 3166-1 alpha-2 code of a country, such as DE";

impl CountryCode {
    /// The code that addresses of earlier versions and of sales files have if their country is not known. ISO 3166
    /// never assigns it, and no input accepts it.
    pub const UNKNOWN: Self = Self(*b"ZZ");

    /// Parses the code of a country, in upper or lower case.
    pub fn parse(code: &str) -> Option<Self> {
        Country::by_code(code).map(Self::from)
    }

    /// Parses a code from an input; see [`CountryCode::parse`].
    /// # Errors
    /// Returns INVALID for another code.
    pub fn checked(field: &'static str, code: &str) -> Result<Self, UserError> {
        Self::parse(code).ok_or_else(|| UserError::new(UserErrorCode::Invalid, field, INVALID_CODE))
    }

    /// Parses a code from the database; returns `None` unless it consists of two uppercase letters. It may be
    /// [`CountryCode::UNKNOWN`], or a code that is no longer in use.
    pub fn from_stored(code: &str) -> Option<Self> {
        let bytes: [u8; 2] = code.as_bytes().try_into().ok()?;
        bytes.iter().all(u8::is_ascii_uppercase).then_some(Self(bytes))
    }

    /// Returns the two-letter code.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// Returns the country; none for a code that is not in use.
    pub fn country(self) -> Option<&'static Country> {
        Country::by_code(self.as_str())
    }

    /// Returns the English name of the country.
    pub fn name(self) -> &'static str {
        self.country().map_or("Unknown country", |country| country.name)
    }
}

impl From<&Country> for CountryCode {
    fn from(country: &Country) -> Self {
        Self::from_stored(country.code).unwrap_or(Self::UNKNOWN)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_table_has_the_codes_of_iso_3166_and_kosovo() {
        let ours: BTreeSet<&str> = COUNTRIES.iter().map(|country| country.code).collect();
        let mut iso: BTreeSet<&str> = rust_iso3166::ALL.iter().map(|country| country.alpha2).collect();
        iso.insert("XK");
        assert_eq!(ours, iso);
        assert!(COUNTRIES.is_sorted_by(|a, b| a.code < b.code), "looked up by binary search");
        assert!(COUNTRIES.iter().all(|country| CountryCode::from(country).as_str() == country.code));
    }

    #[test]
    fn a_code_is_read_in_any_case() {
        for code in ["DE", "de", " De\u{200b}"] {
            assert_eq!(CountryCode::parse(code).map(CountryCode::name), Some("Germany"), "{code:?}");
        }
        for code in ["", "D", "DEU", "ZZ", "EU", "UK", "Germany", "##"] {
            assert_eq!(CountryCode::parse(code), None, "{code:?}");
        }
        assert_eq!(CountryCode::from_stored("ZZ"), Some(CountryCode::UNKNOWN));
        assert_eq!(CountryCode::UNKNOWN.name(), "Unknown country");
        for code in ["de", "D", "Germany", "\u{fc}"] {
            assert_eq!(CountryCode::from_stored(code), None, "{code:?}");
        }
    }
}
