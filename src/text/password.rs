//! Validation of new passwords: length, and resistance to guessing.
//! Rule: there are no composition rules and no truncation. A password that is found within a few ten thousand guesses,
//! or derived from its owner's name, is rejected.

use zxcvbn::zxcvbn;

use crate::error::{Result, UserError, UserErrorCode};

/// Minimum length of a password, in characters.
const MIN_PASSWORD: usize = 8;
/// Maximum length of a password, in characters.
pub const MAX_PASSWORD: usize = 128;
/// Minimum number of guesses that a password must withstand: `Passw0rd!` takes 11,000, `Summer2024` 24,000.
const MIN_GUESSES: u64 = 30_000;
/// Number of characters that are estimated. The cost grows with the cube of the length, and a prefix is never harder to
/// guess than the whole password.
const MAX_ESTIMATED_LENGTH: usize = 24;

const LENGTH: &str = "must be 8 to 128 characters long";
const COMMON: &str = "this password is too easy to guess; combine several words or use a password manager";

/// Validates a new password. `about` holds the owner's name and email address. It can take about 40 ms, so do not call
/// it on async threads.
/// # Errors
/// Returns INVALID for the length, or WEAK_PASSWORD if the password is easy to guess.
pub fn check_password(field: &'static str, value: &str, about: &[&str]) -> Result<(), UserError> {
    check_password_length(field, value)?;
    let about = words(about);
    let about: Vec<&str> = about.iter().map(String::as_str).collect();
    if zxcvbn(&estimated_part(value), &about).guesses() < MIN_GUESSES {
        return Err(UserError::new(UserErrorCode::WeakPassword, field, COMMON));
    }
    Ok(())
}

/// Validates only the length of a new password, at no cost.
/// # Errors
/// Returns INVALID unless it has 8 to 128 characters.
pub fn check_password_length(field: &'static str, value: &str) -> Result<(), UserError> {
    let length = value.chars().take(MAX_PASSWORD + 1).count();
    if (MIN_PASSWORD..=MAX_PASSWORD).contains(&length) {
        return Ok(());
    }
    Err(UserError::new(UserErrorCode::Invalid, field, LENGTH))
}

/// Returns the texts and their words, truncated to the estimated length.
fn words(about: &[&str]) -> Vec<String> {
    let parts = about.iter().flat_map(|text| text.split(|c: char| !c.is_alphanumeric()));
    let words = parts.filter(|word| word.chars().nth(2).is_some()).chain(about.iter().copied());
    words.map(estimated_part).collect()
}

fn estimated_part(text: &str) -> String {
    text.chars().take(MAX_ESTIMATED_LENGTH).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(value: &str) -> Option<UserErrorCode> {
        check_password("password", value, &["Ada Lovelace", "ada.lovelace@souk.example"]).err().map(|error| error.code)
    }

    #[test]
    fn password_length_counts_characters() {
        for short in ["", "a", "seven77", "äöüßäöü", "🦀🐙🦑🐚🐡🐠🐟"] {
            assert_eq!(verdict(short), Some(UserErrorCode::Invalid), "{short}");
        }
        let phrase = "the quick brown crab eats the lazy whelk and ".repeat(3);
        let of = |length: usize| phrase.chars().take(length).collect::<String>();
        assert_eq!(verdict(&of(128)), None);
        assert_eq!(verdict(&of(129)), Some(UserErrorCode::Invalid));
        assert_eq!(verdict("🦀🐙x漢7ü!q"), None);
        assert_eq!(verdict(&"x".repeat(1_000_000)), Some(UserErrorCode::Invalid));
    }

    #[test]
    fn common_passwords_are_rejected() {
        for common in [
            "password",
            "Password1",
            "Passw0rd!",
            "P@$$w0rd",
            "password123",
            "12345678",
            "qwertyuiop",
            "1q2w3e4r5t",
            "iloveyou",
            "letmein1",
            "trustno1",
            "sunshine1",
            "welcome1",
            "admin123",
            "changeme",
            "abcdefgh",
            "19900101",
            "aaaaaaaaaaaaaaaaaaaa",
            "abababababab",
            "äöäöäöäö",
            "        ",
            "Summer2024",
            "adalovelace",
            "Lovelace1",
            "ada.lovelace@souk.example",
            "Ada Lovelace",
        ] {
            assert_eq!(verdict(common), Some(UserErrorCode::WeakPassword), "{common}");
        }
        // Repetition does not help, whatever the length.
        for repeated in ["password", "1234567890", "qwerty", "a"] {
            let long: String = repeated.chars().cycle().take(128).collect();
            assert_eq!(verdict(&long), Some(UserErrorCode::WeakPassword), "{long}");
        }
        for good in [
            "correct horse",
            "ninechars",
            "kX9#mP2$",
            "demo-admin-2026",
            "a long enough password",
            "日本語のパスワード",
        ] {
            assert_eq!(verdict(good), None, "{good}");
        }
    }

    #[test]
    fn passwords_made_of_the_users_name_or_address_are_rejected() {
        let with = |about: &[&str]| check_password("password", "Vauquelin24", about).is_ok();
        assert!(with(&[]) && with(&["Ada", "ada@souk.example"]));
        assert!(!with(&["Louis-Nicolas Vauquelin"]) && !with(&["l", "vauquelin@souk.example"]));
    }
}
