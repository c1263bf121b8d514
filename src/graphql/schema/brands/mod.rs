//! Brands in the graph.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, MaybeUndefined};
use chrono::{DateTime, Utc};
use souk_macros::object;

use crate::{
    auth::Permission,
    brands::{
        self, actions,
        model::{BrandCondition, BrandOrderField, BrandPatch, BrandRow, NewBrand},
        store,
    },
    db::filter::Filter,
    error::Result,
    graphql::{
        engine::{
            connections::{Connection, root_connection},
            filters::{FilterBuilder, IdFilter, StringFilter},
            guards::PermissionGuard,
            list_args::{ListArgs, Where, order_by, where_input},
            patch,
            payload::payload,
            scalars::global_id,
        },
        schema::{
            context::ContextExt,
            products::{self, Product, ProductOrder, ProductWhere},
            resource::resource,
        },
    },
    ids::{BrandId, RowId},
    products::model::ProductParent,
    text::slugify,
};

/// Who a product is made by, as shoppers know it.
#[derive(Clone)]
pub struct Brand(Arc<BrandRow>);

resource! {
    Brand(brand) by BrandId of BrandRow,
    |conn, context, ids| brands::store::by_ids(conn, &ids), row => row.id,
}

/// Who a product is made by, as shoppers know it.
#[object]
impl Brand {
    /// Opaque id, unique across all types.
    pub fn id(&self) -> ID {
        global_id(self.0.id)
    }

    /// Name for people.
    fn name(&self) -> &str {
        &self.0.name
    }

    /// Name in URLs, unique.
    fn slug(&self) -> &str {
        &self.0.slug
    }

    /// Text for people; empty where there is none.
    fn description(&self) -> &str {
        &self.0.description
    }

    /// Its products, by default the newest first.
    async fn products(
        &self,
        ctx: &Context<'_>,
        list_args: ListArgs<ProductWhere, ProductOrder>,
    ) -> Result<Connection<Product>> {
        let list = products::list_from_args(ctx, list_args)?;
        products::of_parent(ctx, ProductParent::Brand, self.0.id.key(), list).await
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

where_input! {
    /// Which brands. Several fields hold together.
    BrandWhere {
        /// By id.
        id: Option<IdFilter>,
        /// By name.
        name: Option<StringFilter>,
        /// By slug.
        slug: Option<StringFilter>,
    }
}

impl Where for BrandWhere {
    type Condition = BrandCondition;

    fn into_filter(self) -> Result<Filter<BrandCondition>> {
        let mut filter = FilterBuilder::with_nested(self.and, self.or, self.not, Self::into_filter)?;
        filter.id("id", self.id, BrandCondition::Id)?;
        filter.text("name", self.name, BrandCondition::Name)?;
        filter.text("slug", self.slug, BrandCondition::Slug)?;
        filter.build()
    }
}

order_by! {
    /// The order of a list of brands.
    BrandOrder by BrandOrderField
}

/// Queries of brands.
#[derive(Default)]
pub struct BrandQuery;

#[object]
impl BrandQuery {
    /// The brands, by default by name.
    async fn brands(
        &self,
        ctx: &Context<'_>,
        list_args: ListArgs<BrandWhere, BrandOrder>,
    ) -> Result<Connection<Brand>> {
        let list = list_args.into_list(Default::default(), BrandOrderField::list)?;
        let rows = ctx.db().read(async |conn| store::page(conn, &list).await);
        let count = ctx.db().read(async |conn| store::count(conn, &list).await);
        root_connection(ctx, &list.page, rows, count, |row| (list.order.key(row), row.id), brand).await
    }
}

/// A brand to be.
#[derive(Debug, InputObject)]
pub struct BrandCreateInput {
    /// Name for people, 1 to 255 characters.
    name: String,
    /// Name in URLs, unique; made from the name where absent.
    slug: Option<String>,
    /// Text for people, at most 20,000 characters.
    #[graphql(default)]
    description: String,
}

/// A change of a brand: an absent field stays, null clears.
#[derive(Debug, InputObject)]
pub struct BrandUpdateInput {
    /// Which brand.
    id: ID,
    /// Name for people, 1 to 255 characters.
    name: MaybeUndefined<String>,
    /// Name in URLs, unique.
    slug: MaybeUndefined<String>,
    /// Text for people, at most 20,000 characters.
    description: MaybeUndefined<String>,
}

/// Which brand to delete.
#[derive(Debug, InputObject)]
pub struct BrandDeleteInput {
    /// Which brand.
    id: ID,
}

payload! {
    /// The answer of `brandCreate`.
    BrandCreatePayload {
        /// The new brand.
        brand: Brand
    }
}
payload! {
    /// The answer of `brandUpdate`.
    BrandUpdatePayload {
        /// The brand as it is now.
        brand: Brand
    }
}
payload! {
    /// The answer of `brandDelete`.
    BrandDeletePayload {
        /// The id of the brand that is gone.
        deleted_id: ID
    }
}

/// Mutations of brands.
#[derive(Default)]
pub struct BrandMutation;

#[object]
impl BrandMutation {
    /// Makes a brand. Requires MANAGE_CATALOGUE.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageCatalogue])")]
    async fn brand_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The brand to be.")] input: BrandCreateInput,
    ) -> Result<BrandCreatePayload> {
        let new = NewBrand {
            slug: input.slug.unwrap_or_else(|| slugify(&input.name)),
            name: input.name,
            description: input.description,
        };
        BrandCreatePayload::of(actions::create(ctx.db(), ctx.viewer(), new).await.map(brand))
    }

    /// Changes a brand. Requires MANAGE_CATALOGUE.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageCatalogue])")]
    async fn brand_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The change.")] input: BrandUpdateInput,
    ) -> Result<BrandUpdatePayload> {
        let updated = async {
            let id = BrandId::parse("id", &input.id)?;
            let patch = BrandPatch {
                name: patch::required("name", input.name)?,
                slug: patch::required("slug", input.slug)?,
                description: patch::text(input.description),
            };
            actions::update(ctx.db(), ctx.viewer(), id, patch).await
        };
        BrandUpdatePayload::of(updated.await.map(brand))
    }

    /// Deletes a brand that no product names. Requires MANAGE_CATALOGUE.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageCatalogue])")]
    async fn brand_delete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which brand.")] input: BrandDeleteInput,
    ) -> Result<BrandDeletePayload> {
        let deleted = async {
            let id = BrandId::parse("id", &input.id)?;
            actions::delete(ctx.db(), ctx.viewer(), id).await?;
            Ok(input.id.clone())
        };
        BrandDeletePayload::of(deleted.await)
    }
}
