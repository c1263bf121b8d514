//! GraphQL types, queries and mutations of search rules: synonyms, redirects and blocked suggestions.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, MaybeUndefined};
use chrono::{DateTime, Utc};
use souk_macros::object;

use crate::{
    auth::Permission,
    db::filter::Filter,
    error::{Error, Result},
    graphql::{
        engine::{
            connections::{Connection, root_connection},
            filters::FilterBuilder,
            guards::PermissionGuard,
            list_args::{ListArgs, OrderBy, Where, build_list, order_by, where_input},
            objects::Abstract,
            patch,
            payload::payload,
            scalars::global_id,
        },
        schema::{
            brands::brand,
            categories::category,
            context::ContextExt,
            products::product,
            resource::resource,
            search::{SearchResult, SearchResultMember},
            websites::{Website, WebsiteFilter, website},
        },
    },
    ids::{self, BrandId, CategoryId, ProductId, RowId, SearchRuleId, WebsiteId},
    search::{
        self,
        actions::rules as actions,
        model::rules::{
            NewSearchRule, Redirect, RuleTarget, SearchRuleCondition, SearchRuleOrderField, SearchRulePatch,
            SearchRuleRow,
        },
        store::rules as store,
    },
};

/// A rule for the search of a website.
#[derive(Clone)]
pub struct SearchRule(Arc<SearchRuleRow>);

resource! {
    SearchRule(search_rule) by SearchRuleId of SearchRuleRow,
    |conn, context, ids| search::store::rules::by_ids(conn, &context.scope(Permission::ManageCatalogue), &ids), row => row.id,
}

/// A rule for the search of a website. Without target and URL, its words are synonyms, such as sneaker and trainer;
/// with one of them, it redirects its queries there. A rule that blocks suggestions keeps queries with its words from being
/// suggested.
#[object]
impl SearchRule {
    /// Opaque global ID.
    pub fn id(&self) -> ID {
        global_id(self.0.id)
    }

    /// Website that the rule applies to.
    async fn website(&self, ctx: &Context<'_>) -> Result<Website> {
        let row = ctx.loaders().row(self.0.website_id).await?;
        row.map(website).ok_or_else(|| Error::Internal("search rule refers to a missing website".into()))
    }

    /// Synonyms; for a redirect, its queries; for a rule that blocks suggestions, the words.
    fn words(&self) -> &[String] {
        &self.0.words
    }

    /// Category, brand or product that the queries are redirected to; null if there is none.
    async fn target(&self, ctx: &Context<'_>) -> Result<Option<SearchResult>> {
        match self.0.target() {
            Some(target) => load_target(ctx, &target).await,
            None => Ok(None),
        }
    }

    /// URL that the queries are redirected to; null if there is none.
    fn url(&self) -> Option<String> {
        self.0.target().and_then(target_url)
    }

    /// Whether popular queries that contain one of the words are not suggested in `searchSuggestions`.
    fn blocks_suggestions(&self) -> bool {
        self.0.blocks_suggestions
    }

    /// When the search rule was created (UTC).
    fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When the search rule was last updated (UTC).
    fn updated_at(&self) -> DateTime<Utc> {
        self.0.updated_at
    }
}

/// A redirect for a search query.
#[derive(Clone)]
pub struct SearchRedirect {
    target: Option<SearchResult>,
    url: Option<String>,
}

/// A redirect for a search query, defined by a search rule. It has either a target or a URL.
#[object]
impl SearchRedirect {
    /// Category, brand or product to redirect to; null if the redirect has a URL.
    async fn target(&self) -> Option<SearchResult> {
        self.target.clone()
    }

    /// URL to redirect to, or a path that begins with `/`; null if the redirect has a target.
    fn url(&self) -> Option<&str> {
        self.url.as_deref()
    }
}

/// Loads the target of a redirect. Returns none if the viewer may not see it.
/// # Errors
/// Returns the errors of the loaders.
pub(super) async fn load_redirect(ctx: &Context<'_>, redirect: Option<Redirect>) -> Result<Option<SearchRedirect>> {
    let Some(Redirect { target, .. }) = redirect else { return Ok(None) };
    let found = load_target(ctx, &target).await?;
    let url = target_url(target);
    let is_visible = found.is_some() || url.is_some();
    Ok(is_visible.then_some(SearchRedirect { target: found, url }))
}

