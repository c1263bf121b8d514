//! What merchants tell the search, and where a query leads by it.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object};
use chrono::{DateTime, Utc};

use crate::auth::Permission;
use crate::db::filter::Filter;
use crate::error::Error;
use crate::error::Result;
use crate::graphql::engine::connections::Connection;
use crate::graphql::engine::connections::connect;
use crate::graphql::engine::connections::cost;
use crate::graphql::engine::connections::list;
use crate::graphql::engine::connections::read;
use crate::graphql::engine::container::OneOf;
use crate::graphql::engine::container::Ordered;
use crate::graphql::engine::container::Plain;
use crate::graphql::engine::filters::Conditions;
use crate::graphql::engine::filters::IdFilter;
use crate::graphql::engine::guards::Needs;
use crate::graphql::engine::patch;
use crate::graphql::engine::payload::payload;
use crate::graphql::engine::scalars::global;
use crate::graphql::schema::brands::brand;
use crate::graphql::schema::categories::category;
use crate::graphql::schema::context::ContextExt;
use crate::graphql::schema::products::product;
use crate::graphql::schema::search::Found;
use crate::graphql::schema::search::SearchResult;
use crate::graphql::schema::websites::Website;
use crate::graphql::schema::websites::website;
use crate::ids;
use crate::ids::BrandId;
use crate::ids::CategoryId;
use crate::ids::ProductId;
use crate::ids::RowId;
use crate::ids::SearchRuleId;
use crate::ids::WebsiteId;
use crate::paging::Cursor;
use crate::paging::Direction;
use crate::search::actions::rules as actions;
use crate::search::model::rules::NewSearchRule;
use crate::search::model::rules::Redirect;
use crate::search::model::rules::RuleTarget;
use crate::search::model::rules::SearchRuleCondition;
use crate::search::model::rules::SearchRuleOrderField;
use crate::search::model::rules::SearchRulePatch;
use crate::search::model::rules::SearchRuleRow;
use crate::search::store::rules as store;

/// See [`SearchRuleObject`].
pub type SearchRule = Ordered<SearchRuleObject>;

/// What a merchant tells the search of a website.
#[derive(Clone)]
pub struct SearchRuleObject(Arc<SearchRuleRow>);

impl Plain for SearchRuleObject {
    const PLAIN: &'static [&'static str] = &["id", "words", "url", "createdAt", "updatedAt"];
}

/// The object of a row.
pub fn search_rule(row: impl Into<Arc<SearchRuleRow>>) -> SearchRule {
    Ordered(SearchRuleObject(row.into()))
}

/// What a merchant tells the search of a website: words that mean the same, such as sneaker and trainer; or, with a target or
/// an address, queries that lead there.
#[Object(name = "SearchRule")]
impl SearchRuleObject {
    /// Opaque id, unique across all types.
    pub async fn id(&self) -> ID {
        global(self.0.id)
    }

    /// The website where it holds.
    async fn website(&self, ctx: &Context<'_>) -> Result<Website> {
        let row = ctx.loaders().websites.load(self.0.website_id).await?;
        row.map(website).ok_or_else(|| Error::Internal("a search rule without its website".into()))
    }

    /// The words that mean the same; the queries, where it leads somewhere.
    async fn words(&self) -> &[String] {
        &self.0.words
    }

    /// Where its queries lead, if to a category, a brand or a product.
    async fn target(&self, ctx: &Context<'_>) -> Result<Option<SearchResult>> {
        match self.0.target() {
            Some(target) => thing(ctx, &target).await,
            None => Ok(None),
        }
    }

    /// Where its queries lead, if to an address.
    async fn url(&self) -> Option<String> {
        self.0.target().and_then(address)
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When it was last changed.
    async fn updated_at(&self) -> DateTime<Utc> {
        self.0.updated_at
    }
}

/// See [`SearchRedirectObject`].
pub type SearchRedirect = Ordered<SearchRedirectObject>;

/// Where a query leads.
#[derive(Clone)]
pub struct SearchRedirectObject {
    target: Option<SearchResult>,
    url: Option<String>,
}

impl Plain for SearchRedirectObject {
    const PLAIN: &'static [&'static str] = &["url"];
}

