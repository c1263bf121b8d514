//! Text as people type it: length rules, e-mail addresses, slugs.
//! Rule: every text that is stored goes through a [`Check`], which collects all broken rules before it answers.

use crate::error::{Error, Result, UserError, UserErrorCode};

/// Longest description, in characters.
pub const MAX_DESCRIPTION: usize = 20_000;

/// Collects the broken rules of one input, so that a form shows them all at once.
#[derive(Debug, Default)]
pub struct Check(Vec<UserError>);

impl Check {
    /// Nothing broken yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a broken rule.
    pub fn add(&mut self, error: UserError) {
        self.0.push(error);
    }

    /// Adds the error of a failed check.
    pub fn that(&mut self, checked: Result<(), UserError>) {
        self.0.extend(checked.err());
    }

    /// A required text of up to `max` characters.
    pub fn text(&mut self, field: &'static str, value: &str, max: usize) {
        if value.trim().is_empty() {
            self.add(UserError::new(UserErrorCode::Required, field, "give a text that is not blank"));
        } else {
            self.at_most(field, value, max);
        }
    }

    /// A text that may be absent, but not blank.
    pub fn optional(&mut self, field: &'static str, value: Option<&str>, max: usize) {
        if let Some(value) = value {
            self.text(field, value, max);
        }
    }

    /// A text of up to `max` characters that may be empty.
    pub fn at_most(&mut self, field: &'static str, value: &str, max: usize) {
        if value.chars().nth(max).is_some() {
            self.add(UserError::new(UserErrorCode::TooLong, field, format!("give at most {max} characters")));
        }
    }

    /// An e-mail address: one `@` with something on both sides, no blanks, at most 254 characters (RFC 5321).
    pub fn email(&mut self, field: &'static str, value: &str) {
        let parts: Vec<&str> = value.split('@').collect();
        let sound = parts.len() == 2 && parts.iter().all(|part| !part.is_empty());
        if !sound || value.chars().any(|c| c.is_whitespace() || c.is_control()) || value.chars().count() > 254 {
            self.add(UserError::new(UserErrorCode::Invalid, field, "give an e-mail address such as name@shop.example"));
        }
    }

    /// A phone number: 3 to 40 characters.
    pub fn phone(&mut self, field: &'static str, value: Option<&str>) {
        let Some(value) = value else { return };
        let digits = value.chars().filter(char::is_ascii_digit).count();
        let sound = value.chars().all(|c| c.is_ascii_digit() || " +-./()".contains(c));
        if !sound || digits < 3 || value.len() > 40 {
            self.add(UserError::new(UserErrorCode::Invalid, field, "give a phone number such as +44 20 7946 0000"));
        }
    }

    /// A password: 10 to 200 characters, not all the same.
    pub fn password(&mut self, field: &'static str, value: &str) {
        let length = value.chars().take(201).count();
        let first = value.chars().next();
        if !(10..=200).contains(&length) || value.chars().all(|c| Some(c) == first) {
            self.add(UserError::new(
                UserErrorCode::Invalid,
                field,
                "give a password of 10 to 200 characters, not all the same",
            ));
        }
    }

    /// # Errors
    /// All broken rules, where there are any.
    pub fn finish(self) -> Result<()> {
        if self.0.is_empty() { Ok(()) } else { Err(Error::User(self.0)) }
    }
}

/// A slug of some text: `a-z`, `0-9` and single dashes, at most 200 characters; `item` where nothing is left.
pub fn slugify(text: &str) -> String {
    let mut slug = String::new();
    for c in deunicode::deunicode(text).to_ascii_lowercase().chars() {
        if c.is_ascii_alphanumeric() {
            slug.push(c);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
        if slug.len() >= 200 {
            break;
        }
    }
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() { "item".to_owned() } else { slug.to_owned() }
}

/// Checks a slug that somebody chose.
pub fn check_slug(check: &mut Check, field: &'static str, slug: Option<&str>) {
    let Some(slug) = slug else { return };
    if slug != slugify(slug) {
        check.add(UserError::new(
            UserErrorCode::Invalid,
            field,
            "a slug is a-z, 0-9 and single dashes, at most 200 characters",
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_are_plain() {
        assert_eq!(slugify("  Café au Lait — Bowl, 2x "), "cafe-au-lait-bowl-2x");
        assert_eq!(slugify("???"), "item");
        assert!(slugify(&"ä".repeat(1000)).len() <= 200);
    }

    #[test]
    fn all_broken_rules_are_told_at_once() {
        let mut check = Check::new();
        check.text("name", " ", 255);
        check.email("email", "nobody");
        let Err(Error::User(errors)) = check.finish() else { panic!("accepted") };
        assert_eq!(errors.iter().map(|e| e.field.as_deref().unwrap()).collect::<Vec<_>>(), ["name", "email"]);
    }
}