async fn load_target(ctx: &Context<'_>, target: &RuleTarget) -> Result<Option<SearchResult>> {
    let all = ctx.loaders();
    let found = match target {
        RuleTarget::Category(id) => all.row(*id).await?.map(|row| SearchResultMember::Category(category(row))),
        RuleTarget::Brand(id) => all.row(*id).await?.map(|row| SearchResultMember::Brand(brand(row))),
        RuleTarget::Product(id) => all.row(*id).await?.map(|row| SearchResultMember::Product(product(row))),
        RuleTarget::Url(_) => None,
    };
    Ok(found.map(Abstract))
}

fn target_url(target: RuleTarget) -> Option<String> {
    match target {
        RuleTarget::Url(url) => Some(url),
        _ => None,
    }
}

where_input! {
    /// Filters for search rules; conditions are combined with AND.
    SearchRuleWhere {
        /// Filter by website.
        website: Option<WebsiteFilter>,
    }
}

impl Where for SearchRuleWhere {
    type Condition = SearchRuleCondition;

    fn into_filter(self) -> Result<Filter<SearchRuleCondition>> {
        let mut filter = FilterBuilder::with_nested(self.and, self.or, self.not, Self::into_filter)?;
        WebsiteFilter::add(self.website, &mut filter, "website", SearchRuleCondition::Website)?;
        filter.build()
    }
}

order_by! {
    /// Sort order of search rules.
    SearchRuleOrder by SearchRuleOrderField
}

/// Query root for search rules.
#[derive(Default)]
pub struct SearchRuleQuery;

#[object]
impl SearchRuleQuery {
    /// Lists the search rules, oldest first by default. Staff whose role is limited to some websites see the rules of
    /// these websites. Requires `MANAGE_CATALOGUE`.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageCatalogue])")]
    async fn search_rules(
        &self,
        ctx: &Context<'_>,
        list_args: ListArgs<SearchRuleWhere>,
        #[graphql(desc = "Sort order; default: oldest first.")] order_by: Option<SearchRuleOrder>,
    ) -> Result<Connection<SearchRule>> {
        let order = order_by.map(OrderBy::into_parts).unwrap_or_default();
        let filter = list_args.filter.unwrap_or_default().into_filter()?;
        let list: store::SearchRuleList = build_list(list_args.page, filter, order, SearchRuleOrderField::list)?;
        let scope = ctx.viewer().scope(Permission::ManageCatalogue);
        let rows = ctx.db().read(async |conn| store::page(conn, &scope, &list).await);
        let count = ctx.db().read(async |conn| store::count(conn, &scope, &list).await);
        root_connection(ctx, &list.page, rows, count, |row| (list.order.key(), row.id), search_rule).await
    }
}

/// Input for `searchRuleCreate`. Without `target` and `url`, the words are synonyms; with one of them, queries that are
/// redirected there; with `blocksSuggestions`, they are not suggested.
#[derive(Debug, InputObject)]
pub struct SearchRuleCreateInput {
    /// ID of the website that the rule applies to.
    website_id: ID,
    /// Synonyms (at least two), queries, or words that are not suggested: at most 50, each 1 to 3 words and at most 100 characters. They are matched
    /// as in the search, regardless of case, accents and word endings.
    words: Vec<String>,
    /// ID of the category, brand or product to redirect to.
    target: Option<ID>,
    /// URL to redirect to; must start with `https://` or `/`, at most 2,000 characters. Cannot be combined with
    /// `target`.
    url: Option<String>,
    /// Whether popular queries that contain one of the words are not suggested; default false. They disappear from
    /// `searchSuggestions` at once. Cannot be combined with `target` and `url`.
    #[graphql(default)]
    blocks_suggestions: bool,
}

/// Input for `searchRuleUpdate`. An omitted field keeps its value; null clears an optional one.
#[derive(Debug, InputObject)]
pub struct SearchRuleUpdateInput {
    /// ID of the search rule.
    id: ID,
    /// Synonyms or queries, see `searchRuleCreate`.
    words: MaybeUndefined<Vec<String>>,
    /// ID of the category, brand or product to redirect to.
    target: MaybeUndefined<ID>,
    /// URL to redirect to, see `searchRuleCreate`.
    url: MaybeUndefined<String>,
    /// Whether popular queries that contain one of the words are not suggested.
    blocks_suggestions: MaybeUndefined<bool>,
}

