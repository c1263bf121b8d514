//! GraphQL types, queries and mutations of websites.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, MaybeUndefined};
use chrono::{DateTime, Utc};
use souk_macros::object;

use crate::{
    auth::Permission,
    cache::Tag,
    db::filter::{Filter, Op},
    error::{Error, Result},
    graphql::{
        engine::{
            connections::{Connection, root_connection},
            filters::{FilterBuilder, IdFilter, parse_id_set},
            guards::PermissionGuard,
            list_args::{ListArgs, NoArgument, OrderBy, build_list, order_by},
            patch,
            payload::payload,
            scalars::{CurrencyCode, global_id},
        },
        schema::{
            context::ContextExt,
            orders::{self, Order, OrderOrder, OrderWhere},
            products::{self, Product, ProductOrder, ProductWhere},
            resource::resource,
        },
    },
    ids::{CodeOrId, RowId, WebsiteId},
    orders::model::OrderParent,
    products::model::ProductParent,
    text::trim,
    websites::{
        self, actions,
        language::Language,
        model::{NewWebsite, WebsiteOp, WebsiteOrderField, WebsitePatch, WebsiteRow},
        name_order::NameOrder,
        store,
    },
};

/// A shop website with its products, customers and orders.
#[derive(Clone)]
pub struct Website(Arc<WebsiteRow>);

resource! {
    Website(website) by WebsiteId of WebsiteRow,
    |conn, context, ids| websites::store::by_ids(conn, &ids), row => row.id,
    tag "website",
    cached Everyone, |row| row.base_url.len(),
}

/// A shop website with its products, customers and orders.
#[object]
impl Website {
    /// Opaque global ID.
    pub fn id(&self) -> ID {
        global_id(self.0.id)
    }

    /// Unique code of the website, such as `main`.
    fn code(&self) -> &str {
        &self.0.code
    }

    /// Display name of the website.
    fn name(&self) -> &str {
        &self.0.name
    }

    /// URL of the shop.
    fn base_url(&self) -> &str {
        &self.0.base_url
    }

    /// Currency of all prices and orders of the website; it cannot be changed.
    fn currency(&self) -> CurrencyCode {
        CurrencyCode(self.0.currency())
    }

    /// Language of the products. The search uses its word stems, so that `lanterns` finds a lantern, and names are ordered
    /// as in the language.
    fn language(&self) -> Language {
        self.0.language
    }

    /// Products of the website that the viewer may see, newest first by default.
    async fn products(
        &self,
        ctx: &Context<'_>,
        list_args: ListArgs<ProductWhere, ProductOrder>,
    ) -> Result<Connection<Product>> {
        let list = products::list_from_args(ctx, list_args, Some(self.0.id)).await?;
        products::of_parent(ctx, ProductParent::Website, self.0.id.key(), list).await
    }

    /// Orders of the website that the viewer may see, newest first by default. Customers see their own orders, sellers
    /// also orders that contain their products, staff all orders.
    async fn orders(
        &self,
        ctx: &Context<'_>,
        list_args: ListArgs<OrderWhere, OrderOrder>,
    ) -> Result<Connection<Order>> {
        let list = orders::list_from_args(ctx, list_args, Some(self.0.id)).await?;
        orders::of_parent(ctx, OrderParent::Website, self.0.id.key(), list).await
    }

    /// When the website was created (UTC).
    fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When the website was last updated (UTC).
    fn updated_at(&self) -> DateTime<Utc> {
        self.0.updated_at
    }
}

/// Filter by website; conditions are combined with AND.
#[derive(Debug, Default, InputObject)]
pub struct WebsiteFilter {
    /// Matches the website with this ID.
    eq: Option<ID>,
    /// Matches any of the websites with these IDs (at most 100).
    r#in: Option<Vec<ID>>,
    /// Matches the website with this code, such as `main`.
    code: Option<String>,
    /// Matches items with (false) or without (true) a website.
    is_null: Option<bool>,
}

