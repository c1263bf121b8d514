//! Rows and rules of websites.

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use super::language::Language;
use crate::{
    db::tables::websites,
    error::{Result, UserError, UserErrorCode},
    ids::WebsiteId,
    money::Currency,
    paging::SortKey,
    text::Validator,
};

/// A shop.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = websites, check_for_backend(diesel::pg::Pg))]
pub struct WebsiteRow {
    /// Primary key.
    pub id: WebsiteId,
    /// Short name in settings and URLs, unique.
    pub code: String,
    /// Display name.
    pub name: String,
    /// Where the shop is.
    pub base_url: String,
    currency: String,
    /// The language of what it sells.
    pub language: Language,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

impl WebsiteRow {
    /// The currency of its prices and orders.
    pub fn currency(&self) -> Currency {
        Currency::parse(&self.currency).expect("the table's CHECK holds three capital letters")
    }
}

/// A website to be.
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
    /// The language of what it sells.
    pub language: Language,
}

/// A change of a website: what is absent stays.
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
    /// # Errors
    /// User errors for invalid fields.
    pub fn check(&self) -> Result<()> {
        let mut validator = Validator::new();
        check_fields(&mut validator, Some(&self.code), Some(&self.name), Some(&self.base_url));
        if Currency::parse(&self.currency).is_none() {
            validator.add(UserError::new(UserErrorCode::Invalid, "currency", "give an ISO 4217 code such as EUR"));
        }
        validator.finish()
    }
}

impl WebsitePatch {
    /// # Errors
    /// User errors for invalid fields.
    pub fn check(&self) -> Result<()> {
        let mut validator = Validator::new();
        check_fields(&mut validator, self.code.as_deref(), self.name.as_deref(), self.base_url.as_deref());
        validator.finish()
    }

    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

fn check_fields(validator: &mut Validator, code: Option<&str>, name: Option<&str>, base_url: Option<&str>) {
    if let Some(code) = code {
        let is_valid = code.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        if !is_valid || code.is_empty() || code.len() > 50 || code.starts_with('-') {
            validator.add(UserError::new(
                UserErrorCode::Invalid,
                "code",
                "a code is 1 to 50 of a-z, 0-9 and dashes, no dash first",
            ));
        }
    }
    validator.optional_text("name", name, 255);
    if let Some(url) = base_url {
        let is_valid = url.starts_with("https://") || url.starts_with("http://");
        if !is_valid || url.len() > 2000 || url.chars().any(|c| c.is_whitespace() || c.is_control()) {
            validator.add(UserError::new(UserErrorCode::Invalid, "baseUrl", "give a URL that starts with https://"));
        }
    }
}

/// What a list of websites is ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, async_graphql::Enum)]
pub enum WebsiteOrderField {
    /// The code.
    #[default]
    Code,
    /// The name.
    Name,
}

impl WebsiteOrderField {
    /// The list's name in cursors.
    pub fn list(self) -> &'static str {
        match self {
            Self::Code => "websites:code",
            Self::Name => "websites:name",
        }
    }

    /// The sort key of a row.
    pub fn key(self, row: &WebsiteRow) -> SortKey {
        SortKey::Text(match self {
            Self::Code => row.code.clone(),
            Self::Name => row.name.clone(),
        })
    }
}