/// Where a query leads, by a rule of the merchant: to a target or to an address.
#[Object(name = "SearchRedirect")]
impl SearchRedirectObject {
    /// The category, brand or product.
    async fn target(&self) -> Option<SearchResult> {
        self.target.clone()
    }

    /// The address: a URL, or a path that begins with `/`.
    async fn url(&self) -> Option<&str> {
        self.url.as_deref()
    }
}

/// Where a redirect leads; nowhere where that may not be seen.
/// # Errors
/// Those of the loaders.
pub(super) async fn redirect(ctx: &Context<'_>, redirect: Option<Redirect>) -> Result<Option<SearchRedirect>> {
    let Some(Redirect { target, .. }) = redirect else { return Ok(None) };
    let found = thing(ctx, &target).await?;
    let url = address(target);
    let leads = found.is_some() || url.is_some();
    Ok(leads.then_some(Ordered(SearchRedirectObject { target: found, url })))
}

async fn thing(ctx: &Context<'_>, target: &RuleTarget) -> Result<Option<SearchResult>> {
    let all = ctx.loaders();
    let found = match target {
        RuleTarget::Category(id) => all.categories.load(*id).await?.map(|row| Found::Category(category(row))),
        RuleTarget::Brand(id) => all.brands.load(*id).await?.map(|row| Found::Brand(brand(row))),
        RuleTarget::Product(id) => all.products.load(*id).await?.map(|row| Found::Product(product(row))),
        RuleTarget::Url(_) => None,
    };
    Ok(found.map(OneOf))
}

fn address(target: RuleTarget) -> Option<String> {
    match target {
        RuleTarget::Url(url) => Some(url),
        _ => None,
    }
}

/// Which rules. Several fields hold together.
#[derive(Debug, Default, InputObject)]
pub struct SearchRuleWhere {
    /// All of these hold.
    and: Option<Vec<SearchRuleWhere>>,
    /// At least one of these holds.
    or: Option<Vec<SearchRuleWhere>>,
    /// This does not hold.
    not: Option<Box<SearchRuleWhere>>,
    /// By website.
    website: Option<IdFilter>,
}

impl SearchRuleWhere {
    fn filter(self) -> Result<Filter<SearchRuleCondition>> {
        let mut all = Conditions::nested(self.and, self.or, self.not, Self::filter)?;
        all.id("website", self.website, SearchRuleCondition::Website)?;
        all.all()
    }
}

/// The order of a list of rules.
#[derive(Debug, InputObject)]
pub struct SearchRuleOrder {
    /// By what.
    field: SearchRuleOrderField,
    /// Which way.
    #[graphql(default)]
    direction: Direction,
}

/// Queries of rules.
#[derive(Default)]
pub struct SearchRuleQuery;

