//! Postal codes by country.
//! Rule: a code is stored in capitals and with the country's own separator, so that equal codes have equal texts.

use std::{
    collections::HashMap,
    sync::{LazyLock, OnceLock},
};

use regex::{Regex, RegexBuilder};

use super::{CountryCode, countries::COUNTRIES};
use crate::{
    error::{UserError, UserErrorCode},
    text::trim,
};

/// Maximum length, in characters.
const MAX_LENGTH: usize = 20;

/// The postal codes of a country.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PostalCodeRule {
    /// Regular expression for the whole code, in capitals.
    pub pattern: &'static str,
    /// A valid code.
    pub example: &'static str,
    /// Whether every address has one.
    pub is_required: bool,
}

/// Checks a postal code and returns its stored form. The code of a country that has none, or that is not known, may be
/// any text of letters and digits.
/// # Errors
/// Returns REQUIRED for a missing or blank code, TOO_LONG, and INVALID for a code of another form.
pub fn check_postal_code(
    field: &'static str,
    value: Option<&str>,
    country: CountryCode,
) -> Result<Option<String>, UserError> {
    let rule = country.country().and_then(|country| country.postal_code);
    let Some(value) = value else {
        return match rule.filter(|rule| rule.is_required) {
            Some(rule) => Err(UserError::new(
                UserErrorCode::Required,
                field,
                format!("{field} is required in {}, such as {}", country.name(), rule.example),
            )),
            None => Ok(None),
        };
    };
    let value = trim(value);
    if value.is_empty() {
        return Err(UserError::new(UserErrorCode::Required, field, "must not be blank"));
    }
    if value.chars().nth(MAX_LENGTH).is_some() {
        let message = format!("must be at most {MAX_LENGTH} characters long");
        return Err(UserError::new(UserErrorCode::TooLong, field, message));
    }
    let code = match rule {
        Some(rule) => canonical(value, &rule, country),
        None => Some(value.to_uppercase()).filter(|code| is_plain(code)),
    };
    code.map(Some).ok_or_else(|| {
        let message = match rule {
            Some(rule) => format!("{field} must be a postal code of {}, such as {}", country.name(), rule.example),
            None => format!("{field} must consist of letters and digits; {} has no postal codes", country.name()),
        };
        UserError::new(UserErrorCode::Invalid, field, message)
    })
}

/// Returns the first of these forms that is a code of the country: with the separator of the example, as typed, with
/// hyphens, and without separators.
fn canonical(value: &str, rule: &PostalCodeRule, country: CountryCode) -> Option<String> {
    let typed = value.to_uppercase();
    let compact: String = typed.chars().filter(|c| !is_separator(*c)).collect();
    let hyphenated: String = typed.chars().map(|c| if c.is_whitespace() { '-' } else { c }).collect();
    let forms = [separated(&compact, rule.example), Some(typed), Some(hyphenated), Some(compact)];
    let pattern = pattern(country)?;
    forms.into_iter().flatten().find(|form| pattern.is_match(form))
}

/// Inserts the separator of the example at the same distance from the end; none unless the example has exactly one.
fn separated(compact: &str, example: &str) -> Option<String> {
    let mut separators = example.char_indices().filter(|(_, c)| is_separator(*c));
    let (index, separator) = separators.next().filter(|_| compact.is_ascii())?;
    let place = compact.len().checked_sub(example.len() - index - 1).filter(|place| *place > 0)?;
    let is_only = separators.next().is_none();
    is_only.then(|| format!("{}{separator}{}", &compact[..place], &compact[place..]))
}

fn is_separator(c: char) -> bool {
    c == '-' || c.is_whitespace()
}

fn is_plain(code: &str) -> bool {
    code.starts_with(|c: char| c.is_ascii_alphanumeric())
        && code.chars().all(|c| c.is_ascii_alphanumeric() || c == ' ' || c == '-')
}

/// Returns the compiled pattern of a country.
fn pattern(country: CountryCode) -> Option<&'static Regex> {
    static PATTERNS: LazyLock<HashMap<CountryCode, OnceLock<Regex>>> =
        LazyLock::new(|| COUNTRIES.iter().map(|country| (country.into(), OnceLock::new())).collect());
    let rule = country.country()?.postal_code?;
    let compiled = PATTERNS.get(&country)?;
    Some(compiled.get_or_init(|| compile(rule.pattern)))
}