/// Input for `searchRuleDelete`.
#[derive(Debug, InputObject)]
pub struct SearchRuleDeleteInput {
    /// ID of the search rule.
    id: ID,
}

/// IDs of a category, brand or product; at most one of them is set.
type TargetIds = (Option<CategoryId>, Option<BrandId>, Option<ProductId>);

fn parse_target(id: &str) -> Result<TargetIds> {
    match ids::decode(id) {
        Some((name, key)) if name == CategoryId::TYPE => Ok((Some(CategoryId(key)), None, None)),
        Some((name, key)) if name == BrandId::TYPE => Ok((None, Some(BrandId(key)), None)),
        Some((name, key)) if name == ProductId::TYPE => Ok((None, None, Some(ProductId(key)))),
        _ => Err(Error::bad_input("target", "target must be the ID of a category, brand or product")),
    }
}

payload! {
    /// Result of `searchRuleCreate`.
    SearchRuleCreatePayload {
        /// The new search rule.
        search_rule: SearchRule
    }
}
payload! {
    /// Result of `searchRuleUpdate`.
    SearchRuleUpdatePayload {
        /// The updated search rule.
        search_rule: SearchRule
    }
}
payload! {
    /// Result of `searchRuleDelete`.
    SearchRuleDeletePayload {
        /// ID of the deleted search rule.
        deleted_id: ID
    }
}

/// Mutation root for search rules.
#[derive(Default)]
pub struct SearchRuleMutation;

#[object]
impl SearchRuleMutation {
    /// Creates a search rule for a website: synonyms, a redirect, or words that are not suggested. Requires `MANAGE_CATALOGUE`.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageCatalogue])")]
    async fn search_rule_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Website, words and redirect of the rule.")] input: SearchRuleCreateInput,
    ) -> Result<SearchRuleCreatePayload> {
        let created = async {
            let website_id = WebsiteId::parse("websiteId", &input.website_id)?;
            let target = input.target.as_ref().map(|id| parse_target(id)).transpose()?;
            let (category_id, brand_id, product_id) = target.unwrap_or_default();
            let SearchRuleCreateInput { words, url, blocks_suggestions, .. } = input;
            let new = NewSearchRule { website_id, words, category_id, brand_id, product_id, url, blocks_suggestions };
            actions::create(ctx.db(), ctx.viewer(), new).await
        };
        SearchRuleCreatePayload::of(created.await.map(search_rule))
    }

    /// Updates a search rule. Requires `MANAGE_CATALOGUE`.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageCatalogue])")]
    async fn search_rule_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Search rule and the fields to change.")] input: SearchRuleUpdateInput,
    ) -> Result<SearchRuleUpdatePayload> {
        let updated = async {
            let id = SearchRuleId::parse("id", &input.id)?;
            let target = match input.target {
                MaybeUndefined::Undefined => None,
                MaybeUndefined::Null => Some(TargetIds::default()),
                MaybeUndefined::Value(id) => Some(parse_target(&id)?),
            };
            let patch = SearchRulePatch {
                words: patch::required("words", input.words)?,
                category_id: target.map(|(category, ..)| category),
                brand_id: target.map(|(_, brand, _)| brand),
                product_id: target.map(|(.., product)| product),
                url: input.url.as_opt_ref().map(|url| url.cloned()),
                blocks_suggestions: patch::required("blocksSuggestions", input.blocks_suggestions)?,
            };
            actions::update(ctx.db(), ctx.viewer(), id, patch).await
        };
        SearchRuleUpdatePayload::of(updated.await.map(search_rule))
    }

    /// Deletes a search rule. Requires `MANAGE_CATALOGUE`.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageCatalogue])")]
    async fn search_rule_delete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Search rule to delete.")] input: SearchRuleDeleteInput,
    ) -> Result<SearchRuleDeletePayload> {
        let deleted = async {
            let id = SearchRuleId::parse("id", &input.id)?;
            actions::delete(ctx.db(), ctx.viewer(), id).await?;
            Ok(input.id.clone())
        };
        SearchRuleDeletePayload::of(deleted.await)
    }
}
