//! GraphQL types and query of the search.

mod args;
mod facets;
mod rules;
mod suggestions;
mod tags;

use std::{collections::HashMap, mem};

use async_graphql::{Context, ID, Lookahead, Union};
use souk_macros::object;

pub use self::{args::*, facets::*, rules::*, suggestions::*};
use crate::{
    error::Result,
    graphql::{
        engine::{
            connections::{PageInfo, TotalCount, cost},
            cost::{filter_complexity, once},
            objects::{Abstract, AbstractType, DynObject},
            scalars::global_id,
        },
        schema::{
            analytics::record_search,
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
        actions::{self, Selection},
        model::{DocumentKind, Hit, HitCount},
    },
};

/// A search result.
#[derive(Clone, Union)]
#[graphql(name = "SearchResult")]
pub enum SearchResultMember {
    /// A product that is for sale.
    Product(Product),
    /// A category.
    Category(Category),
    /// A brand.
    Brand(Brand),
    /// A supplier. Found by staff and sellers only.
    Supplier(Supplier),
}

impl AbstractType for SearchResultMember {
    fn concrete_object(&self) -> &dyn DynObject {
        match self {
            Self::Product(object) => object,
            Self::Category(object) => object,
            Self::Brand(object) => object,
            Self::Supplier(object) => object,
        }
    }
}

/// A search result as a GraphQL union.
pub type SearchResult = Abstract<SearchResultMember>;

/// A search result with its score and cursor.
#[derive(Clone)]
pub struct SearchEdge {
    cursor: Cursor,
    score: f32,
    snippet: Option<String>,
    node: SearchResultMember,
}

/// A search result with its score and cursor.
#[object]
impl SearchEdge {
    /// Cursor of this result, for the arguments `after` and `before`.
    fn cursor(&self) -> String {
        self.cursor.to_string()
    }

    /// Relevance score, without the units sold; comparable only within one search. The sort order by relevance also depends
    /// on the units sold, so a popular product may come before one with a higher score. 0 for all results of a search
    /// without words.
    fn score(&self) -> f32 {
        self.score
    }

    /// Excerpt of the matching text as HTML: matches are in `<mark>`, everything else is escaped. Null if only a code
    /// that is not part of the text matched, such as the SKU.
    fn snippet(&self) -> Option<&str> {
        self.snippet.as_deref()
    }

    /// Product, category, brand or supplier that was found.
    async fn node(&self) -> SearchResult {
        Abstract(self.node.clone())
    }
}

/// A page of search results.
pub struct SearchConnection {
    hits: Rows<SearchEdge>,
    total: HitCount,
    correction: Option<String>,
    redirect: Option<SearchRedirect>,
    facets: SearchFacets,
    id: Option<SearchId>,
}

/// A page of search results, by default the best match first, or without words the most popular product.
#[object]
impl SearchConnection {
    /// Results of the page with their cursors and scores.
    async fn edges(&self) -> Vec<SearchEdge> {
        self.hits.rows.to_vec()
    }

    /// Results of the page.
    async fn nodes(&self) -> Vec<SearchResult> {
        self.hits.rows.iter().map(|hit| Abstract(hit.node.clone())).collect()
    }

    /// Information about the page. A search for words, sorted by relevance, returns at most 2,000 results; if more match,
    /// it returns the best-selling ones.
    async fn page_info(&self) -> PageInfo {
        PageInfo::new(&self.hits, |hit| &hit.cursor)
    }

    /// Number of results, counted only if selected. Exact up to 10,000.
    #[graphql(complexity = "FACET + child_complexity")]
    async fn total_count(&self) -> TotalCount {
        TotalCount { value: self.total.hits, is_exact: self.total.is_exact }
    }

    /// Corrected query that the results were found with: words that occur nowhere were replaced by similar words that do.
    /// Null if nothing was corrected.
    fn did_you_mean(&self) -> Option<&str> {
        self.correction.as_deref()
    }

    /// Redirect that a search rule defines for this query, in addition to the results; null if there is none.
    async fn redirect(&self) -> Option<SearchRedirect> {
        self.redirect.clone()
    }

    /// ID of this search for `searchClick`. Returned with the first page and valid for all pages; null on later pages, and
    /// for searches without words, which are not recorded.
    fn search_id(&self, ctx: &Context<'_>) -> Option<ID> {
        if self.id.is_some() {
            // Each search has its own.
            ctx.depend_on_unknown();
        }
        self.id.map(global_id)
    }

    /// Number of products found per value, counted only if selected. Each facet applies all filters of `where` except
    /// its own.
    async fn facets(&self) -> SearchFacets {
        self.facets.clone()
    }
}

/// Query root for search.
#[derive(Default)]
pub struct SearchQuery;

#[object]
impl SearchQuery {
    /// Searches products for sale, categories, brands and, for staff and sellers, suppliers; best match first. All
    /// words must match; the last one may be the beginning of a word. Names weigh more than brands and categories, and
    /// these more than descriptions; exact matches of SKU, barcode or name come first. A word that no entry contains is
    /// replaced by the most similar word, see `didYouMean`. Synonyms of the websites in `where`, or of the only
    /// website, are included, and a search rule may define a `redirect`.
    ///
    /// Without words it browses: all products for sale that match `where`, the most popular first, as category pages show
    /// them. Corrections, synonyms, redirects and snippets do not apply, and search analytics record nothing. For a plain
    /// list, with products that are not for sale, use `products`.
    #[graphql(complexity = "cost(first, last, child_complexity)
        + query_complexity(query.as_deref())
        + filter_complexity(visitor, variables, field)?")]
    async fn search(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "Words, \"phrases in quotes\" and -excluded words; at most 200 characters. All products if absent or blank."
        )]
        query: Option<String>,
        #[graphql(desc = "Types to search; default: all types. Without words only products are found.")] types: Option<
            Vec<DocumentKind>,
        >,
        #[graphql(desc = "Return up to the first n items (1–100, default 20).")] first: Option<i32>,
        #[graphql(desc = "Return items after this cursor.")] after: Option<String>,
        #[graphql(desc = "Return up to the last n items (1–100); cannot be combined with `first`.")] last: Option<i32>,
        #[graphql(desc = "Return items before this cursor.")] before: Option<String>,
        #[graphql(desc = "Only products that match this filter; excludes other types.")] r#where: Option<SearchWhere>,
        #[graphql(
            desc = "Sort order; default: relevance, without words popularity. Any other order returns products only."
        )]
        order_by: Option<SearchOrder>,
    ) -> Result<SearchConnection> {
        let query = query.unwrap_or_default();
        let search = args::search_from_args(ctx, query, types, first, after, last, before, r#where, order_by).await?;
        let fields = ctx.look_ahead();
        let selected = selected(&fields);
        let tags = tags::tags_of_search(&search, &selected.facets);
        let search = actions::search(ctx.db(), &ctx.services().word_cache, search, &selected);
        let mut found = ctx.read_tagged(tags, search).await?;
        ctx.depend_on(tags::tags_of_results(&found));
        let redirect = found.redirect.take().filter(|_| fields.field("redirect").exists());
        let facets = mem::take(&mut found.facets);
        let (nodes, facets, snippets, redirect) = futures_util::future::try_join4(
            load_nodes(ctx, &found.hits.rows),
            facets::load(ctx, facets),
            ctx.read_tagged([], found.snippets(ctx.db())),
            rules::load_redirect(ctx, redirect),
        )
        .await?;
        let id = record_search(ctx, &found);
        let hits = edges(found.hits, nodes, snippets);
        let total = found.total.unwrap_or_default();
        Ok(SearchConnection { hits, total, correction: found.correction, redirect, facets, id })
    }
}

