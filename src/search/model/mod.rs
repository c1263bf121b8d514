//! What a search asks for and finds.

pub mod rules;
pub mod suggest;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use super::query::{ParsedQuery, TsQuery};
use crate::{
    error::{Error, ErrorCode, Result, UserErrorCode},
    ids::{BrandId, CategoryId, SupplierId, WebsiteId},
    paging::{Cursor, Direction, Page, SortKey},
    products::model::Availability,
    text_enum,
    websites::language::Language,
};

/// Longest query, in characters.
pub const MAX_QUERY: usize = 200;
/// How many hits are weighed by relevance: of more, those that sell best.
pub const MAX_RANKED: i64 = 2_000;
/// How many documents that match the words are looked at to count those of them that hold a filter.
pub const MAX_SCANNED: i64 = 20_000;
/// How many hits facets count.
pub const MAX_FACETED: i64 = 10_000;
/// Most values of an option that a search filters by, and most options.
pub const MAX_OPTIONS: usize = 20;
/// Longest name or value of an option, in characters.
const MAX_OPTION_TEXT: usize = 100;

text_enum! {
    /// What kind of thing a hit is.
    #[graphql(name = "SearchType")]
    pub enum DocumentKind {
        /// A product.
        Product => "product",
        /// A category.
        Category => "category",
        /// A brand.
        Brand => "brand",
        /// A supplier; found by staff and sellers only.
        Supplier => "supplier",
    }
}

/// What hits are ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, async_graphql::Enum)]
#[graphql(name = "SearchOrderField")]
pub enum SearchOrderField {
    /// How well they match; what sells, is there and is liked comes before what matches alike.
    #[default]
    Relevance,
    /// Price, of products.
    Price,
    /// When they were made, of products.
    Newest,
    /// The mean of their ratings, of products.
    Rating,
    /// How much they were sold, of products.
    Popularity,
    /// Name, of products.
    Name,
}

impl SearchOrderField {
    /// The list's name in cursors.
    pub fn list(self) -> &'static str {
        match self {
            Self::Relevance => "search:rank",
            Self::Price => "search:price",
            Self::Newest => "search:newest",
            Self::Rating => "search:rating",
            Self::Popularity => "search:popularity",
            Self::Name => "search:name",
        }
    }

    /// The way in which most people want it.
    pub fn default_direction(self) -> Direction {
        if matches!(self, Self::Price | Self::Name) { Direction::Asc } else { Direction::Desc }
    }
}

/// Which products. All conditions hold together; an empty list is no condition.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SearchFilter {
    /// In one of these categories.
    pub categories: Option<Vec<CategoryId>>,
    /// Of one of these brands.
    pub brands: Option<Vec<BrandId>>,
    /// From one of these suppliers.
    pub suppliers: Option<Vec<SupplierId>>,
    /// At one of these websites.
    pub websites: Option<Vec<WebsiteId>>,
    /// At least this price.
    pub price_from: Option<Decimal>,
    /// At most this price.
    pub price_to: Option<Decimal>,
    /// At least so many stars on average.
    pub rating_from: Option<Decimal>,
    /// Of one of these availabilities.
    pub availability: Option<Vec<Availability>>,
    /// With one of these values of each option.
    pub options: Vec<(String, Vec<String>)>,
}

impl SearchFilter {
    /// Whether nothing is asked of products.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// # Errors
    /// User errors for too many options, and for one that is too long or named twice.
    pub fn check(&self) -> Result<()> {
        let refused = |code, rule: &str| Err(Error::user(code, "where.options", rule.to_owned()));
        let options = &self.options;
        if options.len() > MAX_OPTIONS || options.iter().any(|(_, values)| values.len() > MAX_OPTIONS) {
            return refused(UserErrorCode::TooLong, "give at most 20 options, and 20 values of each");
        }
        for (index, (name, values)) in options.iter().enumerate() {
            let is_bad = |text: &String| text.chars().count() > MAX_OPTION_TEXT || text.contains('\0');
            if is_bad(name) || values.iter().any(is_bad) {
                return refused(UserErrorCode::TooLong, "a name or value has at most 100 characters");
            }
            if options[..index].iter().any(|(other, _)| other == name) {
                return refused(UserErrorCode::Invalid, "name each option once");
            }
        }
        Ok(())
    }
}

/// Who may filter by supplier: staff and sellers.
/// # Errors
/// FORBIDDEN for all others.
pub fn check_supplier_filter(is_staff: bool) -> Result<()> {
    if is_staff {
        return Ok(());
    }
    Err(Error::Coded(ErrorCode::Forbidden, "only staff and sellers filter by supplier".into()))
}

