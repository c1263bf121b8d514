//! Rows, inputs and validation of websites.

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use super::language::Language;
use crate::{
    db::{filter::Op, tables::websites},
    error::{Result, UserError, UserErrorCode},
    ids::WebsiteId,
    money::Currency,
    paging::SortKey,
    text::{Validator, trim_in_place},
};

/// A row of `websites`.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = websites, check_for_backend(diesel::pg::Pg))]
pub struct WebsiteRow {
    /// Primary key.
    pub id: WebsiteId,
    /// Unique short name.
    pub code: String,
    /// Display name.
    pub name: String,
    /// URL of the shop.
    pub base_url: String,
    currency: String,
    /// Language of its product texts.
    pub language: Language,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it was last updated.
    pub updated_at: DateTime<Utc>,
}

impl WebsiteRow {
    /// Returns the currency of its prices and orders.
    pub fn currency(&self) -> Currency {
        Currency::from_stored(&self.currency).expect("the table's CHECK guarantees three capital letters")
    }
}

/// The currency of a website.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebsiteCurrency {
    /// Primary key of the website.
    pub id: WebsiteId,
    /// Code of the website; none if it was not read.
    pub code: Option<String>,
    /// Currency of the website's prices and orders.
    pub currency: Currency,
}

/// Fields of a new website.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = websites)]
pub struct NewWebsite {
    /// See [`WebsiteRow`].
    pub code: String,
    /// See [`WebsiteRow`].
    pub name: String,
    /// See [`WebsiteRow`].
    pub base_url: String,
    /// ISO 4217.
    pub currency: String,
    /// Language of its product texts.
    pub language: Language,
}

/// Changes to a website; absent fields keep their values.
#[derive(Debug, Clone, Default, PartialEq, AsChangeset)]
#[diesel(table_name = websites)]
pub struct WebsitePatch {
    /// See [`WebsiteRow`].
    pub code: Option<String>,
    /// See [`WebsiteRow`].
    pub name: Option<String>,
    /// See [`WebsiteRow`].
    pub base_url: Option<String>,
    /// See [`WebsiteRow`].
    pub language: Option<Language>,
}

impl NewWebsite {
    /// Trims and validates the fields.
    /// # Errors
    /// User errors for invalid fields.
    pub fn checked(mut self) -> Result<Self> {
        let mut validator = Validator::new();
        check_fields(&mut validator, Some(&mut self.code), Some(&mut self.name), Some(&mut self.base_url));
        validator.check(Currency::checked("currency", &self.currency).map(drop));
        validator.finish()?;
        Ok(self)
    }
}

impl WebsitePatch {
    /// Trims and validates the fields.
    /// # Errors
    /// User errors for invalid fields.
    pub fn checked(mut self) -> Result<Self> {
        let mut validator = Validator::new();
        check_fields(&mut validator, self.code.as_mut(), self.name.as_mut(), self.base_url.as_mut());
        validator.finish()?;
        Ok(self)
    }

    /// Returns whether the patch changes nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

fn check_fields(
    validator: &mut Validator,
    code: Option<&mut String>,
    name: Option<&mut String>,
    base_url: Option<&mut String>,
) {
    if let Some(code) = code {
        trim_in_place(code);
        let is_valid = code.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        if !is_valid || code.is_empty() || code.len() > 50 || code.starts_with('-') {
            validator.add(UserError::new(
                UserErrorCode::Invalid,
                "code",
                "must contain only a-z, 0-9 and hyphens, at most 50 characters, and not start with a hyphen",
            ));
        }
    }
    validator.texts("name", name, 255);
    if let Some(url) = base_url {
        trim_in_place(url);
        let is_valid = url.starts_with("https://") || url.starts_with("http://");
        if !is_valid || url.len() > 2000 || url.chars().any(|c| c.is_whitespace() || c.is_control()) {
            validator.add(UserError::new(
                UserErrorCode::Invalid,
                "baseUrl",
                "must be a URL that starts with https:// or http://, at most 2,000 characters",
            ));
        }
    }
}

/// Returns the scheme, host and port of a URL: everything before its path. Other parts, such as a user name, belong to it,
/// because they can make another host out of the same text.
pub fn origin(url: &str) -> &str {
    let host = url.find("://").map_or(0, |scheme| scheme + 3);
    let path = url[host..].find(['/', '?', '#', '\\']).map_or(url.len(), |path| host + path);
    &url[..path]
}

/// An operator applied to a column with the ID of a website.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum WebsiteOp {
    /// By ID.
    Id(Op<WebsiteId>),
    /// By code.
    Code(String),
}

/// Fields that websites can be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, async_graphql::Enum)]
pub enum WebsiteOrderField {
    /// Code of the website.
    #[default]
    Code,
    /// Name of the website.
    Name,
}

impl WebsiteOrderField {
    /// Returns the name of the list in cursors.
    pub fn list(self) -> &'static str {
        match self {
            Self::Code => "websites:code",
            Self::Name => "websites:name",
        }
    }

    /// Returns the sort key of a row.
    pub fn key(self, row: &WebsiteRow) -> SortKey {
        SortKey::Text(match self {
            Self::Code => row.code.clone(),
            Self::Name => row.name.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::origin;

    #[test]
    fn origin_is_everything_before_the_path() {
        for (url, expected) in [
            ("https://shop.example", "https://shop.example"),
            ("https://shop.example/de", "https://shop.example"),
            ("https://shop.example:8443/de?x#y", "https://shop.example:8443"),
            ("https://shop.example@evil.example/", "https://shop.example@evil.example"),
            ("https://shop.example.evil.example", "https://shop.example.evil.example"),
            ("https://shop.example?@evil.example", "https://shop.example"),
            ("https://evil.example\\@shop.example/", "https://evil.example"),
        ] {
            assert_eq!(origin(url), expected);
        }
    }
}
