//! A search from its arguments to its hits: which words are meant, the page of hits, their number and their facets.
//! Rule: what is not selected is not read, and hits, count and facets are read at the same time.

use std::{collections::HashMap, time::Instant};

use super::{
    interpret::{Interpretation, interpret},
    snippets::snippets,
};
use crate::{
    categories,
    db::{Db, PlanMode},
    error::Result,
    paging::Rows,
    search::{
        facets::{FacetKind, FacetRow, Facets},
        model::{DocumentKind, FullTextQuery, Hit, HitCount, Search, rules::Redirect},
        store,
    },
};

/// What the caller wants to know besides the hits.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// How many hits there are.
    pub has_total: bool,
    /// The text around the words that were found.
    pub has_snippets: bool,
    /// The facets.
    pub facets: Vec<FacetKind>,
}

/// The result of a search.
#[derive(Debug)]
pub struct SearchResults {
    /// The search, with all categories that it covers.
    pub search: Search,
    /// The page of hits.
    pub hits: Rows<Hit>,
    /// How many hits there are; none where that is not selected.
    pub total: Option<HitCount>,
    /// The selected facets.
    pub facets: Facets,
    /// What was searched in the place of the query. None where nothing was found: what nobody may find tells no words.
    pub correction: Option<String>,
    /// Where the query leads.
    pub redirect: Option<Redirect>,
    full_text: Option<FullTextQuery>,
    has_snippets: bool,
    started_at: Instant,
}

/// Searches. With `with_subcategories` the categories of the filter stand for all that are below them, too.
/// # Errors
/// User errors of [`Search::check`]; those of the database.
pub async fn search(
    db: &Db,
    mut search: Search,
    with_subcategories: bool,
    selection: &Selection,
) -> Result<SearchResults> {
    let started_at = Instant::now();
    search.check()?;
    if let (true, Some(roots)) = (with_subcategories, &search.filter.categories) {
        let all = db.read(async |conn| categories::store::subtree_ids(conn, roots).await).await?;
        search.filter.categories = Some(all);
    }
    let Interpretation { full_text, correction, redirect } = interpret(db, &search).await?;
    let read = match &full_text {
        Some(full_text) => read(db, &search, full_text, selection).await?,
        None => ReadResults { total: Some(HitCount { hits: 0, is_exact: true }), ..ReadResults::default() },
    };
    let hits = search.page.finish(read.hits);
    Ok(SearchResults {
        correction: correction.filter(|_| !hits.rows.is_empty()),
        // A query without words leads nowhere.
        redirect: redirect.filter(|_| full_text.is_some()),
        facets: Facets::from_rows(read.facets),
        total: read.total,
        has_snippets: selection.has_snippets,
        search,
        hits,
        full_text,
        started_at,
    })
}

impl SearchResults {
    /// The text around the words that were found, as HTML, by the key of the document; nothing where that is not selected.
    /// # Errors
    /// Those of the database.
    pub async fn snippets(&self, db: &Db) -> Result<HashMap<i64, String>> {
        match &self.full_text {
            Some(full_text) if self.has_snippets => snippets(db, &self.hits.rows, full_text).await,
            _ => Ok(HashMap::new()),
        }
    }

    /// How long the search has taken, in milliseconds.
    pub fn took_ms(&self) -> f32 {
        self.started_at.elapsed().as_secs_f32() * 1_000.0
    }

    /// How many hits are known: the counted ones, or those of the page where nothing was counted.
    pub fn hit_count(&self) -> HitCount {
        self.total.unwrap_or_else(|| HitCount {
            hits: i64::try_from(self.hits.rows.len()).unwrap_or(i64::MAX),
            is_exact: !self.hits.has_next && !self.hits.has_previous,
        })
    }
}

/// What the statements of a search answer.
#[derive(Default)]
struct ReadResults {
    hits: Vec<Hit>,
    total: Option<HitCount>,
    facets: Vec<FacetRow>,
}

/// Reads the hits, their number and their facets, at the same time. How many rows a word has decides how they are found.
async fn read(db: &Db, search: &Search, full_text: &FullTextQuery, selection: &Selection) -> Result<ReadResults> {
    let hits = db.read_with(PlanMode::Custom, async |conn| store::page(conn, search, full_text).await);
    let total = async {
        match selection.has_total {
            true => {
                db.read_with(PlanMode::Custom, async |conn| store::count(conn, search, full_text).await).await.map(Some)
            }
            false => Ok(None),
        }
    };
    let facets = async {
        match selection.facets.as_slice() {
            [] => Ok(Vec::new()),
            kinds if search.searched_kinds().contains(&DocumentKind::Product) => {
                db.read_with(PlanMode::Custom, async |conn| store::facets(conn, search, full_text, kinds).await).await
            }
            _ => Ok(Vec::new()),
        }
    };
    let (hits, total, facets) = futures_util::future::try_join3(hits, total, facets).await?;
    Ok(ReadResults { hits, total, facets })
}
