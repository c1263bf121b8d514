//! GraphQL types, queries and mutations of brands.

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
    cache::Tag,
    db::filter::Filter,
    error::{Error, Result},
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
            media::{self, Image},
            products::{self, Product, ProductOrder, ProductWhere},
            resource::resource,
        },
    },
    ids::{BrandId, RowId},
    products::model::ProductParent,
    text::trim,
};

/// A brand of products.
#[derive(Clone)]
pub struct Brand(Arc<BrandRow>);

resource! {
    Brand(brand) by BrandId of BrandRow,
    |conn, context, ids| brands::store::by_ids(conn, &ids), row => row.id,
    tag "brand",
    cached Everyone, |row| row.description.len(),
}

/// A brand of products, as shown to customers.
#[object]
impl Brand {
    /// Opaque global ID.
    pub fn id(&self) -> ID {
        global_id(self.0.id)
    }

    /// Display name of the brand.
    fn name(&self) -> &str {
        &self.0.name
    }

    /// Unique name for URLs.
    fn slug(&self) -> &str {
        &self.0.slug
    }

    /// Description of the brand; empty if there is none.
    fn description(&self) -> &str {
        &self.0.description
    }

    /// Logo of the brand. Null if it has none.
    async fn logo(&self, ctx: &Context<'_>) -> Result<Option<Image>> {
        media::image_of(ctx, self.0.id).await
    }

    /// Products of the brand that the viewer may see, by default newest first.
    async fn products(
        &self,
        ctx: &Context<'_>,
        list_args: ListArgs<ProductWhere, ProductOrder>,
    ) -> Result<Connection<Product>> {
        let list = products::list_from_args(ctx, list_args, None).await?;
        products::of_parent(ctx, ProductParent::Brand, self.0.id.key(), list).await
    }

    /// When the brand was created (UTC).
    fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When the brand was last updated (UTC).
    fn updated_at(&self) -> DateTime<Utc> {
        self.0.updated_at
    }
}

where_input! {
    /// Filters for brands; conditions are combined with AND.
    BrandWhere {
        /// Filter by ID.
        id: Option<IdFilter>,
        /// Filter by name.
        name: Option<StringFilter>,
        /// Filter by slug.
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
    /// Sort order of brands.
    BrandOrder by BrandOrderField
}

/// Tag of all brands.
const BRANDS: Tag = Tag::list("list:brands");

/// Queries of brands.
#[derive(Default)]
pub struct BrandQuery;

#[object]
impl BrandQuery {
    /// Returns a brand by its ID or its slug. Exactly one of the two must be given. Null if there is none.
    async fn brand(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "ID of the brand.")] id: Option<ID>,
        #[graphql(desc = "Slug of the brand.")] slug: Option<String>,
    ) -> Result<Option<Brand>> {
        match (id, slug) {
            (Some(id), None) => Ok(ctx.loaders().row(BrandId::parse("id", &id)?).await?.map(brand)),
            (None, Some(slug)) => {
                let read = ctx.db().read(async |conn| store::find_by_slug(conn, trim(&slug)).await);
                Ok(ctx.read_tagged([BRANDS], read).await?.map(brand))
            }
            _ => Err(Error::bad_input("id", "set either id or slug")),
        }
    }

    /// Brands, by default sorted by name.
    async fn brands(
        &self,
        ctx: &Context<'_>,
        list_args: ListArgs<BrandWhere, BrandOrder>,
    ) -> Result<Connection<Brand>> {
        let list = list_args.into_list(Default::default(), BrandOrderField::list)?;
        let rows = ctx.db().read(async |conn| store::page(conn, &list).await);
        let count = ctx.db().read(async |conn| store::count(conn, &list).await);
        let (rows, count) = (ctx.read_tagged([BRANDS], rows), ctx.read_tagged([BRANDS], count));
        root_connection(ctx, &list.page, rows, count, |row| (list.order.key(row), row.id), brand).await
    }
}

/// Input for `brandCreate`.
#[derive(Debug, InputObject)]
pub struct BrandCreateInput {
    /// Display name, 1 to 255 characters.
    name: String,
    /// Unique name for URLs: `a-z`, `0-9` and single dashes, at most 200 characters. Defaults to a slug of the name.
    slug: Option<String>,
    /// Description, at most 20,000 characters. Defaults to an empty text.
    #[graphql(default)]
    description: String,
}

/// Input for `brandUpdate`. An omitted field keeps its value; null clears an optional one.
#[derive(Debug, InputObject)]
pub struct BrandUpdateInput {
    /// ID of the brand.
    id: ID,
    /// Display name, 1 to 255 characters. Cannot be null.
    name: MaybeUndefined<String>,
    /// Unique name for URLs: `a-z`, `0-9` and single dashes, at most 200 characters. Cannot be null.
    slug: MaybeUndefined<String>,
    /// Description, at most 20,000 characters.
    description: MaybeUndefined<String>,
}

/// Input for `brandDelete`.
#[derive(Debug, InputObject)]
pub struct BrandDeleteInput {
    /// ID of the brand.
    id: ID,
}

payload! {
    /// Result of `brandCreate`.
    BrandCreatePayload {
        /// The created brand.
        brand: Brand
    }
}
payload! {
    /// Result of `brandUpdate`.
    BrandUpdatePayload {
        /// The updated brand.
        brand: Brand
    }
}
payload! {
    /// Result of `brandDelete`.
    BrandDeletePayload {
        /// ID of the deleted brand.
        deleted_id: ID
    }
}

/// Mutations of brands.
#[derive(Default)]
pub struct BrandMutation;

#[object]
impl BrandMutation {
    /// Creates a brand. Requires `MANAGE_CATALOGUE`.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageCatalogue])")]
    async fn brand_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The brand to create.")] input: BrandCreateInput,
    ) -> Result<BrandCreatePayload> {
        let new = NewBrand { slug: input.slug.unwrap_or_default(), name: input.name, description: input.description };
        BrandCreatePayload::of(actions::create(ctx.db(), ctx.viewer(), new).await.map(brand))
    }

    /// Updates a brand. Requires `MANAGE_CATALOGUE`.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageCatalogue])")]
    async fn brand_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The changes to the brand.")] input: BrandUpdateInput,
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

    /// Deletes a brand that has no products. Requires `MANAGE_CATALOGUE`.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageCatalogue])")]
    async fn brand_delete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The brand to delete.")] input: BrandDeleteInput,
    ) -> Result<BrandDeletePayload> {
        let deleted = async {
            let id = BrandId::parse("id", &input.id)?;
            actions::delete(ctx.db(), ctx.viewer(), id).await?;
            Ok(input.id.clone())
        };
        BrandDeletePayload::of(deleted.await)
    }
}
