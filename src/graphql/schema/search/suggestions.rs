//! What a text that is not finished yet may become.

use async_graphql::{Context, ID, Object};

use crate::error::Result;
use crate::graphql::engine::connections::cost;
use crate::graphql::engine::container::OneOf;
use crate::graphql::engine::container::Ordered;
use crate::graphql::engine::container::Plain;
use crate::graphql::schema::brands::brand;
use crate::graphql::schema::categories::category;
use crate::graphql::schema::context::ContextExt;
use crate::graphql::schema::products::product;
use crate::graphql::schema::search::Found;
use crate::graphql::schema::search::SearchResult;
use crate::ids::BrandId;
use crate::ids::CategoryId;
use crate::ids::ProductId;
use crate::ids::RowId;
use crate::ids::WebsiteId;
use crate::search::actions::suggest::Suggestion;
use crate::search::actions::suggest::suggest;
use crate::search::model::suggest::SuggestionKind;

/// See [`SearchSuggestionObject`].
pub type SearchSuggestion = Ordered<SearchSuggestionObject>;

/// A text that may be meant.
#[derive(Clone)]
pub struct SearchSuggestionObject(Suggestion);

impl Plain for SearchSuggestionObject {
    const PLAIN: &'static [&'static str] = &["text", "kind"];
}

/// A text that may be meant, and where it comes from.
#[Object(name = "SearchSuggestion")]
impl SearchSuggestionObject {
    /// The text, to be shown and searched.
    async fn text(&self) -> &str {
        &self.0.text
    }

    /// Where it comes from.
    async fn kind(&self) -> SuggestionKind {
        self.0.kind
    }

    /// The product, category or brand that has this name; null for what others searched.
    async fn node(&self, ctx: &Context<'_>) -> Result<Option<SearchResult>> {
        let (all, key) = (ctx.loaders(), self.0.node_id);
        let found = match self.0.kind {
            SuggestionKind::Query => None,
            SuggestionKind::Category => {
                all.categories.load(CategoryId(key)).await?.map(|row| Found::Category(category(row)))
            }
            SuggestionKind::Brand => all.brands.load(BrandId(key)).await?.map(|row| Found::Brand(brand(row))),
            SuggestionKind::Product => all.products.load(ProductId(key)).await?.map(|row| Found::Product(product(row))),
        };
        Ok(found.map(OneOf))
    }
}

/// The suggestions.
#[derive(Default)]
pub struct SuggestionQuery;

#[Object]
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
        Ok(found.into_iter().map(|suggestion| Ordered(SearchSuggestionObject(suggestion))).collect())
    }
}
