//! The search in the graph.

mod args;
mod facets;
mod rules;
mod suggestions;

use souk_macros::object;
use std::{collections::HashMap, time::Instant};

use async_graphql::{Context, ID, Lookahead, Union};

pub use self::{args::*, facets::*, rules::*, suggestions::*};
use crate::{
    analytics::model::Outcome,
    db::Plans,
    error::Result,
    graphql::{
        engine::{
            connections::{PageInfo, TotalCount, cost},
            container::{Member, Members, OneOf},
            scalars::global,
        },
        schema::{
            analytics::record,
            brands::{Brand, brand},
            categories::{Category, category},
            context::ContextExt,
            products::{Product, product},
            suppliers::{Supplier, supplier},
        },
    },
    ids::{BrandId, CategoryId, ProductId, RowId, SearchId, SupplierId},
    paging::{Cursor, Rows},
    search::{
        actions::{Understood, understand},
        facets::{FacetRow, Wanted},
        model::{Asked, Counted, Hit, Kind, Search},
        store,
    },
};

/// Something that a search found.
#[derive(Clone, Union)]
#[graphql(name = "SearchResult")]
pub enum Found {
    /// A product.
    Product(Product),
    /// A category.
    Category(Category),
    /// A brand.
    Brand(Brand),
    /// A supplier; found by staff and sellers only.
    Supplier(Supplier),
}

impl Members for Found {
    fn member(&self) -> &dyn Member {
        match self {
            Self::Product(object) => object,
            Self::Category(object) => object,
            Self::Brand(object) => object,
            Self::Supplier(object) => object,
        }
    }
}

/// Something that a search found, in the graph.
pub type SearchResult = OneOf<Found>;

/// A hit, how well it matches, and its place.
#[derive(Clone)]
pub struct SearchEdge {
    cursor: Cursor,
    score: f32,
    snippet: Option<String>,
    node: Found,
}

/// A hit, how well it matches, and its place in the list.
#[object]
impl SearchEdge {
    /// The place of the hit; give it as `after` or `before`.
    fn cursor(&self) -> String {
        self.cursor.to_string()
    }

    /// How well it matches: comparable within one search only.
    fn score(&self) -> f32 {
        self.score
    }

    /// The words around what was found, as HTML: what was found stands in `<mark>`, everything else is escaped. Null where only
    /// a number or a code was found that the name does not show.
    fn snippet(&self) -> Option<&str> {
        self.snippet.as_deref()
    }

    /// What was found.
    async fn node(&self) -> SearchResult {
        OneOf(self.node.clone())
    }
}

/// A page of hits.
pub struct SearchConnection {
    hits: Rows<SearchEdge>,
    total: Counted,
    instead: Option<String>,
    redirect: Option<SearchRedirect>,
    facets: SearchFacets,
    id: Option<SearchId>,
}

/// A page of hits, the best first.
#[object]
impl SearchConnection {
    /// The hits of the page with their cursors and scores.
    async fn edges(&self) -> Vec<SearchEdge> {
        self.hits.rows.iter().cloned().collect()
    }

    /// The hits of the page.
    async fn nodes(&self) -> Vec<SearchResult> {
        self.hits.rows.iter().map(|hit| OneOf(hit.node.clone())).collect()
    }

    /// Where the page lies in the list. By relevance a list has at most 2,000 hits: of more, those that sell best.
    async fn page_info(&self) -> PageInfo {
        PageInfo::new(&self.hits, |hit| &hit.cursor)
    }

    /// How many hits there are, counted only when this field is selected: up to 10,000, and with a filter among 20,000 things
    /// that match the words.
    async fn total_count(&self) -> TotalCount {
        TotalCount { value: self.total.hits, is_exact: self.total.is_exact }
    }

    /// What was searched in the place of the query, where nothing has one of its words and something has a similar one.
    fn did_you_mean(&self) -> Option<&str> {
        self.instead.as_deref()
    }

    /// Where this query leads, by a rule of the merchant; what was found stands beside it.
    async fn redirect(&self) -> Option<SearchRedirect> {
        self.redirect.clone()
    }

    /// Names this search in `searchClick`. Given on the first page, for all pages of it; null on later ones.
    fn search_id(&self) -> Option<ID> {
        self.id.map(global)
    }

    /// How many products that were found have which values, counted only where selected. Each facet counts under all filters of
    /// `where` but its own.
    async fn facets(&self) -> SearchFacets {
        self.facets.clone()
    }
}

