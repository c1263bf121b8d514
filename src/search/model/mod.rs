//! Inputs and results of a search.

pub mod rules;
pub mod suggest;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use super::{
    query::ParsedQuery,
    ts_query::{Analysis, TsQuery},
};
use crate::{
    error::{Error, ErrorCode, Result, UserErrorCode},
    ids::{BrandId, CategoryId, SupplierId, WebsiteId},
    paging::{Cursor, Direction, Page, SortKey},
    products::model::Availability,
    text_enum,
    websites::language::Language,
};

/// Maximum length of a query, in characters.
pub const MAX_QUERY: usize = 200;
/// Maximum number of hits ranked by relevance; of more hits the best-selling ones are ranked.
pub const MAX_RANKED: i64 = 2_000;
/// Maximum number of matching documents that are scanned to count the hits of a filter.
pub const MAX_SCANNED: i64 = 20_000;
/// Maximum number of hits that facets count.
pub const MAX_FACETED: i64 = 10_000;
/// Maximum number of options in a filter, and of values per option.
pub const MAX_OPTIONS: usize = 20;
/// Maximum length of an option name or value, in characters.
const MAX_OPTION_TEXT: usize = 100;

text_enum! {
    /// Type of a search hit.
    #[graphql(name = "SearchType")]
    pub enum DocumentKind {
        /// A product.
        Product => "product",
        /// A category.
        Category => "category",
        /// A brand.
        Brand => "brand",
        /// A supplier. Found only by staff and sellers.
        Supplier => "supplier",
    }
}

/// Fields that search hits can be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, async_graphql::Enum)]
#[graphql(name = "SearchOrderField")]
pub enum SearchOrderField {
    /// Relevance: how well the hit matches the query, boosted by sales, availability and rating.
    #[default]
    Relevance,
    /// Price. Products only.
    Price,
    /// Creation time. Products only.
    Newest,
    /// Average rating. Products only.
    Rating,
    /// Number of units sold in the last 90 days. Products only.
    Popularity,
    /// Name. Products only.
    Name,
}

impl SearchOrderField {
    /// Returns the list's name in cursors.
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

    /// Returns the default sort direction.
    pub fn default_direction(self) -> Direction {
        if matches!(self, Self::Price | Self::Name) { Direction::Asc } else { Direction::Desc }
    }
}

/// Filter on products. Conditions are combined with AND; an absent or empty one matches everything.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SearchFilter {
    /// Any of these categories.
    pub categories: Option<Vec<CategoryId>>,
    /// Any of these brands.
    pub brands: Option<Vec<BrandId>>,
    /// Any of these suppliers.
    pub suppliers: Option<Vec<SupplierId>>,
    /// Any of these websites.
    pub websites: Option<Vec<WebsiteId>>,
    /// Minimum price.
    pub price_from: Option<Decimal>,
    /// Maximum price.
    pub price_to: Option<Decimal>,
    /// Minimum average rating.
    pub rating_from: Option<Decimal>,
    /// Any of these availabilities.
    pub availability: Option<Vec<Availability>>,
    /// For each option any of these values.
    pub options: Vec<(String, Vec<String>)>,
}

impl SearchFilter {
    /// Returns whether the filter has no condition.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Checks the options.
    /// # Errors
    /// User errors for too many options, and for an option that is too long or listed twice.
    pub fn check(&self) -> Result<()> {
        let refused = |code, rule: &str| Err(Error::user(code, "where.options", rule.to_owned()));
        let options = &self.options;
        if options.len() > MAX_OPTIONS || options.iter().any(|(_, values)| values.len() > MAX_OPTIONS) {
            return refused(UserErrorCode::TooLong, "at most 20 options with 20 values each are allowed");
        }
        for (index, (name, values)) in options.iter().enumerate() {
            let is_bad = |text: &String| text.chars().count() > MAX_OPTION_TEXT || text.contains('\0');
            if is_bad(name) || values.iter().any(is_bad) {
                return refused(UserErrorCode::TooLong, "option names and values must have at most 100 characters");
            }
            if options[..index].iter().any(|(other, _)| other == name) {
                return refused(UserErrorCode::Invalid, "an option is listed more than once");
            }
        }
        Ok(())
    }
}

/// Checks that the viewer may filter by supplier: staff and sellers only.
/// # Errors
/// FORBIDDEN for others.
pub fn check_supplier_filter(is_staff: bool) -> Result<()> {
    if is_staff {
        return Ok(());
    }
    Err(Error::Coded(ErrorCode::Forbidden, "only staff and sellers can filter by supplier".into()))
}

