//! What merchants tell the search, and where a query leads by it.

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
            filters::{FilterBuilder, IdFilter},
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
            websites::{Website, website},
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

/// What a merchant tells the search of a website.
#[derive(Clone)]
pub struct SearchRule(Arc<SearchRuleRow>);

resource! {
    SearchRule(search_rule) by SearchRuleId of SearchRuleRow,
    |conn, context, ids| search::store::rules::by_ids(conn, &context.scope(Permission::ManageCatalogue), &ids), row => row.id,
}

/// What a merchant tells the search of a website: words that mean the same, such as sneaker and trainer; or, with a target or
/// an address, queries that lead there.
#[object]
impl SearchRule {
    /// Opaque id, unique across all types.
    pub fn id(&self) -> ID {
        global_id(self.0.id)
    }

    /// The website where it holds.
    async fn website(&self, ctx: &Context<'_>) -> Result<Website> {
        let row = ctx.loaders().row(self.0.website_id).await?;
        row.map(website).ok_or_else(|| Error::Internal("a search rule without its website".into()))
    }

    /// The words that mean the same; the queries, where it leads somewhere.
    fn words(&self) -> &[String] {
        &self.0.words
    }

    /// Where its queries lead, if to a category, a brand or a product.
    async fn target(&self, ctx: &Context<'_>) -> Result<Option<SearchResult>> {
        match self.0.target() {
            Some(target) => load_target(ctx, &target).await,
            None => Ok(None),
        }
    }

    /// Where its queries lead, if to an address.
    fn url(&self) -> Option<String> {
        self.0.target().and_then(target_url)
    }

    /// When it was made.
    fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When it was last changed.
    fn updated_at(&self) -> DateTime<Utc> {
        self.0.updated_at
    }
}

/// Where a query leads.
#[derive(Clone)]
pub struct SearchRedirect {
    target: Option<SearchResult>,
    url: Option<String>,
}

/// Where a query leads, by a rule of the merchant: to a target or to an address.
#[object]
impl SearchRedirect {
    /// The category, brand or product.
    async fn target(&self) -> Option<SearchResult> {
        self.target.clone()
    }

    /// The address: a URL, or a path that begins with `/`.
    fn url(&self) -> Option<&str> {
        self.url.as_deref()
    }
}

/// Where a redirect leads; nowhere where that may not be seen.
/// # Errors
/// Those of the loaders.
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
    /// Which rules. Several fields hold together.
    SearchRuleWhere {
        /// By website.
        website: Option<IdFilter>,
    }
}

impl Where for SearchRuleWhere {
    type Condition = SearchRuleCondition;

    fn into_filter(self) -> Result<Filter<SearchRuleCondition>> {
        let mut filter = FilterBuilder::with_nested(self.and, self.or, self.not, Self::into_filter)?;
        filter.id("website", self.website, SearchRuleCondition::Website)?;
        filter.build()
    }
}

order_by! {
    /// The order of a list of rules.
    SearchRuleOrder by SearchRuleOrderField
}

/// Queries of rules.
#[derive(Default)]
pub struct SearchRuleQuery;