impl WebsiteFilter {
    /// Adds the conditions of the filter to those of a list.
    /// # Errors
    /// A user error for an ID of another type, or too many IDs.
    pub fn add<C>(
        filter: Option<Self>,
        list: &mut FilterBuilder<C>,
        field: &str,
        condition: impl Fn(WebsiteOp) -> C,
    ) -> Result<()> {
        let Some(Self { eq, r#in, code, is_null }) = filter else { return Ok(()) };
        let ids = IdFilter { eq, r#in, is_null };
        list.id(field, Some(ids), |op: Op<WebsiteId>| condition(WebsiteOp::Id(op)))?;
        list.condition(code.map(|code| condition(WebsiteOp::Code(trim(&code).to_owned()))));
        Ok(())
    }

    /// Returns the IDs that the filter names, if it limits the websites by valid IDs.
    pub fn named_ids(&self) -> Option<Vec<WebsiteId>> {
        let named = self.r#in.as_deref().or(self.eq.as_ref().map(std::slice::from_ref))?;
        named.iter().map(|id| WebsiteId::parse("id", id).ok()).collect()
    }

    /// Returns the ID or code of the website, if the filter matches only one.
    pub fn only(&self) -> Option<CodeOrId<WebsiteId>> {
        let one = self.eq.as_ref().or(match self.r#in.as_deref() {
            Some([one]) => Some(one),
            _ => None,
        });
        let id = one.and_then(|id| WebsiteId::parse("id", id).ok()).map(CodeOrId::Id);
        id.or_else(|| self.code.as_deref().map(|code| CodeOrId::Code(trim(code).to_owned())))
    }

    /// Returns a function that tells whether the filter may match a website; one whose code is not known may. An invalid
    /// ID matches none.
    pub fn matcher(&self) -> impl Fn(WebsiteId, Option<&str>) -> bool + use<> {
        let parse = |id: &ID| WebsiteId::parse("id", id).ok();
        let eq = self.eq.as_ref().map(parse);
        let any: Option<Vec<_>> = self.r#in.as_ref().map(|ids| ids.iter().map(parse).collect());
        let named_code = self.code.as_deref().map(|code| trim(code).to_owned());
        let is_null = self.is_null == Some(true);
        move |id, code| {
            !is_null
                && eq.is_none_or(|eq| eq == Some(id))
                && any.as_ref().is_none_or(|any| any.contains(&Some(id)))
                && named_code.as_deref().zip(code).is_none_or(|(named, code)| named == code)
        }
    }

    /// Returns the IDs of the matching websites, or none if the filter is empty.
    /// # Errors
    /// Those of [`parse_id_set`] and of the database.
    pub async fn ids(filter: Option<Self>, ctx: &Context<'_>, field: &str) -> Result<Option<Vec<WebsiteId>>> {
        let Some(Self { eq, r#in, code, is_null }) = filter else { return Ok(None) };
        let ids: Option<Vec<WebsiteId>> = parse_id_set(field, Some(IdFilter { eq, r#in, is_null }))?;
        let Some(code) = code else { return Ok(ids) };
        let found = find_by_code(ctx, &code).await?;
        let is_wanted = |id: &WebsiteId| ids.as_ref().is_none_or(|ids| ids.contains(id));
        Ok(Some(found.map(|row| row.id).filter(is_wanted).into_iter().collect()))
    }
}

/// Tag of all websites.
const WEBSITES: Tag = Tag::list("list:websites");

async fn find_by_code(ctx: &Context<'_>, code: &str) -> Result<Option<WebsiteRow>> {
    let read = ctx.db().read(async |conn| store::find_by_code(conn, trim(code)).await);
    ctx.read_tagged([WEBSITES], read).await
}

/// Returns the order of names in a list of one website; the common order for a list of several.
/// # Errors
/// Database errors.
pub async fn name_order(ctx: &Context<'_>, website: Option<CodeOrId<WebsiteId>>) -> Result<NameOrder> {
    let language = match website {
        None => None,
        Some(CodeOrId::Id(id)) => ctx.loaders().row(id).await?.map(|row| row.language),
        Some(CodeOrId::Code(code)) => find_by_code(ctx, &code).await?.map(|row| row.language),
    };
    Ok(language.map(NameOrder::of).unwrap_or_default())
}

/// Returns the ID of the website that an argument names by its code or ID, if it is given. An ID is not looked up.
/// # Errors
/// NOT_FOUND of the field for a code that no website has.
pub async fn named_website(ctx: &Context<'_>, field: &'static str, name: Option<String>) -> Result<Option<WebsiteId>> {
    match name.as_deref().map(CodeOrId::new) {
        None => Ok(None),
        Some(CodeOrId::Id(id)) => Ok(Some(id)),
        Some(CodeOrId::Code(code)) => {
            let found = find_by_code(ctx, &code).await?;
            found.map(|row| Some(row.id)).ok_or_else(|| Error::not_found(field, "website"))
        }
    }
}

order_by! {
    /// Sort order of websites.
    WebsiteOrder by WebsiteOrderField
}

/// Query root for websites.
#[derive(Default)]
pub struct WebsiteQuery;

#[object]
impl WebsiteQuery {
    /// Returns a website by its ID or its code. Exactly one of the two must be given. Null if there is none.
    async fn website(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "ID of the website.")] id: Option<ID>,
        #[graphql(desc = "Code of the website, such as `main`.")] code: Option<String>,
    ) -> Result<Option<Website>> {
        match (id, code) {
            (Some(id), None) => Ok(ctx.loaders().row(WebsiteId::parse("id", &id)?).await?.map(website)),
            (None, Some(code)) => Ok(find_by_code(ctx, &code).await?.map(website)),
            _ => Err(Error::bad_input("id", "set either id or code")),
        }
    }

    /// Lists the websites, sorted by code by default.
    async fn websites(
        &self,
        ctx: &Context<'_>,
        list_args: ListArgs<NoArgument, WebsiteOrder>,
    ) -> Result<Connection<Website>> {
        let order = list_args.order.map(OrderBy::into_parts).unwrap_or_default();
        let list = build_list(list_args.page, Filter::default(), order, WebsiteOrderField::list)?;
        let rows = ctx.db().read(async |conn| store::page(conn, &list).await);
        let count = ctx.db().read(store::count);
        let (rows, count) = (ctx.read_tagged([WEBSITES], rows), ctx.read_tagged([WEBSITES], count));
        root_connection(ctx, &list.page, rows, count, |row| (list.order.key(row), row.id), website).await
    }
}

/// Input for `websiteCreate`.
#[derive(Debug, InputObject)]
pub struct WebsiteCreateInput {
    /// Unique code, 1 to 50 characters: a-z, 0-9 and dashes.
    code: String,
    /// Display name, 1 to 255 characters.
    name: String,
    /// URL of the shop; must start with https:// or http://.
    base_url: String,
    /// Currency of all prices and orders. It cannot be changed later.
    currency: CurrencyCode,
    /// Language of the products, whose word stems the search uses.
    #[graphql(default)]
    language: Language,
}

/// Input for `websiteUpdate`. An omitted field keeps its value.
#[derive(Debug, InputObject)]
pub struct WebsiteUpdateInput {
    /// ID of the website.
    id: ID,
    /// Unique code, 1 to 50 characters: a-z, 0-9 and dashes.
    code: MaybeUndefined<String>,
    /// Display name, 1 to 255 characters. A role that is limited to certain websites cannot set one that contains a URL.
    name: MaybeUndefined<String>,
    /// URL of the shop; must start with https:// or http://. Links in emails to customers start with it, so a role that is
    /// limited to certain websites can change only its path.
    base_url: MaybeUndefined<String>,
    /// Language of the products. The products are reindexed within a few minutes and stay searchable meanwhile.
    language: MaybeUndefined<Language>,
}

/// Input for `websiteDelete`.
#[derive(Debug, InputObject)]
pub struct WebsiteDeleteInput {
    /// ID of the website.
    id: ID,
}

payload! {
    /// Result of `websiteCreate`.
    WebsiteCreatePayload {
        /// The new website.
        website: Website
    }
}
payload! {
    /// Result of `websiteUpdate`.
    WebsiteUpdatePayload {
        /// The updated website.
        website: Website
    }
}

payload! {
    /// Result of `websiteDelete`.
    WebsiteDeletePayload {
        /// ID of the deleted website.
        deleted_id: ID
    }
}

/// Mutation root for websites.
#[derive(Default)]
pub struct WebsiteMutation;

#[object]
impl WebsiteMutation {
    /// Creates a website. Requires `MANAGE_WEBSITES`.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageWebsites])")]
    async fn website_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Website to create.")] input: WebsiteCreateInput,
    ) -> Result<WebsiteCreatePayload> {
        let currency = input.currency.0.to_string();
        let WebsiteCreateInput { code, name, base_url, language, .. } = input;
        let new = NewWebsite { code, name, base_url, currency, language };
        WebsiteCreatePayload::of(actions::create(ctx.db(), ctx.viewer(), new).await.map(website))
    }

    /// Updates a website. Requires `MANAGE_WEBSITES`.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageWebsites])")]
    async fn website_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Website and the fields to change.")] input: WebsiteUpdateInput,
    ) -> Result<WebsiteUpdatePayload> {
        let updated = async {
            let id = WebsiteId::parse("id", &input.id)?;
            let patch = WebsitePatch {
                code: patch::required("code", input.code)?,
                name: patch::required("name", input.name)?,
                base_url: patch::required("baseUrl", input.base_url)?,
                language: patch::required("language", input.language)?,
            };
            actions::update(ctx.db(), ctx.viewer(), id, patch).await
        };
        WebsiteUpdatePayload::of(updated.await.map(website))
    }
    /// Deletes a website to which no product, order, user or other resource belongs; its search rules are deleted with
    /// it. Requires `MANAGE_WEBSITES`.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageWebsites])")]
    async fn website_delete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Website to delete.")] input: WebsiteDeleteInput,
    ) -> Result<WebsiteDeletePayload> {
        let deleted = async {
            let id = WebsiteId::parse("id", &input.id)?;
            actions::delete(ctx.db(), ctx.viewer(), id).await?;
            Ok(input.id.clone())
        };
        WebsiteDeletePayload::of(deleted.await)
    }
}