#[Object]
impl SearchRuleQuery {
    /// What merchants tell the search, by default what was told first: everything, or that of the websites that your role is
    /// limited to. Requires MANAGE_CATALOGUE.
    #[graphql(complexity = "cost(first, last, child_complexity)", guard = "Needs(&[Permission::ManageCatalogue])")]
    async fn search_rules(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Rows from the start of the list, 1 to 100; 20 where neither `first` nor `last` is given.")]
        first: Option<i32>,
        #[graphql(desc = "Only rows behind this cursor.")] after: Option<String>,
        #[graphql(desc = "Rows from the end of the list, 1 to 100; not together with `first`.")] last: Option<i32>,
        #[graphql(desc = "Only rows before this cursor.")] before: Option<String>,
        #[graphql(desc = "Only rows for which this holds.")] r#where: Option<SearchRuleWhere>,
        #[graphql(desc = "In which order.")] order_by: Option<SearchRuleOrder>,
    ) -> Result<Connection<SearchRule>> {
        let order = order_by.map(|by| (by.field, by.direction)).unwrap_or_default();
        let filter = r#where.unwrap_or_default().filter()?;
        let list: store::SearchRuleList = list(first, after, last, before, filter, order, SearchRuleOrderField::list)?;
        let scope = ctx.viewer().scope(Permission::ManageCatalogue);
        let rows = ctx.db().read(async |conn| store::page(conn, &scope, &list).await);
        let count = ctx.db().read(async |conn| store::count(conn, &scope, &list).await);
        let (rows, total) = read(ctx, &list.page, rows, count).await?;
        let cursor = |row: &SearchRuleRow| Cursor::new(list.page.list, list.order.key(), row.id.key());
        Ok(connect(rows, total, cursor, search_rule))
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
type Columns = (Option<CategoryId>, Option<BrandId>, Option<ProductId>);

fn columns(id: &str) -> Result<Columns> {
    match ids::split(id) {
        Some((name, key)) if name == CategoryId::TYPE => Ok((Some(CategoryId(key)), None, None)),
        Some((name, key)) if name == BrandId::TYPE => Ok((None, Some(BrandId(key)), None)),
        Some((name, key)) if name == ProductId::TYPE => Ok((None, None, Some(ProductId(key)))),
        _ => Err(Error::bad_input("target", "give the id of a category, a brand or a product")),
    }
}

payload! {
    /// The answer of `searchRuleCreate`.
    SearchRuleCreatePayload / SearchRuleCreateObject {
        /// The new rule.
        search_rule: SearchRule
    }
}
payload! {
    /// The answer of `searchRuleUpdate`.
    SearchRuleUpdatePayload / SearchRuleUpdateObject {
        /// The rule as it is now.
        search_rule: SearchRule
    }
}
payload! {
    /// The answer of `searchRuleDelete`.
    SearchRuleDeletePayload / SearchRuleDeleteObject {
        /// The id of the rule that is gone.
        deleted_id: ID
    }
}

/// Mutations of rules.
#[derive(Default)]
pub struct SearchRuleMutation;

#[Object]
impl SearchRuleMutation {
    /// Tells the search of a website that words mean the same, or where queries lead. Requires MANAGE_CATALOGUE.
    #[graphql(guard = "Needs(&[Permission::ManageCatalogue])")]
    async fn search_rule_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The rule to be.")] input: SearchRuleCreateInput,
    ) -> Result<SearchRuleCreatePayload> {
        let created = async {
            let website_id = WebsiteId::parse("websiteId", &input.website_id)?;
            let target = input.target.as_ref().map(|id| columns(id)).transpose()?;
            let (category_id, brand_id, product_id) = target.unwrap_or_default();
            let SearchRuleCreateInput { words, url, .. } = input;
            let new = NewSearchRule { website_id, words, category_id, brand_id, product_id, url };
            actions::create(ctx.db(), ctx.viewer(), new).await
        };
        SearchRuleCreateObject::of(created.await.map(search_rule))
    }

    /// Changes a rule. Requires MANAGE_CATALOGUE.
    #[graphql(guard = "Needs(&[Permission::ManageCatalogue])")]
    async fn search_rule_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The change.")] input: SearchRuleUpdateInput,
    ) -> Result<SearchRuleUpdatePayload> {
        let updated = async {
            let id = SearchRuleId::parse("id", &input.id)?;
            let target = match input.target {
                MaybeUndefined::Undefined => None,
                MaybeUndefined::Null => Some(Columns::default()),
                MaybeUndefined::Value(id) => Some(columns(&id)?),
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
        SearchRuleUpdateObject::of(updated.await.map(search_rule))
    }

    /// Deletes a rule. Requires MANAGE_CATALOGUE.
    #[graphql(guard = "Needs(&[Permission::ManageCatalogue])")]
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
        SearchRuleDeleteObject::of(deleted.await)
    }
}