/// The search.
#[derive(Default)]
pub struct SearchQuery;

#[object]
impl SearchQuery {
    /// Finds products for sale, categories, brands and, for staff and sellers, suppliers by their words, the best first. All words
    /// have to occur, the last one may be the beginning of one. Names count more than brands and categories, and these more than
    /// descriptions; what has exactly the SKU, barcode or name comes first. A word that nothing has is taken for the nearest
    /// that something has, see `didYouMean`; beside each stand the words that mean the same at the websites that `where` names, or at the only one, and a
    /// query that leads somewhere says where, see `redirect`.
    #[graphql(complexity = "cost(first, last, child_complexity)")]
    async fn search(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Words, \"phrases in quotes\" and -words that must not occur; 1 to 200 characters.")]
        query: String,
        #[graphql(desc = "Which kinds of things; all where absent.")] types: Option<Vec<Kind>>,
        #[graphql(desc = "Hits from the start of the list, 1 to 100; 20 where neither `first` nor `last` is given.")]
        first: Option<i32>,
        #[graphql(desc = "Only hits behind this cursor.")] after: Option<String>,
        #[graphql(desc = "Hits from the end of the list, 1 to 100; not together with `first`.")] last: Option<i32>,
        #[graphql(desc = "Only hits before this cursor.")] before: Option<String>,
        #[graphql(desc = "Only products for which this holds; nothing else is found then.")] r#where: Option<
            SearchWhere,
        >,
        #[graphql(desc = "In which order; by any but relevance only products are found.")] order_by: Option<
            SearchOrder,
        >,
    ) -> Result<SearchConnection> {
        let began = Instant::now();
        let search = args::search_of(ctx, query, types, first, after, last, before, r#where, order_by)?;
        let search = args::resolved(ctx, search).await?;
        let Understood { asked, instead, redirect } = understand(ctx.db(), &search).await?;
        let selected = Selected::of(&ctx.look_ahead());
        let Some(asked) = asked else {
            return Ok(SearchConnection::empty(&search).recorded(ctx, &search, began, true));
        };
        let read = read(ctx, &search, &asked, &selected).await?;
        let rows = search.page.finish(read.hits);
        let (found, facets, snippets, redirect) = futures_util::future::try_join4(
            load(ctx, &rows.rows),
            facets::load(ctx, read.facets),
            snippets(ctx, &rows.rows, &asked, selected.has_snippets),
            rules::redirect(ctx, redirect.filter(|_| selected.has_redirect)),
        )
        .await?;
        let connection = connection(rows, found, snippets, read.total, instead, redirect, facets);
        Ok(connection.recorded(ctx, &search, began, selected.has_total))
    }
}

impl SearchConnection {
    /// Nothing was asked for.
    fn empty(search: &Search) -> Self {
        let (hits, facets) = (search.page.finish(Vec::new()), SearchFacets::default());
        Self { hits, total: Counted { hits: 0, is_exact: true }, instead: None, redirect: None, facets, id: None }
    }

    /// The same, once it is recorded.
    fn recorded(self, ctx: &Context<'_>, search: &Search, began: Instant, is_counted: bool) -> Self {
        let took_ms = began.elapsed().as_secs_f32() * 1_000.0;
        let shown = i64::try_from(self.hits.rows.len()).unwrap_or(i64::MAX);
        let outcome = match is_counted {
            true => Outcome { results: self.total.hits, is_exact: self.total.is_exact, took_ms },
            false => {
                let is_exact = !self.hits.has_next && !self.hits.has_previous;
                Outcome { results: shown, is_exact, took_ms }
            }
        };
        Self { id: record(ctx, search, self.instead.as_deref(), outcome), ..self }
    }
}

/// What is selected of the hits.
struct Selected {
    has_total: bool,
    has_snippets: bool,
    has_redirect: bool,
    facets: Vec<Wanted>,
}

impl Selected {
    fn of(fields: &Lookahead<'_>) -> Self {
        Self {
            has_total: fields.field("totalCount").exists(),
            has_snippets: fields.field("edges").field("snippet").exists(),
            has_redirect: fields.field("redirect").exists(),
            facets: facets::wanted(&fields.field("facets")),
        }
    }
}

/// What the statements of a search answer.
struct Read {
    hits: Vec<Hit>,
    total: Counted,
    facets: Vec<FacetRow>,
}

