//! Phone numbers, validated against the numbering plans of all countries.
//! Rule: a number includes its country code and is stored in E.164, so equal numbers have equal texts.

use phonenumber::Mode;

use crate::error::{Result, UserError, UserErrorCode};

/// Maximum length of the input, in characters.
const MAX_LENGTH: usize = 40;
/// Maximum number of digits in E.164.
const MAX_DIGITS: usize = 15;

const RULE: &str = "must be a valid phone number with country code, such as +44 20 7946 0000";

/// Returns a phone number in E.164, such as `+442079460000`.
/// # Errors
/// Returns INVALID if the number does not exist in any numbering plan or has no country code.
pub fn normalize_phone(field: &'static str, value: &str) -> Result<String, UserError> {
    canonical(value).ok_or_else(|| UserError::new(UserErrorCode::Invalid, field, RULE))
}

fn canonical(value: &str) -> Option<String> {
    let rest = value.strip_prefix('+')?;
    if value.len() > MAX_LENGTH || !rest.chars().all(|c| c.is_ascii_digit() || " -./()".contains(c)) {
        return None;
    }
    // The parser also accepts words, extensions and more; passing only digits avoids guesses.
    let digits: String = rest.chars().filter(char::is_ascii_digit).collect();
    let number = phonenumber::parse(None, format!("+{digits}")).ok()?;
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
            assert_eq!(canonical(typed).as_deref(), Some(expected), "{typed}");
            assert_eq!(canonical(expected).as_deref(), Some(expected), "{typed} again");
        }
        assert!(RULE.contains("+44 20 7946 0000"), "the example is the first number above");
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
            "0044 20 7946 0000",
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
            assert_eq!(canonical(typed), None, "{typed}");
        }
    }
}
