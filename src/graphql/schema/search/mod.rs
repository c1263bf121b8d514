//! The search in the graph.

mod args;
mod facets;
mod rules;
mod suggestions;

use std::{collections::HashMap, mem};

use async_graphql::{Context, ID, Lookahead, Union};
use souk_macros::object;

pub use self::{args::*, facets::*, rules::*, suggestions::*};
use crate::{
    error::Result,
    graphql::{
        engine::{
            connections::{PageInfo, TotalCount, cost},
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

/// Something that a search found.
#[derive(Clone, Union)]
#[graphql(name = "SearchResult")]
pub enum SearchResultMember {
    /// A product.
    Product(Product),
    /// A category.
    Category(Category),
    /// A brand.
    Brand(Brand),
    /// A supplier; found by staff and sellers only.
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

/// Something that a search found, in the graph.
pub type SearchResult = Abstract<SearchResultMember>;

/// A hit, how well it matches, and its place.
#[derive(Clone)]
pub struct SearchEdge {
    cursor: Cursor,
    score: f32,
    snippet: Option<String>,
    node: SearchResultMember,
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
        Abstract(self.node.clone())
    }
}

/// A page of hits.
pub struct SearchConnection {
    hits: Rows<SearchEdge>,
    total: HitCount,
    correction: Option<String>,
    redirect: Option<SearchRedirect>,
    facets: SearchFacets,
    id: Option<SearchId>,
}

/// A page of hits, the best first.
#[object]
impl SearchConnection {
    /// The hits of the page with their cursors and scores.
    async fn edges(&self) -> Vec<SearchEdge> {
        self.hits.rows.to_vec()
    }

    /// The hits of the page.
    async fn nodes(&self) -> Vec<SearchResult> {
        self.hits.rows.iter().map(|hit| Abstract(hit.node.clone())).collect()
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
        self.correction.as_deref()
    }

    /// Where this query leads, by a rule of the merchant; what was found stands beside it.
    async fn redirect(&self) -> Option<SearchRedirect> {
        self.redirect.clone()
    }

    /// Names this search in `searchClick`. Given on the first page, for all pages of it; null on later ones.
    fn search_id(&self) -> Option<ID> {
        self.id.map(global_id)
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
        #[graphql(desc = "Which kinds of things; all where absent.")] types: Option<Vec<DocumentKind>>,
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
        let (search, with_subcategories) =
            args::search_from_args(ctx, query, types, first, after, last, before, r#where, order_by)?;
        let fields = ctx.look_ahead();
        let mut found = actions::search(ctx.db(), search, with_subcategories, &selected(&fields)).await?;
        let redirect = found.redirect.take().filter(|_| fields.field("redirect").exists());
        let facets = mem::take(&mut found.facets);
        let (nodes, facets, snippets, redirect) = futures_util::future::try_join4(
            load_nodes(ctx, &found.hits.rows),
            facets::load(ctx, facets),
            found.snippets(ctx.db()),
            rules::load_redirect(ctx, redirect),
        )
        .await?;
        let id = record_search(ctx, &found);
        let hits = edges(found.hits, nodes, snippets);
        let total = found.total.unwrap_or_default();
        Ok(SearchConnection { hits, total, correction: found.correction, redirect, facets, id })
    }
}

/// What is selected of the hits.
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
        // A thing that went between the two statements is left out.
        let node = nodes.remove(&(hit.kind, hit.node_id))?;
        let snippet = snippets.remove(&hit.document_id);
        Some(SearchEdge { cursor: hit.cursor, score: hit.score, snippet, node })
    };
    Rows { rows: rows.into_iter().filter_map(edge).collect(), has_next, has_previous }
}

/// The things behind the hits: one statement for each kind that occurs.
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
