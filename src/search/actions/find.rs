//! Executes a search: interprets the query, unless it is blank, and reads the page of hits, their count and the facets.
//! Rule: what is not selected is not read, and hits, count and facets are read concurrently.

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

/// Optional parts of a search result.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// The number of hits.
    pub has_total: bool,
    /// The snippets.
    pub has_snippets: bool,
    /// The facets.
    pub facets: Vec<FacetKind>,
}

/// The result of a search.
#[derive(Debug)]
pub struct SearchResults {
    /// The search, with subcategories included in the filter.
    pub search: Search,
    /// The page of hits.
    pub hits: Rows<Hit>,
    /// Number of hits; none if it is not selected.
    pub total: Option<HitCount>,
    /// The selected facets.
    pub facets: Facets,
    /// The corrected query that was searched instead; none if it has no hits, so that a correction reveals nothing that
    /// the viewer cannot find.
    pub correction: Option<String>,
    /// The redirect of the query.
    pub redirect: Option<Redirect>,
    full_text: Option<FullTextQuery>,
    has_snippets: bool,
    started_at: Instant,
}

/// Executes a search. `with_subcategories` includes all subcategories in the category filter.
/// # Errors
/// User errors of [`Search::check`]; database errors.
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
    let is_browsing = search.is_browsing();
    let Interpretation { full_text, correction, redirect } = match is_browsing {
        true => Interpretation::default(),
        false => interpret(db, &search).await?,
    };
    let has_hits = match is_browsing {
        true => search.searched_kinds().contains(&DocumentKind::Product),
        false => full_text.is_some(),
    };
    let read = match has_hits {
        true => read(db, &search, full_text.as_ref(), selection).await?,
        false => ReadResults { total: Some(HitCount { hits: 0, is_exact: true }), ..ReadResults::default() },
    };
    let hits = search.page.finish(read.hits);
    let correction = match correction {
        Some(correction) if !hits.rows.is_empty() => Some(correction.as_written(db, &hits.rows).await?),
        _ => None,
    };
    Ok(SearchResults {
        correction,
        // A query without words has no redirect.
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
    /// Returns the snippets as HTML, by document ID; empty if they are not selected.
    /// # Errors
    /// Database errors.
    pub async fn snippets(&self, db: &Db) -> Result<HashMap<i64, String>> {
        match &self.full_text {
            Some(full_text) if self.has_snippets => snippets(db, &self.hits.rows, full_text).await,
            _ => Ok(HashMap::new()),
        }
    }

    /// Returns the duration of the search so far, in milliseconds.
    pub fn took_ms(&self) -> f32 {
        self.started_at.elapsed().as_secs_f32() * 1_000.0
    }

    /// Returns the counted hits, or those of the page if they were not counted.
    pub fn hit_count(&self) -> HitCount {
        self.total.unwrap_or_else(|| HitCount {
            hits: i64::try_from(self.hits.rows.len()).unwrap_or(i64::MAX),
            is_exact: !self.hits.has_next && !self.hits.has_previous,
        })
    }
}

/// Results of the statements of a search.
#[derive(Default)]
struct ReadResults {
    hits: Vec<Hit>,
    total: Option<HitCount>,
    facets: Vec<FacetRow>,
}

/// Reads the hits, their count and the facets concurrently. Custom plans, because the best plan depends on how common
/// the words are, and how many products the filter matches.
async fn read(
    db: &Db,
    search: &Search,
    full_text: Option<&FullTextQuery>,
    selection: &Selection,
) -> Result<ReadResults> {
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
