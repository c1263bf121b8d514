//! A search from its arguments to its hits: which words are meant, the page of hits, their number and their facets.
//! Rule: what is not selected is not read, and hits, count and facets are read at the same time.

use std::{collections::HashMap, time::Instant};

use super::{
    snippets::snippets,
    understand::{Understood, understand},
};
use crate::{
    categories,
    db::{Db, PlanMode},
    error::Result,
    paging::Rows,
    search::{
        facets::{FacetRow, Facets, Wanted},
        model::{Asked, Counted, Hit, Kind, Search, rules::Redirect},
        store,
    },
};

/// What the caller wants to know besides the hits.
#[derive(Debug, Clone, Default)]
pub struct Selected {
    /// How many hits there are.
    pub has_total: bool,
    /// The text around the words that were found.
    pub has_snippets: bool,
    /// The facets.
    pub facets: Vec<Wanted>,
}

/// The result of a search.
#[derive(Debug)]
pub struct Found {
    /// The search, with all categories that it covers.
    pub search: Search,
    /// The page of hits.
    pub hits: Rows<Hit>,
    /// How many hits there are; none where that is not selected.
    pub total: Option<Counted>,
    /// The selected facets.
    pub facets: Facets,
    /// What was searched in the place of the query. None where nothing was found: what nobody may find tells no words.
    pub instead: Option<String>,
    /// Where the query leads.
    pub redirect: Option<Redirect>,
    asked: Option<Asked>,
    has_snippets: bool,
    began: Instant,
}

/// Searches. With `with_subcategories` the categories of the filter stand for all that are below them, too.
/// # Errors
/// User errors of [`Search::check`]; those of the database.
pub async fn search(db: &Db, mut search: Search, with_subcategories: bool, selected: &Selected) -> Result<Found> {
    let began = Instant::now();
    search.check()?;
    if let (true, Some(roots)) = (with_subcategories, &search.filter.categories) {
        let all = db.read(async |conn| categories::store::ids_of_trees(conn, roots).await).await?;
        search.filter.categories = Some(all);
    }
    let Understood { asked, instead, redirect } = understand(db, &search).await?;
    let read = match &asked {
        Some(asked) => read(db, &search, asked, selected).await?,
        None => Read { total: Some(Counted { hits: 0, is_exact: true }), ..Read::default() },
    };
    let hits = search.page.finish(read.hits);
    Ok(Found {
        instead: instead.filter(|_| !hits.rows.is_empty()),
        // A query without words leads nowhere.
        redirect: redirect.filter(|_| asked.is_some()),
        facets: Facets::of(read.facets),
        total: read.total,
        has_snippets: selected.has_snippets,
        search,
        hits,
        asked,
        began,
    })
}

impl Found {
    /// The text around the words that were found, as HTML, by the key of the document; nothing where that is not selected.
    /// # Errors
    /// Those of the database.
    pub async fn snippets(&self, db: &Db) -> Result<HashMap<i64, String>> {
        match &self.asked {
            Some(asked) if self.has_snippets => snippets(db, &self.hits.rows, asked).await,
            _ => Ok(HashMap::new()),
        }
    }

    /// How long the search has taken, in milliseconds.
    pub fn took_ms(&self) -> f32 {
        self.began.elapsed().as_secs_f32() * 1_000.0
    }

    /// How many hits are known: the counted ones, or those of the page where nothing was counted.
    pub fn known(&self) -> Counted {
        self.total.unwrap_or_else(|| Counted {
            hits: i64::try_from(self.hits.rows.len()).unwrap_or(i64::MAX),
            is_exact: !self.hits.has_next && !self.hits.has_previous,
        })
    }
}

/// What the statements of a search answer.
#[derive(Default)]
struct Read {
    hits: Vec<Hit>,
    total: Option<Counted>,
    facets: Vec<FacetRow>,
}

/// Reads the hits, their number and their facets, at the same time. How many rows a word has decides how they are found.
async fn read(db: &Db, search: &Search, asked: &Asked, selected: &Selected) -> Result<Read> {
    let hits = db.read_with(PlanMode::Custom, async |conn| store::page(conn, search, asked).await);
    let total = async {
        match selected.has_total {
            true => db.read_with(PlanMode::Custom, async |conn| store::count(conn, search, asked).await).await.map(Some),
            false => Ok(None),
        }
    };
    let facets = async {
        match selected.facets.as_slice() {
            [] => Ok(Vec::new()),
            wanted if search.found_kinds().contains(&Kind::Product) => {
                db.read_with(PlanMode::Custom, async |conn| store::facets(conn, search, asked, wanted).await).await
            }
            _ => Ok(Vec::new()),
        }
    };
    let (hits, total, facets) = futures_util::future::try_join3(hits, total, facets).await?;
    Ok(Read { hits, total, facets })
}