fn compile(pattern: &str) -> Regex {
    // Without Unicode, so that `\d` means 0 to 9.
    let whole = RegexBuilder::new(&format!("^(?:{pattern})$")).unicode(false).build();
    whole.expect("a test compiles every pattern of the table")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(country: &str, typed: &str) -> Option<String> {
        check_postal_code("postalCode", Some(typed), CountryCode::parse(country).unwrap()).ok().flatten()
    }

    #[test]
    fn every_example_is_a_code_of_its_country_in_its_stored_form() {
        for country in COUNTRIES {
            let Some(rule) = country.postal_code else { continue };
            assert_eq!(stored(country.code, rule.example).as_deref(), Some(rule.example), "{}", country.name);
            assert_eq!(stored(country.code, "##"), None, "{}", country.name);
            assert_eq!(stored(country.code, "1\u{0663}"), None, "{}", country.name);
        }
    }

    #[test]
    fn codes_are_stored_in_the_form_of_their_country() {
        for (country, typed, expected) in [
            ("AE", "00000", Some("00000")),
            ("AR", "c1070aam", Some("C1070AAM")),
            ("AT", "1010", Some("1010")),
            ("AT", "10100", None),
            ("AU", "2000", Some("2000")),
            ("BR", "01310100", Some("01310-100")),
            ("CA", "k1a0b1", Some("K1A 0B1")),
            ("CA", "K1A-0B1", Some("K1A 0B1")),
            ("CA", "D1A 0B1", None),
            ("CH", "8001", Some("8001")),
            ("CN", "100 096", Some("100096")),
            ("CZ", "11000", Some("110 00")),
            ("DE", "10115", Some("10115")),
            ("DE", "1011", None),
            ("DE", "D-10115", None),
            ("ES", "28013", Some("28013")),
            ("FR", "75001", Some("75001")),
            ("GB", "sw1a1aa", Some("SW1A 1AA")),
            ("GB", "SW1A  1AA", Some("SW1A 1AA")),
            ("GB", "m25bq", Some("M2 5BQ")),
            ("GB", "BFPO 61", Some("BFPO 61")),
            ("GB", "20457", None),
            ("GR", "15124", Some("151 24")),
            ("HK", "##", None),
            ("IE", "a65f4e2", Some("A65 F4E2")),
            ("IN", "110001", Some("110001")),
            ("IT", "00144", Some("00144")),
            ("JP", "1000001", Some("100-0001")),
            ("JP", "\u{ff11}00-0001", None),
            ("KR", "03051", Some("03051")),
            ("LB", "1107", Some("1107")),
            ("LV", "lv1010", Some("LV-1010")),
            ("MX", "06082", Some("06082")),
            ("NL", "1012ab", Some("1012 AB")),
            ("PL", "00950", Some("00-950")),
            ("PT", "1000-001", Some("1000-001")),
            ("SE", "11455", Some("114 55")),
            ("SG", "546080", Some("546080")),
            ("US", "95014", Some("95014")),
            ("US", "22162-1010", Some("22162-1010")),
            ("US", "22162 1010", Some("22162-1010")),
            ("US", "2216", None),
            ("ZA", "0083", Some("0083")),
        ] {
            assert_eq!(stored(country, typed).as_deref(), expected, "{typed} in {country}");
            if let Some(expected) = expected {
                assert_eq!(stored(country, expected).as_deref(), Some(expected), "{expected} again");
            }
        }
    }

    #[test]
    fn a_code_may_be_missing_only_where_not_every_address_has_one() {
        let check = |country: &str, code| {
            let checked = check_postal_code("postalCode", code, CountryCode::from_stored(country).unwrap());
            checked.map_err(|error| error.message.into_owned())
        };
        for country in ["AE", "HK", "IE", "ZZ"] {
            assert_eq!(check(country, None), Ok(None), "{country}");
        }
        for (country, code, message) in [
            ("DE", None, "postalCode is required in Germany, such as 10115"),
            ("DE", Some(" "), "must not be blank"),
            ("DE", Some("##"), "postalCode must be a postal code of Germany, such as 10115"),
            ("DE", Some("123456789012345678901"), "must be at most 20 characters long"),
            ("HK", Some("##"), "postalCode must consist of letters and digits; Hong Kong has no postal codes"),
        ] {
            assert_eq!(check(country, code), Err(message.to_owned()), "{country} {code:?}");
        }
    }
}