#[object]
impl SearchRuleQuery {
    /// What merchants tell the search, by default what was told first: everything, or that of the websites that your role is
    /// limited to. Requires MANAGE_CATALOGUE.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageCatalogue])")]
    async fn search_rules(
        &self,
        ctx: &Context<'_>,
        list_args: ListArgs<SearchRuleWhere>,
        #[graphql(desc = "In which order.")] order_by: Option<SearchRuleOrder>,
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

/// A rule to be: words that mean the same; or, with a target or an address, queries that lead there.
#[derive(Debug, InputObject)]
pub struct SearchRuleCreateInput {
    /// The website where it holds.
    website_id: ID,
    /// Words that mean the same, at least two of them; or queries. At most 50, each of one to three words and at most 100 characters.
    /// They are compared as the search does: without regard to case, accents and endings.
    words: Vec<String>,
    /// Where the queries lead: the id of a category, a brand or a product.
    target: Option<ID>,
    /// Where the queries lead: an address that starts with `https://` or with `/`, at most 2,000 characters; not together with `target`.
    url: Option<String>,
}

/// A change of a rule: an absent field stays, null clears.
#[derive(Debug, InputObject)]
pub struct SearchRuleUpdateInput {
    /// Which rule.
    id: ID,
    /// As in `searchRuleCreate`.
    words: MaybeUndefined<Vec<String>>,
    /// As in `searchRuleCreate`.
    target: MaybeUndefined<ID>,
    /// As in `searchRuleCreate`.
    url: MaybeUndefined<String>,
}

/// Which rule to delete.
#[derive(Debug, InputObject)]
pub struct SearchRuleDeleteInput {
    /// Which rule.
    id: ID,
}

/// The category, brand or product that an id names, one of them.
type TargetIds = (Option<CategoryId>, Option<BrandId>, Option<ProductId>);

fn parse_target(id: &str) -> Result<TargetIds> {
    match ids::decode(id) {
        Some((name, key)) if name == CategoryId::TYPE => Ok((Some(CategoryId(key)), None, None)),
        Some((name, key)) if name == BrandId::TYPE => Ok((None, Some(BrandId(key)), None)),
        Some((name, key)) if name == ProductId::TYPE => Ok((None, None, Some(ProductId(key)))),
        _ => Err(Error::bad_input("target", "give the id of a category, a brand or a product")),
    }
}

payload! {
    /// The answer of `searchRuleCreate`.
    SearchRuleCreatePayload {
        /// The new rule.
        search_rule: SearchRule
    }
}
payload! {
    /// The answer of `searchRuleUpdate`.
    SearchRuleUpdatePayload {
        /// The rule as it is now.
        search_rule: SearchRule
    }
}
payload! {
    /// The answer of `searchRuleDelete`.
    SearchRuleDeletePayload {
        /// The id of the rule that is gone.
        deleted_id: ID
    }
}

/// Mutations of rules.
#[derive(Default)]
pub struct SearchRuleMutation;

#[object]
impl SearchRuleMutation {
    /// Tells the search of a website that words mean the same, or where queries lead. Requires MANAGE_CATALOGUE.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageCatalogue])")]
    async fn search_rule_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The rule to be.")] input: SearchRuleCreateInput,
    ) -> Result<SearchRuleCreatePayload> {
        let created = async {
            let website_id = WebsiteId::parse("websiteId", &input.website_id)?;
            let target = input.target.as_ref().map(|id| parse_target(id)).transpose()?;
            let (category_id, brand_id, product_id) = target.unwrap_or_default();
            let SearchRuleCreateInput { words, url, .. } = input;
            let new = NewSearchRule { website_id, words, category_id, brand_id, product_id, url };
            actions::create(ctx.db(), ctx.viewer(), new).await
        };
        SearchRuleCreatePayload::of(created.await.map(search_rule))
    }

    /// Changes a rule. Requires MANAGE_CATALOGUE.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageCatalogue])")]
    async fn search_rule_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The change.")] input: SearchRuleUpdateInput,
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
            };
            actions::update(ctx.db(), ctx.viewer(), id, patch).await
        };
        SearchRuleUpdatePayload::of(updated.await.map(search_rule))
    }

    /// Deletes a rule. Requires MANAGE_CATALOGUE.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageCatalogue])")]
    async fn search_rule_delete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which rule.")] input: SearchRuleDeleteInput,
    ) -> Result<SearchRuleDeletePayload> {
        let deleted = async {
            let id = SearchRuleId::parse("id", &input.id)?;
            actions::delete(ctx.db(), ctx.viewer(), id).await?;
            Ok(input.id.clone())
        };
        SearchRuleDeletePayload::of(deleted.await)
    }
}