/// Hits, their number and their facets, at the same time. How many rows a word has decides how they are found.
async fn read(ctx: &Context<'_>, search: &Search, asked: &Asked, selected: &Selected) -> Result<Read> {
    let db = ctx.db();
    let hits = db.read_as(Plans::ForValues, async |conn| store::page(conn, search, asked).await);
    let total = async {
        match selected.has_total {
            true => db.read_as(Plans::ForValues, async |conn| store::count(conn, search, asked).await).await,
            false => Ok(Counted::default()),
        }
    };
    let facets = async {
        match selected.facets.as_slice() {
            [] => Ok(Vec::new()),
            wanted if search.found_kinds().contains(&Kind::Product) => {
                db.read_as(Plans::ForValues, async |conn| store::facets(conn, search, asked, wanted).await).await
            }
            _ => Ok(Vec::new()),
        }
    };
    let (hits, total, facets) = futures_util::future::try_join3(hits, total, facets).await?;
    Ok(Read { hits, total, facets })
}

fn connection(
    rows: Rows<Hit>,
    mut found: HashMap<(Kind, i64), Found>,
    mut snippets: HashMap<i64, String>,
    total: Counted,
    instead: Option<String>,
    redirect: Option<SearchRedirect>,
    facets: SearchFacets,
) -> SearchConnection {
    let Rows { rows, has_next, has_previous } = rows;
    // A word is told only where it finds something: what nobody may find tells no words.
    let instead = instead.filter(|_| !rows.is_empty());
    let edge = |hit: Hit| {
        // A thing that went between the two statements is left out.
        let node = found.remove(&(hit.kind, hit.node_id))?;
        let snippet = snippets.remove(&hit.document_id);
        Some(SearchEdge { cursor: hit.cursor, score: hit.score, snippet, node })
    };
    let hits = Rows { rows: rows.into_iter().filter_map(edge).collect(), has_next, has_previous };
    SearchConnection { hits, total, instead, redirect, facets, id: None }
}

/// The words around what was found, by the key of the document.
async fn snippets(ctx: &Context<'_>, hits: &[Hit], asked: &Asked, is_selected: bool) -> Result<HashMap<i64, String>> {
    let ids: Vec<i64> = hits.iter().map(|hit| hit.document_id).collect();
    if !is_selected || ids.is_empty() {
        return Ok(HashMap::new());
    }
    let snippets = ctx.db().read(async |conn| store::snippets(conn, &ids, asked).await).await?;
    Ok(snippets.into_iter().filter_map(|(id, text)| Some((id, marked(&text)?))).collect())
}

/// A snippet as HTML; none where nothing in it was found.
fn marked(text: &str) -> Option<String> {
    let [begin, end] = store::MARKS;
    text.contains(begin).then(|| {
        let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
        escaped.replace(begin, "<mark>").replace(end, "</mark>")
    })
}

/// The things behind the hits: one statement for each kind that occurs.
async fn load(ctx: &Context<'_>, hits: &[Hit]) -> Result<HashMap<(Kind, i64), Found>> {
    let keys = |kind: Kind| hits.iter().filter(move |hit| hit.kind == kind).map(|hit| hit.node_id);
    let loaders = ctx.loaders();
    let (products, categories, brands, suppliers) = futures_util::future::try_join4(
        loaders.products.load_many(keys(Kind::Product).map(ProductId)),
        loaders.categories.load_many(keys(Kind::Category).map(CategoryId)),
        loaders.brands.load_many(keys(Kind::Brand).map(BrandId)),
        loaders.suppliers.load_many(keys(Kind::Supplier).map(SupplierId)),
    )
    .await?;
    let mut found = HashMap::with_capacity(hits.len());
    found.extend(products.into_iter().map(|row| ((Kind::Product, row.id.key()), Found::Product(product(row)))));
    found.extend(categories.into_iter().map(|row| ((Kind::Category, row.id.key()), Found::Category(category(row)))));
    found.extend(brands.into_iter().map(|row| ((Kind::Brand, row.id.key()), Found::Brand(brand(row)))));
    found.extend(suppliers.into_iter().map(|row| ((Kind::Supplier, row.id.key()), Found::Supplier(supplier(row)))));
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snippet_is_html_that_runs_nothing() {
        let text = "A \u{2}red\u{3} <script> & \"rope\"";
        assert_eq!(marked(text).as_deref(), Some("A <mark>red</mark> &lt;script&gt; &amp; &quot;rope&quot;"));
        assert_eq!(marked("A blue rope"), None);
    }
}
