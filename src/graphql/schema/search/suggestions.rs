//! What a text that is not finished yet may become.

use async_graphql::{Context, ID};
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
            search::{SearchResult, SearchResultMember},
        },
    },
    ids::{BrandId, CategoryId, ProductId, RowId, WebsiteId},
    search::{
        actions::suggest::{Suggestion, suggest},
        model::suggest::SuggestionKind,
    },
};

/// A text that may be meant.
#[derive(Clone)]
pub struct SearchSuggestion(Suggestion);

/// A text that may be meant, and where it comes from.
#[object]
impl SearchSuggestion {
    /// The text, to be shown and searched.
    fn text(&self) -> &str {
        &self.0.text
    }

    /// Where it comes from.
    fn kind(&self) -> SuggestionKind {
        self.0.kind
    }

    /// The product, category or brand that has this name; null for what others searched.
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

/// The suggestions.
#[derive(Default)]
pub struct SuggestionQuery;

#[object]
impl SuggestionQuery {
    /// What somebody who typed this may be about to search: names of categories, brands and products for sale, and what others
    /// searched and found something by; in groups by where they come from, of each the likeliest first. Nothing for a text
    /// without words.
    #[graphql(complexity = "cost(Some(first), None, child_complexity)")]
    async fn search_suggestions(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "What was typed until now, at most 200 characters; the last word may be the beginning of one."
        )]
        prefix: String,
        #[graphql(desc = "How many at most, 1 to 50.", default = 10)] first: i32,
        #[graphql(desc = "Only products and searches of this website.")] website: Option<ID>,
    ) -> Result<Vec<SearchSuggestion>> {
        let website = website.map(|id| WebsiteId::parse("website", &id)).transpose()?;
        let found = suggest(ctx.db(), &prefix, first, website).await?;
        Ok(found.into_iter().map(SearchSuggestion).collect())
    }
}
