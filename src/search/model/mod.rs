//! Inputs and results of a search.

mod filter;
pub mod rules;
pub mod suggest;

pub use self::filter::{FilterPart, SearchFilter, check_supplier_filter};

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use super::{
    query::ParsedQuery,
    ts_query::{Analysis, TsQuery},
};
use crate::{
    error::{Error, Result, UserErrorCode},
    paging::{Cursor, CursorSeal, Direction, MAX_COUNT, Page, SortKey},
    text_enum,
    websites::{
        language::Language,
        name_order::{NameOrder, by_name_order},
    },
};

/// Maximum length of a query, in characters.
pub const MAX_QUERY: usize = 200;
/// Maximum number of hits ranked by relevance; of more hits the best-selling ones are ranked.
pub const MAX_RANKED: i64 = 2_000;
/// Maximum number of hits that are counted, and by facets.
pub const MAX_FACETED: i64 = MAX_COUNT;

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
    /// Relevance: how well the hit matches the query, boosted by sales, availability and rating. `RELEVANCE` without
    /// words sorts by popularity.
    #[default]
    Relevance,
    /// Price, within one currency: the search must be limited to websites with the same currency or by
    /// `where.price.currency`, unless all websites have the same. Products only.
    Price,
    /// Creation time. Products only.
    Newest,
    /// Average rating. Products only.
    Rating,
    /// Number of units sold in the last 90 days; of equal numbers the product that was added last. Products only.
    Popularity,
    /// Name; of one website's products as in its language. Products only.
    Name,
}

impl SearchOrderField {
    /// Returns the sort order of a query: without words nothing is more relevant than what sells.
    #[must_use]
    pub fn for_text(self, text: &str) -> Self {
        if self == Self::Relevance && is_blank(text) { Self::Popularity } else { self }
    }

    /// Returns the list's name in cursors, with names in this order.
    pub fn list(self, names: NameOrder) -> &'static str {
        match self {
            Self::Relevance => "search:rank",
            Self::Price => "search:price",
            Self::Newest => "search:newest",
            Self::Rating => "search:rating",
            Self::Popularity => "search:popularity",
            Self::Name => by_name_order!(names, "search:name"),
        }
    }

    /// Returns the default sort direction.
    pub fn default_direction(self) -> Direction {
        if matches!(self, Self::Price | Self::Name) { Direction::Asc } else { Direction::Desc }
    }
}

/// Returns whether a query has no text, so that the search browses all products.
fn is_blank(text: &str) -> bool {
    text.trim().is_empty()
}

/// A search.
#[derive(Debug, Clone)]
pub struct Search {
    /// The query text as given; blank for browsing.
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
    /// The order of names.
    pub name_order: NameOrder,
    /// The requested page.
    pub page: Page,
    /// Seals the cursors of the orders that depend on sales.
    pub cursor_seal: CursorSeal,
}

impl Search {
    /// Checks the query, the filter and the cursors.
    /// # Errors
    /// User errors for a query of more than [`MAX_QUERY`] characters, invalid options or tags, and a cursor of another
    /// list.
    pub fn check(&self) -> Result<()> {
        self.filter.check()?;
        check_length("query", &self.text)?;
        for (argument, cursor) in [("after", &self.page.after), ("before", &self.page.before)] {
            if let Some(cursor) = cursor
                && self.bound(cursor).is_none()
            {
                return Err(Error::bad_input(argument, "not a valid cursor for this list"));
            }
        }
        Ok(())
    }

    /// Returns whether the search has no query and returns all products that match the filter.
    pub fn is_browsing(&self) -> bool {
        is_blank(&self.text)
    }

    /// Returns whether only products can match: other types have none of the filter and sort fields.
    pub fn is_products_only(&self) -> bool {
        self.is_browsing()
            || !self.filter.is_empty()
            || self.order != SearchOrderField::Relevance
            || self.kinds == [DocumentKind::Product]
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
            (F::Relevance | F::Popularity, _) => Bound::Real(self.cursor_seal.rank(cursor)?),
            (F::Price | F::Rating, SortKey::Number(number)) => Bound::Number(*number),
            (F::Newest, SortKey::Time(at)) => Bound::Time(*at),
            (F::Name, SortKey::Text(name)) => Bound::Text(name.clone()),
            _ => return None,
        })
    }
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
    /// Relevance score, without the sales.
    pub score: f32,
    /// Cursor of the hit in the list.
    pub cursor: Cursor,
}
