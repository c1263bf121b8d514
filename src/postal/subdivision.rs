//! Subdivisions of countries: states, provinces, prefectures and the like.
//! Rule: any ISO 3166-2 code of the country is accepted; a country lists those that its addresses use, and requires
//! one where mail is not delivered without it.

use std::{collections::HashMap, sync::LazyLock};

use rust_iso3166::iso3166_2::SUBDIVISION_COUNTRY_MAP;

use super::{Country, CountryCode};
use crate::{
    error::{UserError, UserErrorCode},
    text::trim,
};

/// Countries where every address has a subdivision.
const REQUIRED: &[&str] = &[
    "AE", "AU", "BR", "CA", "CN", "CO", "ES", "ID", "IN", "IT", "JM", "JP", "KN", "KR", "MX", "NR", "RU", "SO", "SV",
    "TW", "US", "VE",
];

/// Countries where an address may have a subdivision.
const OPTIONAL: &[&str] = &[
    "AM", "AR", "BS", "CL", "CU", "CV", "EG", "IE", "IR", "KP", "MY", "MZ", "NG", "NI", "PE", "PH", "SR", "TH", "TR",
    "TV", "UA", "UY", "VN",
];

/// Types of subdivisions that addresses of a country do not use, because they use smaller or larger ones.
const UNUSED_TYPES: &[(&str, &str)] = &[
    ("CV", "Geographical region"),
    ("ES", "Autonomous community"),
    ("ID", "Geographical unit"),
    ("IE", "Province"),
    ("IT", "Autonomous region"),
    ("IT", "Region"),
    ("KN", "Parish"),
    ("PH", "Region"),
    ("TH", "Special administrative city"),
];

/// Subdivisions of an unused type that addresses use nevertheless: they have no smaller ones.
const USED: &[&str] = &["IT-23", "PH-00"];

/// Subdivisions that are not in ISO 3166-2 but in addresses: those of the armed forces of the United States.
const MILITARY: &[Subdivision] = &[
    Subdivision { code: "US-AA", name: "Armed Forces Americas" },
    Subdivision { code: "US-AE", name: "Armed Forces Europe" },
    Subdivision { code: "US-AP", name: "Armed Forces Pacific" },
];

/// A subdivision of a country.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subdivision {
    /// Full ISO 3166-2 code, such as `US-CA`.
    pub code: &'static str,
    /// Name in the Latin alphabet, as in ISO 3166-2.
    pub name: &'static str,
}

/// Subdivisions that addresses use, by country, sorted by name.
static IN_ADDRESSES: LazyLock<HashMap<&str, Vec<Subdivision>>> = LazyLock::new(|| {
    let countries = REQUIRED.iter().chain(OPTIONAL).copied();
    countries.map(|country| (country, in_addresses(country))).collect()
});

fn in_addresses(country: &'static str) -> Vec<Subdivision> {
    let iso = SUBDIVISION_COUNTRY_MAP.get(country).copied().unwrap_or_default().iter();
    let used = iso.filter(|iso| USED.contains(&iso.code) || !UNUSED_TYPES.contains(&(country, iso.subdivision_type)));
    let mut all: Vec<_> = used.map(|iso| Subdivision { code: iso.code, name: iso.name }).collect();
    all.extend(MILITARY.iter().filter(|military| military.code.starts_with(country)));
    all.sort_by_key(|subdivision| (subdivision.name, subdivision.code));
    all
}

impl Country {
    /// Returns the subdivisions that addresses of the country use, sorted by name; empty if they use none.
    pub fn subdivisions(&self) -> &'static [Subdivision] {
        IN_ADDRESSES.get(self.code).map_or(&[], Vec::as_slice)
    }

    /// Returns whether every address of the country has a subdivision.
    pub fn requires_subdivision(&self) -> bool {
        REQUIRED.contains(&self.code)
    }
}

/// Returns all subdivisions of a country.
fn all(country: CountryCode) -> impl Iterator<Item = Subdivision> {
    let iso = SUBDIVISION_COUNTRY_MAP.get(country.as_str()).copied().unwrap_or_default().iter();
    let military = MILITARY.iter().copied().filter(move |military| military.code.starts_with(country.as_str()));
    iso.map(|iso| Subdivision { code: iso.code, name: iso.name }).chain(military)
}

/// Returns the subdivision with this code, with or without the country's prefix, in upper or lower case.
fn by_code(code: &str, country: CountryCode) -> Option<Subdivision> {
    let code = code.to_ascii_uppercase();
    let full = if code.contains('-') { code } else { format!("{}-{code}", country.as_str()) };
    all(country).find(|subdivision| subdivision.code == full)
}

/// Returns the subdivision of a country that a text of another system names: by code or by name.
pub fn find_subdivision(text: &str, country: CountryCode) -> Option<Subdivision> {
    let text = trim(text);
    let by_name = || all(country).find(|subdivision| subdivision.name.to_lowercase() == text.to_lowercase());
    by_code(text, country).or_else(by_name)
}

