//! What a merchant tells the search of a website: words that mean the same, and queries that lead somewhere.

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use crate::{
    db::{filter::Op, tables::search_rules},
    error::{Result, UserError, UserErrorCode},
    ids::{BrandId, CategoryId, ProductId, SearchRuleId, WebsiteId},
    paging::SortKey,
    search::query::MAX_SEQUENCE_WORDS,
    text::Validator,
};

/// Most words of a rule.
const MAX_WORDS: usize = 50;
/// Longest of them, in characters.
const MAX_WORD: usize = 100;
/// Longest address, in characters.
const MAX_URL: usize = 2000;

/// A rule.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = search_rules, check_for_backend(diesel::pg::Pg))]
pub struct SearchRuleRow {
    /// Key.
    pub id: SearchRuleId,
    /// Where it holds.
    pub website_id: WebsiteId,
    /// Words that mean the same; the queries, where it leads somewhere.
    pub words: Vec<String>,
    /// The words that differ for the search.
    pub keys: Vec<String>,
    category_id: Option<CategoryId>,
    brand_id: Option<BrandId>,
    product_id: Option<ProductId>,
    url: Option<String>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

impl SearchRuleRow {
    /// Where it leads; nowhere where its words mean the same.
    pub fn target(&self) -> Option<RuleTarget> {
        RuleTarget::from_columns(self.category_id, self.brand_id, self.product_id, self.url.clone())
    }
}

/// Where a query leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RuleTarget {
    /// To a category.
    Category(CategoryId),
    /// To a brand.
    Brand(BrandId),
    /// To a product.
    Product(ProductId),
    /// To an address.
    Url(String),
}

impl RuleTarget {
    /// The one of the columns that holds something.
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

/// A rule to be.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = search_rules)]
pub struct NewSearchRule {
    /// See [`SearchRuleRow`].
    pub website_id: WebsiteId,
    /// See [`SearchRuleRow`].
    pub words: Vec<String>,
    /// It leads to this category.
    pub category_id: Option<CategoryId>,
    /// It leads to this brand.
    pub brand_id: Option<BrandId>,
    /// It leads to this product.
    pub product_id: Option<ProductId>,
    /// It leads to this address.
    pub url: Option<String>,
}

/// A change of a rule: what is absent stays.
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
}

impl NewSearchRule {
    /// # Errors
    /// User errors for the fields that break a rule.
    pub fn check(&self) -> Result<()> {
        check(Some(&self.words), self.url.as_deref())
    }
}

impl SearchRulePatch {
    /// # Errors
    /// User errors for the fields that break a rule.
    pub fn check(&self) -> Result<()> {
        check(self.words.as_deref(), self.url.as_ref().and_then(Option::as_deref))
    }

    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

fn check(words: Option<&[String]>, url: Option<&str>) -> Result<()> {
    let mut validator = Validator::new();
    if let Some(words) = words {
        if words.is_empty() || words.len() > MAX_WORDS {
            let rule = format!("give 1 to {MAX_WORDS} words");
            validator.add(UserError::new(UserErrorCode::OutOfRange, "words", rule));
        }
        for word in words.iter().take(MAX_WORDS) {
            validator.text("words", word, MAX_WORD);
            if word.split_whitespace().count() > MAX_SEQUENCE_WORDS {
                let rule =
                    format!("{word:?}: at most {MAX_SEQUENCE_WORDS} words mean the same as others, or lead somewhere");
                validator.add(UserError::new(UserErrorCode::TooLong, "words", rule));
            }
        }
    }
    let is_broken = |url: &str| url.len() > MAX_URL || url.chars().any(|c| c.is_whitespace() || c.is_control());
    if url.is_some_and(|url| !is_safe_url(url) || is_broken(url)) {
        let rule = "give an address that starts with https:// and a host, or a path that starts with /, at most 2000 characters";
        validator.add(UserError::new(UserErrorCode::Invalid, "url", rule));
    }
    validator.finish()
}

/// Whether a browser stays at the shop, or goes where the address says: `//host` and `/\host` are other shops, and
/// `https://shop@host` only looks like one.
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

/// Where a query leads, by which rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redirect {
    /// The rule.
    pub id: SearchRuleId,
    /// Where to.
    pub target: RuleTarget,
}

/// A condition on rules.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum SearchRuleCondition {
    /// By website.
    Website(Op<WebsiteId>),
}

/// What a list of rules is ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, async_graphql::Enum)]
pub enum SearchRuleOrderField {
    /// When they were made.
    #[default]
    CreatedAt,
}

impl SearchRuleOrderField {
    /// The list's name in cursors.
    pub fn list(self) -> &'static str {
        "search_rules:id"
    }

    /// The sort key of a row: ids are given in the order of time.
    pub fn key(self) -> SortKey {
        SortKey::Id
    }
}
