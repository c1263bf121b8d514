//! Suggestions for a search query that is still being typed.

use async_graphql::Context;
use souk_macros::object;

use crate::{
    error::Result,
    graphql::{
        engine::{connections::cost, objects::Abstract},
        schema::{
            brands::brand,
            categories::category,
            context::ContextExt,
            products::product,
            search::{SEARCH, SearchResult, SearchResultMember, tags::tags_of_suggestions},
            websites::named_website,
        },
    },
    ids::{BrandId, CategoryId, ProductId},
    search::{
        actions::suggest::{Suggestion, suggest},
        model::suggest::SuggestionKind,
    },
};

/// A suggested search query.
#[derive(Clone)]
pub struct SearchSuggestion(Suggestion);

/// A suggested search query and its origin.
#[object]
impl SearchSuggestion {
    /// Suggested query, to display and to search for.
    fn text(&self) -> &str {
        &self.0.text
    }

    /// Origin of the suggestion.
    fn kind(&self) -> SuggestionKind {
        self.0.kind
    }

    /// Product, category or brand with this name; null for a query of other users.
    async fn node(&self, ctx: &Context<'_>) -> Result<Option<SearchResult>> {
        let (all, key) = (ctx.loaders(), self.0.node_id);
        let found = match self.0.kind {
            SuggestionKind::Query => None,
            SuggestionKind::Category => {
                all.row(CategoryId(key)).await?.map(|row| SearchResultMember::Category(category(row)))
            }
            SuggestionKind::Brand => all.row(BrandId(key)).await?.map(|row| SearchResultMember::Brand(brand(row))),
            SuggestionKind::Product => {
                all.row(ProductId(key)).await?.map(|row| SearchResultMember::Product(product(row)))
            }
        };
        Ok(found.map(Abstract))
    }
}

/// Query root for search suggestions.
#[derive(Default)]
pub struct SuggestionQuery;

#[object]
impl SuggestionQuery {
    /// Returns suggestions for a query that is being typed: names of categories, brands and products for sale, and
    /// queries of other users that had results. Suggestions are grouped by origin, the most likely first. Empty if the
    /// text contains no words.
    #[graphql(complexity = "SEARCH + cost(Some(first), None, child_complexity)")]
    async fn search_suggestions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Text typed so far, at most 200 characters; the last word may be incomplete.")] prefix: String,
        #[graphql(desc = "Maximum number of suggestions, 1 to 50.", default = 10)] first: i32,
        #[graphql(desc = "Code or ID of a website; only its products and queries are suggested.")] website: Option<
            String,
        >,
    ) -> Result<Vec<SearchSuggestion>> {
        let website = named_website(ctx, "website", website).await?;
        let suggested = suggest(ctx.db(), &ctx.services().word_cache, &prefix, first, website);
        let found = ctx.read_tagged(tags_of_suggestions(), suggested).await?;
        Ok(found.into_iter().map(SearchSuggestion).collect())
    }
}
