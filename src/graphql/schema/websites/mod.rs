//! GraphQL types, queries and mutations of websites.

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

/// A shop website with its products, customers and orders.
#[derive(Clone)]
pub struct Website(Arc<WebsiteRow>);

resource! {
    Website(website) by WebsiteId of WebsiteRow,
    |conn, context, ids| websites::store::by_ids(conn, &ids), row => row.id,
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

    /// Language of the products. The search uses its word stems, so that `lanterns` finds a lantern.
    fn language(&self) -> Language {
        self.0.language
    }

    /// Products of the website that the viewer may see, newest first by default.
    async fn products(
        &self,
        ctx: &Context<'_>,
        list_args: ListArgs<ProductWhere, ProductOrder>,
    ) -> Result<Connection<Product>> {
        let list = products::list_from_args(ctx, list_args)?;
        products::of_parent(ctx, ProductParent::Website, self.0.id.key(), list).await
    }

    /// Orders of the website that the viewer may see, newest first by default. Customers see their own orders, sellers
    /// also orders that contain their products, staff all orders.
    async fn orders(
        &self,
        ctx: &Context<'_>,
        list_args: ListArgs<OrderWhere, OrderOrder>,
    ) -> Result<Connection<Order>> {
        let list = orders::list_from_args(list_args)?;
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

order_by! {
    /// Sort order of websites.
    WebsiteOrder by WebsiteOrderField
}

/// Query root for websites.
#[derive(Default)]
pub struct WebsiteQuery;

#[object]
impl WebsiteQuery {
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
    /// Display name, 1 to 255 characters.
    name: MaybeUndefined<String>,
    /// URL of the shop; must start with https:// or http://.
    base_url: MaybeUndefined<String>,
    /// Language of the products. The products are reindexed within a few minutes and stay searchable meanwhile.
    language: MaybeUndefined<Language>,
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
}
