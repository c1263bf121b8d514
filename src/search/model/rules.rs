//! Search rules of a website: synonyms, redirects and blocked suggestions, defined by merchants.

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use crate::{
    db::tables::search_rules,
    error::{Result, UserError, UserErrorCode},
    ids::{BrandId, CategoryId, ProductId, SearchRuleId, WebsiteId},
    paging::SortKey,
    search::query::MAX_SEQUENCE_WORDS,
    text::{Validator, trim_in_place},
    websites::model::WebsiteOp,
};

/// Maximum number of words of a rule.
const MAX_WORDS: usize = 50;
/// Maximum length of a word, in characters.
const MAX_WORD: usize = 100;
/// Maximum length of a URL, in bytes.
const MAX_URL: usize = 2000;

/// A search rule.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = search_rules, check_for_backend(diesel::pg::Pg))]
pub struct SearchRuleRow {
    /// Primary key.
    pub id: SearchRuleId,
    /// The website.
    pub website_id: WebsiteId,
    /// Synonyms, the queries of a redirect, or words that are not suggested.
    pub words: Vec<String>,
    /// The normalized words, without duplicates and stop words.
    pub keys: Vec<String>,
    category_id: Option<CategoryId>,
    brand_id: Option<BrandId>,
    product_id: Option<ProductId>,
    url: Option<String>,
    /// When the rule was created.
    pub created_at: DateTime<Utc>,
    /// When the rule was last updated.
    pub updated_at: DateTime<Utc>,
    /// Whether queries with one of the words are not suggested.
    pub blocks_suggestions: bool,
}

impl SearchRuleRow {
    /// Returns the target of a redirect; none for synonyms.
    pub fn target(&self) -> Option<RuleTarget> {
        RuleTarget::from_columns(self.category_id, self.brand_id, self.product_id, self.url.clone())
    }
}

/// Target of a redirect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RuleTarget {
    /// A category.
    Category(CategoryId),
    /// A brand.
    Brand(BrandId),
    /// A product.
    Product(ProductId),
    /// A URL.
    Url(String),
}

impl RuleTarget {
    /// Returns the target from the column that is not null.
    pub fn from_columns(
        category: Option<CategoryId>,
        brand: Option<BrandId>,
        product: Option<ProductId>,
        url: Option<String>,
    ) -> Option<Self> {
        let thing = category.map(Self::Category).or(brand.map(Self::Brand)).or(product.map(Self::Product));
        thing.or(url.map(Self::Url))
    }
}

/// A search rule to insert.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = search_rules)]
pub struct NewSearchRule {
    /// See [`SearchRuleRow`].
    pub website_id: WebsiteId,
    /// See [`SearchRuleRow`].
    pub words: Vec<String>,
    /// Redirect to this category.
    pub category_id: Option<CategoryId>,
    /// Redirect to this brand.
    pub brand_id: Option<BrandId>,
    /// Redirect to this product.
    pub product_id: Option<ProductId>,
    /// Redirect to this URL.
    pub url: Option<String>,
    /// See [`SearchRuleRow`].
    pub blocks_suggestions: bool,
}

/// A change of a search rule: absent fields keep their values.
#[derive(Debug, Clone, Default, PartialEq, AsChangeset)]
#[diesel(table_name = search_rules)]
pub struct SearchRulePatch {
    /// See [`SearchRuleRow`].
    pub words: Option<Vec<String>>,
    /// See [`NewSearchRule`].
    pub category_id: Option<Option<CategoryId>>,
    /// See [`NewSearchRule`].
    pub brand_id: Option<Option<BrandId>>,
    /// See [`NewSearchRule`].
    pub product_id: Option<Option<ProductId>>,
    /// See [`NewSearchRule`].
    pub url: Option<Option<String>>,
    /// See [`SearchRuleRow`].
    pub blocks_suggestions: Option<bool>,
}

impl NewSearchRule {
    /// Trims and checks the words and the URL.
    /// # Errors
    /// User errors of the invalid fields.
    pub fn checked(mut self) -> Result<Self> {
        check(Some(&mut self.words), self.url.as_mut())?;
        Ok(self)
    }
}

impl SearchRulePatch {
    /// Trims and checks the words and the URL.
    /// # Errors
    /// User errors of the invalid fields.
    pub fn checked(mut self) -> Result<Self> {
        check(self.words.as_deref_mut(), self.url.as_mut().and_then(Option::as_mut))?;
        Ok(self)
    }

    /// Returns whether the patch changes nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

fn check(words: Option<&mut [String]>, url: Option<&mut String>) -> Result<()> {
    let mut validator = Validator::new();
    if let Some(words) = words {
        if words.is_empty() || words.len() > MAX_WORDS {
            let rule = format!("there must be 1 to {MAX_WORDS} words");
            validator.add(UserError::new(UserErrorCode::OutOfRange, "words", rule));
        }
        for word in words.iter_mut().take(MAX_WORDS) {
            validator.text("words", word, MAX_WORD);
            if word.split_whitespace().count() > MAX_SEQUENCE_WORDS {
                let rule = format!("{word:?} must consist of at most {MAX_SEQUENCE_WORDS} words");
                validator.add(UserError::new(UserErrorCode::TooLong, "words", rule));
            }
        }
    }
    let is_broken = |url: &str| url.len() > MAX_URL || url.chars().any(|c| c.is_whitespace() || c.is_control());
    let url = url.map(|url| {
        trim_in_place(url);
        &*url
    });
    if url.is_some_and(|url| !is_safe_url(url) || is_broken(url)) {
        let rule = "url must be a path that starts with / or a URL that starts with https://, at most 2,000 characters";
        validator.add(UserError::new(UserErrorCode::Invalid, "url", rule));
    }
    validator.finish()
}

/// Returns whether a browser stays at the shop or goes to the host that the URL shows: `//host` and `/\host` are other
/// hosts, and `https://shop@host` only looks like the shop.
fn is_safe_url(url: &str) -> bool {
    let host = |rest: &str| {
        let host = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
        host.starts_with(char::is_alphanumeric) && !host.contains('@')
    };
    match url.strip_prefix("https://") {
        Some(rest) => host(rest),
        None => url.starts_with('/') && !url[1..].starts_with(['/', '\\']),
    }
}

/// The redirect of a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redirect {
    /// The rule.
    pub id: SearchRuleId,
    /// The target.
    pub target: RuleTarget,
}

/// A filter condition on search rules.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum SearchRuleCondition {
    /// By website.
    Website(WebsiteOp),
}

/// Fields that search rules can be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, async_graphql::Enum)]
pub enum SearchRuleOrderField {
    /// When the rule was created.
    #[default]
    CreatedAt,
}

impl SearchRuleOrderField {
    /// Returns the list's name in cursors.
    pub fn list(self) -> &'static str {
        "search_rules:id"
    }

    /// Returns the sort key of a row. IDs increase with time.
    pub fn key(self) -> SortKey {
        SortKey::Id
    }
}
