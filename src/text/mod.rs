//! Validation and normalization of texts: length, invisible characters, email addresses, phone numbers, passwords,
//! slugs and searches.
//! Rule: every stored text passes a [`Validator`], which collects all errors before it returns. A text with a canonical
//! form is stored and looked up in that form only.

mod anchor;
mod email;
mod hidden;
mod page;
mod password;
mod phone;
mod search_query;
mod slug;

pub use self::{
    anchor::HeadingAnchors,
    email::normalize_email,
    hidden::is_visible,
    page::check_page_texts,
    password::{MAX_PASSWORD, check_password, check_password_length},
    phone::normalize_phone,
    search_query::normalize_search_query,
    slug::{check_slug, slugify},
};
use crate::error::{Error, Result, UserError, UserErrorCode};

/// Maximum length of a description, in characters.
pub const MAX_DESCRIPTION: usize = 20_000;

/// Collects the errors of one input, so that a form can show all of them at once.
#[derive(Debug, Default)]
pub struct Validator(Vec<UserError>);

impl Validator {
    /// Creates a validator without errors.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an error.
    pub fn add(&mut self, error: UserError) {
        self.0.push(error);
    }

    /// Adds the error of a failed check.
    pub fn check(&mut self, checked: Result<(), UserError>) {
        self.0.extend(checked.err());
    }

    /// Returns the canonical form from a check. If the check failed, adds its error and returns the default, which is
    /// never used because [`Validator::finish`] rejects the input.
    pub fn value_or_default<T: Default>(&mut self, checked: Result<T, UserError>) -> T {
        checked.map_err(|error| self.add(error)).unwrap_or_default()
    }

    /// Checks a required single-line text of up to `max` characters.
    pub fn text(&mut self, field: &'static str, value: &str, max: usize) {
        if value.trim().is_empty() {
            self.add(UserError::new(UserErrorCode::Required, field, "must not be blank"));
        } else {
            self.characters(field, value, max, hidden::single_line_problem(value));
        }
    }

    /// Checks a single-line text that may be absent but not blank.
    pub fn optional_text(&mut self, field: &'static str, value: Option<&str>, max: usize) {
        if let Some(value) = value {
            self.text(field, value, max);
        }
    }

    /// Checks a text of up to `max` characters that may be empty and may contain line breaks and tabs.
    pub fn multiline_text(&mut self, field: &'static str, value: &str, max: usize) {
        self.characters(field, value, max, hidden::multiline_problem(value));
    }

    fn characters(&mut self, field: &'static str, value: &str, max: usize, hidden: Option<String>) {
        if value.chars().nth(max).is_some() {
            self.add(UserError::new(UserErrorCode::TooLong, field, format!("must be at most {max} characters long")));
        } else if let Some(rule) = hidden {
            self.add(UserError::new(UserErrorCode::Invalid, field, rule));
        }
    }

    /// Finishes the validation.
    /// # Errors
    /// Returns all collected errors, if there are any.
    pub fn finish(self) -> Result<()> {
        if self.0.is_empty() { Ok(()) } else { Err(Error::User(self.0)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_broken_rules_are_reported_together() {
        let mut validator = Validator::new();
        validator.text("name", " ", 255);
        let email: String = validator.value_or_default(normalize_email("email", "nobody"));
        assert_eq!(email, "");
        let Err(Error::User(errors)) = validator.finish() else { panic!("accepted") };
        assert_eq!(errors.iter().map(|e| e.field.as_deref().unwrap()).collect::<Vec<_>>(), ["name", "email"]);
    }
}
