//! What a search asks for and finds.

use diesel::prelude::*;

use crate::{
    db::tables::search_documents,
    error::{Error, Result, UserErrorCode},
    paging::Page,
};

/// Longest query, in characters.
pub const MAX_QUERY: usize = 200;
/// The list's name in cursors.
pub const LIST: &str = "search:rank";

/// What kind of thing a hit is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, async_graphql::Enum)]
#[graphql(name = "SearchType")]
pub enum Kind {
    /// A product.
    Product,
    /// A category.
    Category,
    /// A brand.
    Brand,
    /// A supplier; found by staff and sellers only.
    Supplier,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Product, Self::Category, Self::Brand, Self::Supplier];

    /// The value in the table.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Product => "product",
            Self::Category => "category",
            Self::Brand => "brand",
            Self::Supplier => "supplier",
        }
    }

    /// Reads the value of the table.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// A search.
#[derive(Debug, Clone)]
pub struct Search {
    /// Words, "phrases" and -without.
    pub query: String,
    /// Which kinds of things.
    pub kinds: Vec<Kind>,
    /// Whether staff asks: finds suppliers too.
    pub staff: bool,
    /// Which page.
    pub page: Page,
}

impl Search {
    /// # Errors
    /// A user error for a blank query, or one of more than [`MAX_QUERY`] characters.
    pub fn check(&self) -> Result<()> {
        if self.query.trim().is_empty() {
            return Err(Error::user(UserErrorCode::Required, "query", "give something to search for"));
        }
        if self.query.chars().nth(MAX_QUERY).is_some() {
            return Err(Error::user(
                UserErrorCode::TooLong,
                "query",
                format!("a query has at most {MAX_QUERY} characters"),
            ));
        }
        Ok(())
    }
}

/// A hit: what it is and how well it matches.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = search_documents, check_for_backend(diesel::pg::Pg))]
pub struct DocumentRow {
    /// Key of the document: the tie-break.
    pub id: i64,
    kind: String,
    /// Key of the thing.
    pub node_id: i64,
}

impl DocumentRow {
    /// What kind of thing it is.
    pub fn kind(&self) -> Kind {
        Kind::parse(&self.kind).expect("the table's CHECK knows these kinds only")
    }
}
