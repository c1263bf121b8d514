//! Validation and normalization of texts: edges, length, invisible characters, email addresses, phone numbers,
//! passwords, slugs, times and searches.
//! Rule: every stored text passes a [`Validator`], which trims it and collects all errors before it returns. A text with
//! a canonical form is stored and looked up in that form only. Passwords alone keep their edges.

mod anchor;
mod email;
mod hidden;
mod page;
mod password;
mod phone;
mod search_query;
mod slug;
mod time;
mod trim;
mod url;

pub use self::{
    anchor::HeadingAnchors,
    email::normalize_email,
    hidden::is_visible,
    page::check_page_texts,
    password::{MAX_PASSWORD, check_password, check_password_length},
    phone::{is_national_phone, normalize_phone},
    search_query::normalize_search_query,
    slug::{check_slug, slug_candidates, slugify},
    time::{is_leap_second, parse_time},
    trim::{trim, trim_in_place},
    url::contains_url,
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

    /// Trims and checks a required single-line text of up to `max` characters.
    pub fn text(&mut self, field: &'static str, value: &mut String, max: usize) {
        trim_in_place(value);
        if value.is_empty() {
            self.add(UserError::new(UserErrorCode::Required, field, "must not be blank"));
        } else {
            self.characters(field, value, max, hidden::single_line_problem(value));
        }
    }

    /// Trims and checks single-line texts that may be absent but not blank: those of an update, or a list.
    pub fn texts<'t>(&mut self, field: &'static str, values: impl IntoIterator<Item = &'t mut String>, max: usize) {
        values.into_iter().for_each(|value| self.text(field, value, max));
    }

    /// Trims and checks optional single-line texts. A blank text is none, which is what forms send for an empty field.
    pub fn optional_texts<'t>(
        &mut self,
        field: &'static str,
        values: impl IntoIterator<Item = &'t mut Option<String>>,
        max: usize,
    ) {
        for value in values {
            value.iter_mut().for_each(trim_in_place);
            value.take_if(|text| text.is_empty());
            if let Some(text) = value {
                self.characters(field, text, max, hidden::single_line_problem(text));
            }
        }
    }

    /// Trims and checks names of people or companies that may be absent but not blank, as [`Validator::without_url`] does.
    pub fn names<'t>(&mut self, field: &'static str, values: impl IntoIterator<Item = &'t mut String>, max: usize) {
        for value in values {
            self.text(field, value, max);
            self.without_url(field, Some(value));
        }
    }

    /// Checks names of people or companies. They are shown to others, also in emails, so they must not contain a URL.
    pub fn without_url<'t>(&mut self, field: &'static str, values: impl IntoIterator<Item = &'t mut String>) {
        for value in values {
            if contains_url(value) {
                let rule = "must not contain a URL or the name of a website. Write a space after each dot.";
                self.add(UserError::new(UserErrorCode::Invalid, field, rule));
            }
        }
    }

    /// Trims and checks texts of up to `max` characters that may be empty and may contain line breaks and tabs.
    pub fn multiline_texts<'t>(
        &mut self,
        field: &'static str,
        values: impl IntoIterator<Item = &'t mut String>,
        max: usize,
    ) {
        for value in values {
            trim_in_place(value);
            self.characters(field, value, max, hidden::multiline_problem(value));
        }
    }

    /// Trims and checks the street lines of a postal address, separated by `\n` in the stored form.
    pub fn street_lines<'t>(
        &mut self,
        field: &'static str,
        values: impl IntoIterator<Item = &'t mut String>,
        max: usize,
    ) {
        for value in values {
            let lines = value.lines().flat_map(|line| line.split(['\r', '\u{2028}', '\u{2029}'])).map(trim);
            *value = lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n");
            if value.is_empty() {
                self.add(UserError::new(UserErrorCode::Required, field, "must not be blank"));
            } else {
                let problem = value.lines().find_map(hidden::single_line_problem);
                self.characters(field, value, max, problem);
            }
        }
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
        validator.text("name", &mut " ".to_owned(), 255);
        let email: String = validator.value_or_default(normalize_email("email", "nobody"));
        assert_eq!(email, "");
        let Err(Error::User(errors)) = validator.finish() else { panic!("accepted") };
        assert_eq!(errors.iter().map(|e| e.field.as_deref().unwrap()).collect::<Vec<_>>(), ["name", "email"]);
    }

    #[test]
    fn street_lines_are_trimmed_and_separated_by_one_kind_of_line_break() {
        let stored = |typed: &str| {
            let (mut validator, mut value) = (Validator::new(), typed.to_owned());
            validator.street_lines("address", [&mut value], 500);
            validator.finish().map(|()| value).ok()
        };
        for typed in ["12 High Street\nFlat 3", " 12 High Street \r\n\r\n\tFlat 3\n", "12 High Street\u{2028}Flat 3"] {
            assert_eq!(stored(typed).as_deref(), Some("12 High Street\nFlat 3"), "{typed:?}");
        }
        for typed in ["", " \n ", "12 High\u{202e} Street", "a\tb", "a\u{b}b"] {
            assert_eq!(stored(typed), None, "{typed:?}");
        }
    }
}