/// A search.
#[derive(Debug, Clone)]
pub struct Search {
    /// The query text as given.
    pub text: String,
    /// The parsed query.
    pub query: ParsedQuery,
    /// Types to search.
    pub kinds: Vec<DocumentKind>,
    /// Whether the viewer is staff or a seller, who also find suppliers.
    pub is_staff: bool,
    /// Filter on products.
    pub filter: SearchFilter,
    /// Field to sort by.
    pub order: SearchOrderField,
    /// Sort direction.
    pub direction: Direction,
    /// The requested page.
    pub page: Page,
}

impl Search {
    /// Checks the query, the filter and the cursors.
    /// # Errors
    /// User errors for a blank query, a query of more than [`MAX_QUERY`] characters, invalid options, and a cursor of
    /// another list.
    pub fn check(&self) -> Result<()> {
        self.filter.check()?;
        check_text("query", &self.text)?;
        for (argument, cursor) in [("after", &self.page.after), ("before", &self.page.before)] {
            if let Some(cursor) = cursor
                && self.bound(cursor).is_none()
            {
                return Err(Error::bad_input(argument, "not a valid cursor for this list"));
            }
        }
        Ok(())
    }

    /// Returns whether only products can match: other types have none of the filter and sort fields.
    pub fn is_products_only(&self) -> bool {
        !self.filter.is_empty() || self.order != SearchOrderField::Relevance || self.kinds == [DocumentKind::Product]
    }

    /// Returns the types to search. Only staff and sellers find suppliers.
    pub fn searched_kinds(&self) -> Vec<DocumentKind> {
        let is_found = |kind: &DocumentKind| match kind {
            DocumentKind::Product => true,
            DocumentKind::Supplier => self.is_staff && !self.is_products_only(),
            DocumentKind::Category | DocumentKind::Brand => !self.is_products_only(),
        };
        self.kinds.iter().copied().filter(is_found).collect()
    }

    /// Returns the sort key of a cursor, if it belongs to this sort order.
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

/// Checks a query.
/// # Errors
/// REQUIRED for a blank text, TOO_LONG for one of more than [`MAX_QUERY`] characters.
pub fn check_text(argument: &'static str, text: &str) -> Result<()> {
    if text.trim().is_empty() {
        return Err(Error::user(UserErrorCode::Required, argument, "must not be blank"));
    }
    check_length(argument, text)
}

/// Checks the length of a query, which may be blank.
/// # Errors
/// TOO_LONG for a text of more than [`MAX_QUERY`] characters.
pub fn check_length(argument: &'static str, text: &str) -> Result<()> {
    if text.chars().nth(MAX_QUERY).is_some() {
        let rule = format!("must be at most {MAX_QUERY} characters long");
        return Err(Error::user(UserErrorCode::TooLong, argument, rule));
    }
    Ok(())
}

/// The sort key of a cursor.
#[derive(Debug, Clone, PartialEq)]
pub enum Bound {
    /// A score.
    Real(f32),
    /// An amount.
    Number(Decimal),
    /// A point in time.
    Time(DateTime<Utc>),
    /// A text.
    Text(String),
}

/// A full-text query in each language of the documents; at least one.
#[derive(Debug, Clone)]
pub struct FullTextQuery(pub Vec<(Language, TsQuery)>);

impl FullTextQuery {
    /// Builds the query; none if it contains no word.
    pub fn build(query: &ParsedQuery, analyses: &[(Language, Analysis)]) -> Option<Self> {
        let build = |(language, analysis): &(Language, Analysis)| Some((*language, TsQuery::build(query, analysis)?));
        let languages: Vec<_> = analyses.iter().filter_map(build).collect();
        (!languages.is_empty()).then_some(Self(languages))
    }
}

/// Number of hits.
#[derive(Debug, Clone, Copy, Default)]
pub struct HitCount {
    /// Counted hits, at most [`crate::paging::MAX_COUNT`].
    pub hits: i64,
    /// Whether the count is exact.
    pub is_exact: bool,
}

/// A search hit.
#[derive(Debug, Clone)]
pub struct Hit {
    /// Type of the entity.
    pub kind: DocumentKind,
    /// Primary key of the entity.
    pub node_id: i64,
    /// Primary key of its search document.
    pub document_id: i64,
    /// Relevance score.
    pub score: f32,
    /// Cursor of the hit in the list.
    pub cursor: Cursor,
}
