//! Websites in the graph.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, MaybeUndefined};
use chrono::{DateTime, Utc};
use souk_macros::object;

use crate::{
    auth::Permission,
    db::filter::Filter,
    error::Result,
    graphql::{
        engine::{
            connections::{Connection, root_connection},
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
    ids::{RowId, WebsiteId},
    orders::model::OrderParent,
    products::model::ProductParent,
    websites::{
        self, actions,
        language::Language,
        model::{NewWebsite, WebsiteOrderField, WebsitePatch, WebsiteRow},
        store,
    },
};

/// A shop whose products, customers and orders live here.
#[derive(Clone)]
pub struct Website(Arc<WebsiteRow>);

resource! {
    Website(website) by WebsiteId of WebsiteRow,
    |conn, context, ids| websites::store::by_ids(conn, &ids), row => row.id,
}

/// A shop whose products, customers and orders live here.
#[object]
impl Website {
    /// Opaque id, unique across all types.
    pub fn id(&self) -> ID {
        global_id(self.0.id)
    }

    /// Short name, unique.
    fn code(&self) -> &str {
        &self.0.code
    }

    /// Name for people.
    fn name(&self) -> &str {
        &self.0.name
    }

    /// Where the shop is.
    fn base_url(&self) -> &str {
        &self.0.base_url
    }

    /// The currency of its prices and orders; it never changes.
    fn currency(&self) -> CurrencyCode {
        CurrencyCode(self.0.currency())
    }

    /// The language of what it sells: by its stems the search finds `lanterns` where one is called a lantern.
    fn language(&self) -> Language {
        self.0.language
    }

    /// The products it sells.
    async fn products(
        &self,
        ctx: &Context<'_>,
        list_args: ListArgs<ProductWhere, ProductOrder>,
    ) -> Result<Connection<Product>> {
        let list = products::list_from_args(ctx, list_args)?;
        products::of_parent(ctx, ProductParent::Website, self.0.id.key(), list).await
    }

    /// The orders placed there that you may see: your own, for sellers also those that hold their products, for staff all.
    async fn orders(
        &self,
        ctx: &Context<'_>,
        list_args: ListArgs<OrderWhere, OrderOrder>,
    ) -> Result<Connection<Order>> {
        let list = orders::list_from_args(list_args)?;
        orders::of_parent(ctx, OrderParent::Website, self.0.id.key(), list).await
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

order_by! {
    /// The order of a list of websites.
    WebsiteOrder by WebsiteOrderField
}

/// Queries of websites.
#[derive(Default)]
pub struct WebsiteQuery;

#[object]
impl WebsiteQuery {
    /// The shops, by default in the order of their codes.
    async fn websites(
        &self,
        ctx: &Context<'_>,
        list_args: ListArgs<NoArgument, WebsiteOrder>,
    ) -> Result<Connection<Website>> {
        let order = list_args.order.map(OrderBy::into_parts).unwrap_or_default();
        let list = build_list(list_args.page, Filter::default(), order, WebsiteOrderField::list)?;
        let rows = ctx.db().read(async |conn| store::page(conn, &list).await);
        let count = ctx.db().read(store::count);
        root_connection(ctx, &list.page, rows, count, |row| (list.order.key(row), row.id), website).await
    }
}

/// A website to be.
#[derive(Debug, InputObject)]
pub struct WebsiteCreateInput {
    /// Short name, unique: 1 to 50 of a-z, 0-9 and dashes.
    code: String,
    /// Name for people, 1 to 255 characters.
    name: String,
    /// Where the shop is: a URL that starts with https:// or http://.
    base_url: String,
    /// The currency of its prices and orders; it can never be changed.
    currency: CurrencyCode,
    /// The language of what it sells, by whose stems the search finds it.
    #[graphql(default)]
    language: Language,
}

/// A change of a website: an absent field stays.
#[derive(Debug, InputObject)]
pub struct WebsiteUpdateInput {
    /// Which website.
    id: ID,
    /// Short name, unique: 1 to 50 of a-z, 0-9 and dashes.
    code: MaybeUndefined<String>,
    /// Name for people, 1 to 255 characters.
    name: MaybeUndefined<String>,
    /// Where the shop is: a URL that starts with https:// or http://.
    base_url: MaybeUndefined<String>,
    /// The language of what it sells; the search has read its products anew some minutes later, and finds them all the while.
    language: MaybeUndefined<Language>,
}

payload! {
    /// The answer of `websiteCreate`.
    WebsiteCreatePayload {
        /// The new website.
        website: Website
    }
}
payload! {
    /// The answer of `websiteUpdate`.
    WebsiteUpdatePayload {
        /// The website as it is now.
        website: Website
    }
}

/// Mutations of websites.
#[derive(Default)]
pub struct WebsiteMutation;

#[object]
impl WebsiteMutation {
    /// Makes a website. Requires MANAGE_WEBSITES.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageWebsites])")]
    async fn website_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The website to be.")] input: WebsiteCreateInput,
    ) -> Result<WebsiteCreatePayload> {
        let currency = input.currency.0.to_string();
        let WebsiteCreateInput { code, name, base_url, language, .. } = input;
        let new = NewWebsite { code, name, base_url, currency, language };
        WebsiteCreatePayload::of(actions::create(ctx.db(), ctx.viewer(), new).await.map(website))
    }

    /// Changes a website. Requires MANAGE_WEBSITES.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageWebsites])")]
    async fn website_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The change.")] input: WebsiteUpdateInput,
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
}
