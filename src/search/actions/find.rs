//! Executes a search: interprets the query, unless it is blank, and reads the page of hits, their count and the facets.
//! Rule: what is not selected is not read, and hits, count and facets are read concurrently.

use std::{collections::HashMap, time::Instant};

use super::{
    facets::count_facets,
    interpret::{Interpretation, correct, interpret},
    snippets::snippets,
};
use crate::{
    categories,
    db::{Db, PlanMode},
    error::Result,
    paging::Rows,
    search::{
        facets::{CountedProducts, FacetBase, FacetKind, Facets},
        model::{DocumentKind, FullTextQuery, Hit, HitCount, MAX_FACETED, Search, SearchOrderField, rules::Redirect},
        store,
        word_cache::WordCache,
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

/// Executes a search.
/// # Errors
/// User errors of [`Search::check`]; database errors.
pub async fn search(db: &Db, words: &WordCache, mut search: Search, selection: &Selection) -> Result<SearchResults> {
    let started_at = Instant::now();
    search.check()?;
    let (interpretation, read) = match search.is_browsing() {
        true => (Interpretation::default(), browse(db, &mut search, selection).await?),
        false => find(db, words, &search, selection).await?,
    };
    let Interpretation { full_text, correction, redirect, .. } = interpretation;
    let hits = search.page.finish(read.hits);
    let correction = match correction {
        Some(correction) if !hits.rows.is_empty() => Some(correction.as_written(db, &hits.rows).await?),
        _ => None,
    };
    let total = selection.has_total.then(|| total(&read.counted));
    Ok(SearchResults {
        correction,
        // A query without words has no redirect.
        redirect: redirect.filter(|_| full_text.is_some()),
        facets: count_facets(db, &search.filter, &read.counted).await?,
        total,
        has_snippets: selection.has_snippets,
        search,
        hits,
        full_text,
        started_at,
    })
}

/// Reads all products that match the filter.
async fn browse(db: &Db, search: &mut Search, selection: &Selection) -> Result<ReadResults> {
    if !search.searched_kinds().contains(&DocumentKind::Product) {
        return Ok(ReadResults::default());
    }
    // The search documents have the keys of all categories above.
    let reads_products = search.order != SearchOrderField::Popularity;
    if let (true, true, Some(roots)) = (reads_products, search.filter.with_subcategories, &search.filter.categories) {
        let subtree = db.read(async |conn| categories::store::subtree_ids(conn, roots).await).await?;
        search.filter.subtree = Some(subtree);
    }
    read(db, search, None, selection).await
}

/// Interprets the query and reads its hits. If there are hits, each word is known, unless the query has alternatives:
/// then the spelling is not looked at.
async fn find(
    db: &Db,
    words: &WordCache,
    search: &Search,
    selection: &Selection,
) -> Result<(Interpretation, ReadResults)> {
    let mut interpretation = interpret(db, words, search).await?;
    let mut results = ReadResults::default();
    if !search.query.has_alternatives() {
        results = read(db, search, interpretation.full_text.as_ref(), selection).await?;
    }
    if results.hits.is_empty() {
        let is_corrected = correct(db, words, search, &mut interpretation).await?;
        if is_corrected || search.query.has_alternatives() {
            results = read(db, search, interpretation.full_text.as_ref(), selection).await?;
        }
    }
    Ok((interpretation, results))
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
    /// The hits that are counted, by base. The first has all filters, if the total is selected.
    counted: Vec<(FacetBase, CountedProducts)>,
}

/// Returns the number of hits, counted up to [`MAX_FACETED`].
fn total(counted: &[(FacetBase, CountedProducts)]) -> HitCount {
    let counted = counted.first().map_or(0, |(_, products)| products.count);
    HitCount { hits: counted.min(MAX_FACETED), is_exact: counted <= MAX_FACETED }
}

/// Reads the hits and the totals; of a query without words, which matches nothing, none. The index of the words finds the
/// hits, whatever the words are; for other orders and without words the best plan depends on how many products match.
async fn read(
    db: &Db,
    search: &Search,
    full_text: Option<&FullTextQuery>,
    selection: &Selection,
) -> Result<ReadResults> {
    if full_text.is_none() && !search.is_browsing() {
        return Ok(ReadResults::default());
    }
    let kinds = search.searched_kinds();
    let facets = if kinds.contains(&DocumentKind::Product) { selection.facets.as_slice() } else { &[] };
    let ranked = full_text.filter(|_| search.order == SearchOrderField::Relevance);
    // The statement that ranks the hits counts them too: the first base.
    let bases = FacetBase::all(&search.filter, facets, selection.has_total || ranked.is_some());
    let others = &bases[usize::from(ranked.is_some())..];
    let counted = async {
        if others.is_empty() {
            return Ok(Vec::new());
        }
        let counted = async |conn: &_| store::counted_products(conn, search, full_text, others).await;
        let plans = if full_text.is_some() { PlanMode::ExpensiveGeneric } else { PlanMode::Custom };
        db.read_with(plans, counted).await
    };
    let (hits, counted) = match ranked {
        Some(full_text) => {
            let ranked = async |conn: &_| store::ranked(conn, search, full_text, &bases[0]).await;
            let hits = db.read_with(PlanMode::ExpensiveGeneric, ranked);
            let ((hits, totals), mut counted) = futures_util::future::try_join(hits, counted).await?;
            counted.insert(0, totals);
            (hits, counted)
        }
        None => {
            let hits = db.read_with(PlanMode::Custom, async |conn| store::page(conn, search, full_text).await);
            futures_util::future::try_join(hits, counted).await?
        }
    };
    Ok(ReadResults { hits, counted: bases.into_iter().zip(counted).collect() })
}