/// Complexity of a search, which may read many entries.
pub(super) const SEARCH: usize = 1_000;

/// Complexity of each facet, and of the count of the results.
pub(super) const FACET: usize = once(500);

/// Complexity of a word of a query, which may be corrected.
const WORD: usize = 250;

/// Maximum number of words that count; a longer query is rejected.
const MAX_WORDS: usize = 40;

/// Returns the complexity of a query.
fn query_complexity(query: Option<&str>) -> usize {
    let words = query.map_or(0, |query| query.split_whitespace().take(MAX_WORDS).count());
    SEARCH.saturating_add(words.saturating_mul(WORD))
}

/// Returns what is selected of the results.
fn selected(fields: &Lookahead<'_>) -> Selection {
    Selection {
        has_total: fields.field("totalCount").exists(),
        has_snippets: fields.field("edges").field("snippet").exists(),
        facets: facets::selected_facets(&fields.field("facets")),
    }
}

fn edges(
    hits: Rows<Hit>,
    mut nodes: HashMap<(DocumentKind, i64), SearchResultMember>,
    mut snippets: HashMap<i64, String>,
) -> Rows<SearchEdge> {
    let Rows { rows, has_next, has_previous } = hits;
    let edge = |hit: Hit| {
        // Entities that were deleted between the two statements are left out.
        let node = nodes.remove(&(hit.kind, hit.node_id))?;
        let snippet = snippets.remove(&hit.document_id);
        Some(SearchEdge { cursor: hit.cursor, score: hit.score, snippet, node })
    };
    Rows { rows: rows.into_iter().filter_map(edge).collect(), has_next, has_previous }
}

/// Loads the entities of the results: one statement for each type that occurs.
async fn load_nodes(ctx: &Context<'_>, hits: &[Hit]) -> Result<HashMap<(DocumentKind, i64), SearchResultMember>> {
    let keys = |kind: DocumentKind| hits.iter().filter(move |hit| hit.kind == kind).map(|hit| hit.node_id);
    let loaders = ctx.loaders();
    let (products, categories, brands, suppliers) = futures_util::future::try_join4(
        loaders.rows(keys(DocumentKind::Product).map(ProductId)),
        loaders.rows(keys(DocumentKind::Category).map(CategoryId)),
        loaders.rows(keys(DocumentKind::Brand).map(BrandId)),
        loaders.rows(keys(DocumentKind::Supplier).map(SupplierId)),
    )
    .await?;
    let mut found = HashMap::with_capacity(hits.len());
    found.extend(
        products
            .into_iter()
            .map(|row| ((DocumentKind::Product, row.id.key()), SearchResultMember::Product(product(row)))),
    );
    found.extend(
        categories
            .into_iter()
            .map(|row| ((DocumentKind::Category, row.id.key()), SearchResultMember::Category(category(row)))),
    );
    found.extend(
        brands.into_iter().map(|row| ((DocumentKind::Brand, row.id.key()), SearchResultMember::Brand(brand(row)))),
    );
    found.extend(
        suppliers
            .into_iter()
            .map(|row| ((DocumentKind::Supplier, row.id.key()), SearchResultMember::Supplier(supplier(row)))),
    );
    Ok(found)
}