/// A search.
#[derive(Debug, Clone)]
pub struct Search {
    /// As it was typed.
    pub text: String,
    /// Its words.
    pub query: ParsedQuery,
    /// Which kinds of things.
    pub kinds: Vec<DocumentKind>,
    /// Whether staff asks: finds suppliers too.
    pub is_staff: bool,
    /// Which products.
    pub filter: SearchFilter,
    /// Ordered by what.
    pub order: SearchOrderField,
    /// Which way.
    pub direction: Direction,
    /// Which page.
    pub page: Page,
}

impl Search {
    /// # Errors
    /// User errors for a blank query, one of more than [`MAX_QUERY`] characters, options that break a rule, and a cursor of
    /// another list.
    pub fn check(&self) -> Result<()> {
        self.filter.check()?;
        check_text("query", &self.text)?;
        for (argument, cursor) in [("after", &self.page.after), ("before", &self.page.before)] {
            if let Some(cursor) = cursor
                && self.bound(cursor).is_none()
            {
                return Err(Error::bad_input(argument, "this is not a cursor of this list"));
            }
        }
        Ok(())
    }

    /// Whether only products can be found: of nothing else are these conditions and orders known.
    pub fn is_products_only(&self) -> bool {
        !self.filter.is_empty() || self.order != SearchOrderField::Relevance || self.kinds == [DocumentKind::Product]
    }

    /// The kinds that are found. Only staff finds suppliers.
    pub fn searched_kinds(&self) -> Vec<DocumentKind> {
        let is_found = |kind: &DocumentKind| match kind {
            DocumentKind::Product => true,
            DocumentKind::Supplier => self.is_staff && !self.is_products_only(),
            DocumentKind::Category | DocumentKind::Brand => !self.is_products_only(),
        };
        self.kinds.iter().copied().filter(is_found).collect()
    }

    /// The sort key of a cursor, where it is one of this order.
    pub fn bound(&self, cursor: &Cursor) -> Option<Bound> {
        use SearchOrderField as F;
        Some(match (self.order, &cursor.key) {
            (F::Relevance | F::Popularity, SortKey::Rank(bits)) => Bound::Real(f32::from_bits(*bits)),
            (F::Price | F::Rating, SortKey::Number(number)) => Bound::Number(*number),
            (F::Newest, SortKey::Time(at)) => Bound::Time(*at),
            (F::Name, SortKey::Text(name)) => Bound::Text(name.clone()),
            _ => return None,
        })
    }
}

/// Checks what somebody typed.
/// # Errors
/// REQUIRED for a blank text, TOO_LONG for one of more than [`MAX_QUERY`] characters.
pub fn check_text(argument: &'static str, text: &str) -> Result<()> {
    if text.trim().is_empty() {
        return Err(Error::user(UserErrorCode::Required, argument, "give something to search for"));
    }
    check_length(argument, text)
}

/// Checks what somebody is typing.
/// # Errors
/// TOO_LONG for a text of more than [`MAX_QUERY`] characters.
pub fn check_length(argument: &'static str, text: &str) -> Result<()> {
    if text.chars().nth(MAX_QUERY).is_some() {
        let rule = format!("a query has at most {MAX_QUERY} characters");
        return Err(Error::user(UserErrorCode::TooLong, argument, rule));
    }
    Ok(())
}

/// A sort key at a cursor.
#[derive(Debug, Clone, PartialEq)]
pub enum Bound {
    /// A score.
    Real(f32),
    /// An amount.
    Number(Decimal),
    /// A moment.
    Time(DateTime<Utc>),
    /// A text.
    Text(String),
}

/// A query of PostgreSQL, and the languages by whose stems it is asked.
#[derive(Debug, Clone)]
pub struct FullTextQuery {
    /// What is asked.
    pub query: TsQuery,
    /// At least one: those of all documents.
    pub languages: Vec<Language>,
}

/// How many hits there are.
#[derive(Debug, Clone, Copy, Default)]
pub struct HitCount {
    /// So many were counted, at most [`crate::paging::MAX_COUNT`].
    pub hits: i64,
    /// Whether there are no more.
    pub is_exact: bool,
}

/// A hit: what it is, how well it matches, and its place.
#[derive(Debug, Clone)]
pub struct Hit {
    /// What kind of thing it is.
    pub kind: DocumentKind,
    /// Key of the thing.
    pub node_id: i64,
    /// Key of its document.
    pub document_id: i64,
    /// How well it matches.
    pub score: f32,
    /// Its place in the list.
    pub cursor: Cursor,
}