/// Returns the name of the subdivision with this full code.
pub fn subdivision_name(code: &str) -> Option<&'static str> {
    let country = CountryCode::from_stored(code.get(..2)?)?;
    all(country).find(|subdivision| subdivision.code == code).map(|subdivision| subdivision.name)
}

/// Checks the code of a subdivision, with or without the country's prefix, and returns the full code.
/// # Errors
/// Returns REQUIRED for a missing code where every address has one and for a blank code, and INVALID for a code that
/// the country does not have.
pub fn check_subdivision(
    field: &'static str,
    value: Option<&str>,
    country: CountryCode,
) -> Result<Option<String>, UserError> {
    let rule = |text: &str| match example(country) {
        Some(example) => format!("{field} {text} {}, such as {}", country.name(), example.code),
        None => format!("{field} must be absent; {} has no subdivisions", country.name()),
    };
    match value.map(trim) {
        None if country.country().is_some_and(Country::requires_subdivision) => {
            Err(UserError::new(UserErrorCode::Required, field, rule("is required in")))
        }
        None => Ok(None),
        Some("") => Err(UserError::new(UserErrorCode::Required, field, "must not be blank")),
        Some(code) => match by_code(code, country) {
            Some(subdivision) => Ok(Some(subdivision.code.to_owned())),
            None => Err(UserError::new(
                UserErrorCode::Invalid,
                field,
                rule("must be the ISO 3166-2 code of a subdivision of"),
            )),
        },
    }
}

/// Returns a subdivision that addresses of the country use or, if they use none, its first one.
fn example(country: CountryCode) -> Option<Subdivision> {
    let used = country.country().and_then(|country| country.subdivisions().first().copied());
    used.or_else(|| all(country).next())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(country: &str) -> CountryCode {
        CountryCode::parse(country).unwrap()
    }

    #[test]
    fn countries_list_the_subdivisions_of_their_addresses() {
        for (country, count) in
            [("US", 60), ("CA", 13), ("AU", 8), ("BR", 27), ("JP", 47), ("IT", 107), ("ES", 52), ("IE", 26), ("MX", 32)]
        {
            assert_eq!(Country::by_code(country).unwrap().subdivisions().len(), count, "{country}");
        }
        for country in REQUIRED.iter().chain(OPTIONAL) {
            let listed = Country::by_code(country).unwrap().subdivisions();
            assert!(listed.len() > 1, "{country}");
            assert!(listed.is_sorted_by_key(|subdivision| subdivision.name), "{country}");
            for subdivision in listed {
                assert_eq!(subdivision_name(subdivision.code), Some(subdivision.name));
                let checked = check_subdivision("subdivisionCode", Some(subdivision.code), code(country));
                assert_eq!(checked, Ok(Some(subdivision.code.to_owned())));
            }
        }
        for country in ["DE", "FR", "GB", "NL", "HK", "XK"] {
            assert!(Country::by_code(country).unwrap().subdivisions().is_empty(), "{country}");
        }
        for (country, name) in UNUSED_TYPES {
            let iso = SUBDIVISION_COUNTRY_MAP.get(*country).copied().unwrap();
            assert!(iso.iter().any(|iso| iso.subdivision_type == *name), "{country} has no {name}");
        }
    }

    #[test]
    fn the_full_code_is_stored() {
        let check = |value, country: &str| {
            let checked = check_subdivision("subdivisionCode", value, code(country));
            checked.map_err(|error| error.message.into_owned())
        };
        for (value, country, stored) in [
            (Some("US-CA"), "US", Some("US-CA")),
            (Some(" ca"), "US", Some("US-CA")),
            (Some("ae"), "US", Some("US-AE")),
            (Some("IT-23"), "IT", Some("IT-23")),
            (Some("SCT"), "GB", Some("GB-SCT")),
            (None, "GB", None),
            (None, "AR", None),
        ] {
            assert_eq!(check(value, country), Ok(stored.map(ToOwned::to_owned)), "{value:?} in {country}");
        }
        for (value, country, message) in [
            (None, "US", "subdivisionCode is required in United States, such as US-AL"),
            (Some(""), "US", "must not be blank"),
            (
                Some("CA-ON"),
                "US",
                "subdivisionCode must be the ISO 3166-2 code of a subdivision of United States, such as US-AL",
            ),
            (
                Some("California"),
                "US",
                "subdivisionCode must be the ISO 3166-2 code of a subdivision of United States, such as US-AL",
            ),
            (Some("X"), "HK", "subdivisionCode must be absent; Hong Kong has no subdivisions"),
        ] {
            assert_eq!(check(value, country), Err(message.to_owned()), "{value:?} in {country}");
        }
    }

    #[test]
    fn files_may_name_a_subdivision() {
        for text in ["California", " california", "CA", "us-ca"] {
            assert_eq!(find_subdivision(text, code("US")).map(|found| found.code), Some("US-CA"), "{text}");
        }
        assert_eq!(find_subdivision("Narnia", code("US")), None);
        assert_eq!(subdivision_name("ZZ-X"), None);
        assert_eq!(subdivision_name("\u{fc}"), None);
    }
}
