//! Phone numbers, validated against the numbering plans of all countries.
//! Rule: a number is stored in E.164, with its country code, so equal numbers have equal texts. A number without a
//! country code is read as it is dialed in the country of the address beside it.

use phonenumber::{Mode, country, metadata::DATABASE};

use super::trim;
use crate::error::{Result, UserError, UserErrorCode};

/// Maximum length of the input, in characters.
const MAX_LENGTH: usize = 40;
/// Maximum number of digits in E.164.
const MAX_DIGITS: usize = 15;

const EXAMPLE: &str = "with country code, such as +44 20 7946 0000";

/// Returns a phone number in E.164, such as `+442079460000`. `country` is the ISO 3166 code of the country that a number
/// without country code is in; other texts, such as a country's name, are ignored.
/// # Errors
/// Returns INVALID if the number does not exist in any numbering plan, or has neither country code nor country.
pub fn normalize_phone(field: &'static str, value: &str, country: Option<&str>) -> Result<String, UserError> {
    canonical(trim(value), country).ok_or_else(|| {
        let rule = match country.filter(|code| country_id(code).is_some()) {
            Some(country) => format!("must be a valid phone number in {country}, or one {EXAMPLE}"),
            None => format!("must be a valid phone number {EXAMPLE}"),
        };
        UserError::new(UserErrorCode::Invalid, field, rule)
    })
}

/// Returns whether a number has no country code, so that [`normalize_phone`] needs a country.
pub fn is_national_phone(value: &str) -> bool {
    !trim(value).starts_with('+')
}

fn canonical(value: &str, country: Option<&str>) -> Option<String> {
    if value.len() > MAX_LENGTH {
        return None;
    }
    let is_international = value.starts_with('+');
    let rest = value.strip_prefix('+').unwrap_or(value);
    if !rest.chars().all(|c| c.is_ascii_digit() || " -./()".contains(c)) {
        return None;
    }
    // The parser also accepts words, extensions and more; passing only digits avoids guesses.
    let digits: String = rest.chars().filter(char::is_ascii_digit).collect();
    if is_international {
        return e164(None, &format!("+{digits}"));
    }
    let national = country.and_then(country_id).and_then(|country| e164(Some(country), &digits));
    // Most countries dial 00 for a number abroad, and people write it from countries that do not.
    national.or_else(|| e164(None, &format!("+{}", digits.strip_prefix("00")?)))
}

/// Returns the country with this ISO 3166 code.
fn country_id(code: &str) -> Option<country::Id> {
    let id: country::Id = trim(code).to_ascii_uppercase().parse().ok()?;
    DATABASE.by_id(id.as_ref()).map(|_| id)
}

fn e164(country: Option<country::Id>, digits: &str) -> Option<String> {
    let number = phonenumber::parse(country, digits).ok()?;
    let number = number.is_valid().then(|| number.format().mode(Mode::E164).to_string());
    // Germany's plan has longer numbers, which cannot be called from other networks.
    number.filter(|number| number.len() <= "+".len() + MAX_DIGITS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phone_numbers_are_normalized_to_one_form() {
        for (typed, expected) in [
            ("+44 20 7946 0000", "+442079460000"),
            ("+442079460000", "+442079460000"),
            ("+44 (0)20 7946-0000", "+442079460000"),
            ("+44.20.7946.0000", "+442079460000"),
            ("+1 (202) 555-0143", "+12025550143"),
            ("+39 06 1234 5678", "+390612345678"),
            ("+49 40/1234", "+49401234"),
            ("+90 532 123 45 67", "+905321234567"),
            ("+86 138 0013 8000", "+8613800138000"),
            ("+800 1234 5678", "+80012345678"),
        ] {
            assert_eq!(canonical(typed, None).as_deref(), Some(expected), "{typed}");
            assert_eq!(canonical(expected, Some("US")).as_deref(), Some(expected), "{typed} again");
        }
        assert!(EXAMPLE.contains("+44 20 7946 0000"), "the example is the first number above");
    }

    #[test]
    fn numbers_without_country_code_are_read_in_their_country() {
        for (typed, country, expected) in [
            ("020 7946 0000", Some("GB"), Some("+442079460000")),
            ("(020) 7946-0000", Some(" gb "), Some("+442079460000")),
            ("44 20 7946 0000", Some("GB"), Some("+442079460000")),
            ("0049 40 1234", Some("GB"), Some("+49401234")),
            ("0049 40 1234", Some("US"), Some("+49401234")),
            ("011 49 40 1234", Some("US"), Some("+49401234")),
            ("0049 40 1234", None, Some("+49401234")),
            ("(202) 555-0143", Some("US"), Some("+12025550143")),
            ("06 1234 5678", Some("IT"), Some("+390612345678")),
            ("0532 123 45 67", Some("TR"), Some("+905321234567")),
            ("+49 40 1234", Some("GB"), Some("+49401234")),
            ("020 7946 0000", Some("United Kingdom"), None),
            ("020 7946 0000", Some("ZZ"), None),
            ("020 7946 0000", None, None),
            ("999", Some("GB"), None),
            ("0", Some("GB"), None),
            ("", Some("GB"), None),
            ("00", Some("GB"), None),
            ("000000", Some("GB"), None),
            ("1-800-FLOWERS", Some("US"), None),
        ] {
            assert_eq!(canonical(typed, country).as_deref(), expected, "{typed} in {country:?}");
        }
        let around = normalize_phone("phone", "\u{202d}+44 20 7946 0000\u{202c}\n", None);
        assert_eq!(around.as_deref(), Ok("+442079460000"));
    }

    #[test]
    fn every_country_can_be_asked_for() {
        for (first, second) in ('A'..='Z').flat_map(|first| ('A'..='Z').map(move |second| (first, second))) {
            let country = format!("{first}{second}");
            canonical("0123456789", Some(&country));
            canonical("1", Some(&country));
        }
    }

    #[test]
    fn numbers_that_cannot_be_called_from_abroad_are_rejected() {
        for typed in [
            "",
            "+",
            "+++",
            "12",
            "call me",
            "020 7946 0000",
            "44 20 7946 0000",
            " +44 20 7946 0000",
            "+44 20 7946 0000\n",
            "++44 20 7946 0000",
            "+44 20 7946 00000",
            "+44 20 7946 000",
            "+44 112",
            "+112",
            "+0 20 7946 0000",
            "+999 123456",
            "+49 9369 0372 8056 12",
            "+1-800-FLOWERS",
            "+1 650 253 0000 ext. 12",
            "+1 650 253 0000x12",
            "tel:+1-650-253-0000",
            "+1650253\u{200b}0000",
            "+१६५०२५३००००",
            "＋44 20 7946 0000",
            &format!("+{}", "1".repeat(40)),
            &"9".repeat(1_000_000),
        ] {
            assert_eq!(canonical(typed, None), None, "{typed}");
        }
    }
}
