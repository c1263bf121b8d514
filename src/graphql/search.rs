//! The search in the graph.

use std::collections::HashMap;

use async_graphql::{Context, Object, Union};

use super::{
    brand::{Brand, brand},
    category::{Category, category},
    connection::{PageInfo, PageInfoObject, TotalCount, TotalCountObject, cost, read},
    container::{Member, Members, OneOf, Ordered, Plain},
    context::ContextExt,
    product::{Product, product},
    supplier::{Supplier, supplier},
};
use crate::{
    error::Result,
    ids::{BrandId, CategoryId, ProductId, RowId, SupplierId},
    paging::{Cursor, Page, PageArgs, Rows, SortKey},
    search::{
        model::{DocumentRow, Kind, LIST, Search},
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

/// See [`SearchEdgeObject`].
pub type SearchEdge = Ordered<SearchEdgeObject>;

/// A hit, how well it matches, and its place.
#[derive(Clone)]
pub struct SearchEdgeObject {
    cursor: Cursor,
    score: f32,
    node: Found,
}

impl Plain for SearchEdgeObject {
    const PLAIN: &'static [&'static str] = &["cursor", "score"];
}

/// A hit, how well it matches, and its place in the list.
#[Object(name = "SearchEdge")]
impl SearchEdgeObject {
    /// The place of the hit; give it as `after` or `before`.
    async fn cursor(&self) -> String {
        self.cursor.to_string()
    }

    /// How well it matches: comparable within one search only.
    async fn score(&self) -> f32 {
        self.score
    }

    /// What was found.
    async fn node(&self) -> SearchResult {
        OneOf(self.node.clone())
    }
}

/// See [`SearchConnectionObject`].
pub type SearchConnection = Ordered<SearchConnectionObject>;

/// A page of hits.
pub struct SearchConnectionObject {
    hits: Rows<SearchEdgeObject>,
    total: Option<i64>,
}

impl Plain for SearchConnectionObject {}

/// A page of hits, the best first.
#[Object(name = "SearchConnection")]
impl SearchConnectionObject {
    /// The hits of the page with their cursors and scores.
    async fn edges(&self) -> Vec<SearchEdge> {
        self.hits.rows.iter().cloned().map(Ordered).collect()
    }

    /// The hits of the page.
    async fn nodes(&self) -> Vec<SearchResult> {
        self.hits.rows.iter().map(|hit| OneOf(hit.node.clone())).collect()
    }

    /// Where the page lies in the list.
    async fn page_info(&self) -> PageInfo {
        Ordered(PageInfoObject::new(&self.hits, |hit| &hit.cursor))
    }

    /// How many hits there are, counted only when this field is selected.
    async fn total_count(&self) -> TotalCount {
        Ordered(TotalCountObject(self.total.unwrap_or_default()))
    }
}

/// The search.
#[derive(Default)]
pub struct SearchQuery;

#[Object]
impl SearchQuery {
    /// Finds products for sale, categories, brands and, for staff and sellers, suppliers by their words, the best first.
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
    ) -> Result<SearchConnection> {
        let page = Page::new(LIST, PageArgs { first, after, last, before })?;
        let kinds = types.unwrap_or_else(|| Kind::ALL.to_vec());
        let search = Search { query, kinds, staff: ctx.is_staff(), page };
        search.check()?;
        let rows = ctx.db().read(async |conn| store::page(conn, &search).await);
        let count = ctx.db().read(async |conn| store::count(conn, &search).await);
        let (rows, total) = read(ctx, &search.page, rows, count).await?;
        let mut found = load(ctx, &rows.rows).await?;
        let hit = |(document, score): (DocumentRow, f32)| {
            // A thing that went between the two statements is left out.
            let node = found.remove(&(document.kind(), document.node_id))?;
            Some(SearchEdgeObject {
                cursor: Cursor::new(LIST, SortKey::Rank(score.to_bits()), document.id),
                score,
                node,
            })
        };
        let Rows { rows, has_next, has_previous } = rows;
        let hits = Rows { rows: rows.into_iter().filter_map(hit).collect(), has_next, has_previous };
        Ok(Ordered(SearchConnectionObject { hits, total }))
    }
}

/// The things behind the hits: one statement for each kind that occurs.
async fn load(ctx: &Context<'_>, rows: &[(DocumentRow, f32)]) -> Result<HashMap<(Kind, i64), Found>> {
    let keys =
        |kind: Kind| rows.iter().map(|(row, _)| row).filter(move |row| row.kind() == kind).map(|row| row.node_id);
    let loaders = ctx.loaders();
    let (products, categories, brands, suppliers) = futures_util::future::try_join4(
        loaders.products.load_many(keys(Kind::Product).map(ProductId)),
        loaders.categories.load_many(keys(Kind::Category).map(CategoryId)),
        loaders.brands.load_many(keys(Kind::Brand).map(BrandId)),
        loaders.suppliers.load_many(keys(Kind::Supplier).map(SupplierId)),
    )
    .await?;
    let mut found = HashMap::with_capacity(rows.len());
    found.extend(products.into_iter().map(|row| ((Kind::Product, row.id.key()), Found::Product(product(row)))));
    found.extend(categories.into_iter().map(|row| ((Kind::Category, row.id.key()), Found::Category(category(row)))));
    found.extend(brands.into_iter().map(|row| ((Kind::Brand, row.id.key()), Found::Brand(brand(row)))));
    found.extend(suppliers.into_iter().map(|row| ((Kind::Supplier, row.id.key()), Found::Supplier(supplier(row)))));
    Ok(found)
}
