//! Brands in the graph.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, Value};
use chrono::{DateTime, Utc};

use crate::graphql::engine::connections::Connection;
use crate::graphql::engine::connections::connect;
use crate::graphql::engine::connections::cost;
use crate::graphql::engine::connections::list;
use crate::graphql::engine::connections::read;
use crate::graphql::engine::container::Ordered;
use crate::graphql::engine::container::Plain;
use crate::graphql::engine::filters::Conditions;
use crate::graphql::engine::filters::IdFilter;
use crate::graphql::engine::filters::StringFilter;
use crate::graphql::engine::guards::Needs;
use crate::graphql::engine::patch;
use crate::graphql::engine::payload::payload;
use crate::graphql::engine::scalars::global;
use crate::graphql::schema::context::ContextExt;
use crate::graphql::schema::products as product;
use crate::graphql::schema::products::Product;
use crate::graphql::schema::products::ProductOrder;
use crate::graphql::schema::products::ProductWhere;
use crate::{
    auth::Permission,
    brands::{
        actions,
        model::{BrandCondition, BrandOrderField, BrandPatch, BrandRow, NewBrand},
        store,
    },
    db::filter::Filter,
    error::Result,
    ids::{BrandId, RowId},
    paging::{Cursor, Direction},
    products::model::ProductParent,
    text::slugify,
};

/// See [`BrandObject`].
pub type Brand = Ordered<BrandObject>;

/// Who a product is made by, as shoppers know it.
#[derive(Clone)]
pub struct BrandObject(Arc<BrandRow>);

impl Plain for BrandObject {
    const PLAIN: &'static [&'static str] = &["id", "name", "slug", "description", "createdAt", "updatedAt"];

    fn leaf(&self, field: &str) -> Option<Value> {
        Some(match field {
            "id" => Value::String(global(self.0.id).0),
            "name" => Value::String(self.0.name.clone()),
            "slug" => Value::String(self.0.slug.clone()),
            _ => return None,
        })
    }
}

/// The object of a row.
pub fn brand(row: impl Into<Arc<BrandRow>>) -> Brand {
    Ordered(BrandObject(row.into()))
}

/// Who a product is made by, as shoppers know it.
#[Object(name = "Brand")]
impl BrandObject {
    /// Opaque id, unique across all types.
    pub async fn id(&self) -> ID {
        global(self.0.id)
    }

    /// Name for people.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// Name in URLs, unique.
    async fn slug(&self) -> &str {
        &self.0.slug
    }

    /// Text for people; empty where there is none.
    async fn description(&self) -> &str {
        &self.0.description
    }

    /// Its products, by default the newest first.
    #[graphql(complexity = "cost(first, last, child_complexity)")]
    async fn products(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Rows from the start of the list, 1 to 100; 20 where neither `first` nor `last` is given.")]
        first: Option<i32>,
        #[graphql(desc = "Only rows behind this cursor.")] after: Option<String>,
        #[graphql(desc = "Rows from the end of the list, 1 to 100; not together with `first`.")] last: Option<i32>,
        #[graphql(desc = "Only rows before this cursor.")] before: Option<String>,
        #[graphql(desc = "Only rows for which this holds.")] r#where: Option<ProductWhere>,
        #[graphql(desc = "In which order; the id breaks ties.")] order_by: Option<ProductOrder>,
    ) -> Result<Connection<Product>> {
        let list = product::list_of(ctx, first, after, last, before, r#where, order_by)?;
        product::of_parent(ctx, ProductParent::Brand, self.0.id.key(), list).await
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

/// Which brands. Several fields hold together.
#[derive(Debug, Default, InputObject)]
pub struct BrandWhere {
    /// All of these hold.
    and: Option<Vec<BrandWhere>>,
    /// At least one of these holds.
    or: Option<Vec<BrandWhere>>,
    /// This does not hold.
    not: Option<Box<BrandWhere>>,
    /// By id.
    id: Option<IdFilter>,
    /// By name.
    name: Option<StringFilter>,
    /// By slug.
    slug: Option<StringFilter>,
}

impl BrandWhere {
    fn filter(self) -> Result<Filter<BrandCondition>> {
        let mut all = Conditions::nested(self.and, self.or, self.not, Self::filter)?;
        all.id("id", self.id, BrandCondition::Id)?;
        all.text("name", self.name, BrandCondition::Name)?;
        all.text("slug", self.slug, BrandCondition::Slug)?;
        all.all()
    }
}

/// The order of a list of brands.
#[derive(Debug, InputObject)]
pub struct BrandOrder {
    /// By what.
    field: BrandOrderField,
    /// Which way.
    #[graphql(default)]
    direction: Direction,
}

/// Queries of brands.
#[derive(Default)]
pub struct BrandQuery;

#[Object]
impl BrandQuery {
    /// The brands, by default by name.
    #[graphql(complexity = "cost(first, last, child_complexity)")]
    async fn brands(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Rows from the start of the list, 1 to 100; 20 where neither `first` nor `last` is given.")]
        first: Option<i32>,
        #[graphql(desc = "Only rows behind this cursor.")] after: Option<String>,
        #[graphql(desc = "Rows from the end of the list, 1 to 100; not together with `first`.")] last: Option<i32>,
        #[graphql(desc = "Only rows before this cursor.")] before: Option<String>,
        #[graphql(desc = "Only rows for which this holds.")] r#where: Option<BrandWhere>,
        #[graphql(desc = "In which order; the id breaks ties.")] order_by: Option<BrandOrder>,
    ) -> Result<Connection<Brand>> {
        let order = order_by.map(|by| (by.field, by.direction)).unwrap_or_default();
        let list =
            list(first, after, last, before, r#where.unwrap_or_default().filter()?, order, BrandOrderField::list)?;
        let rows = ctx.db().read(async |conn| store::page(conn, &list).await);
        let count = ctx.db().read(async |conn| store::count(conn, &list).await);
        let (rows, total) = read(ctx, &list.page, rows, count).await?;
        let cursor = |row: &BrandRow| Cursor::new(list.page.list, list.order.key(row), row.id.key());
        Ok(connect(rows, total, cursor, brand))
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
    BrandCreatePayload / BrandCreateObject {
        /// The new brand.
        brand: Brand
    }
}
payload! {
    /// The answer of `brandUpdate`.
    BrandUpdatePayload / BrandUpdateObject {
        /// The brand as it is now.
        brand: Brand
    }
}
payload! {
    /// The answer of `brandDelete`.
    BrandDeletePayload / BrandDeleteObject {
        /// The id of the brand that is gone.
        deleted_id: ID
    }
}

/// Mutations of brands.
#[derive(Default)]
pub struct BrandMutation;

#[Object]
impl BrandMutation {
    /// Makes a brand. Requires MANAGE_CATALOGUE.
    #[graphql(guard = "Needs(&[Permission::ManageCatalogue])")]
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
        BrandCreateObject::of(actions::create(ctx.db(), ctx.viewer(), new).await.map(brand))
    }

    /// Changes a brand. Requires MANAGE_CATALOGUE.
    #[graphql(guard = "Needs(&[Permission::ManageCatalogue])")]
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
        BrandUpdateObject::of(updated.await.map(brand))
    }

    /// Deletes a brand that no product names. Requires MANAGE_CATALOGUE.
    #[graphql(guard = "Needs(&[Permission::ManageCatalogue])")]
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
        BrandDeleteObject::of(deleted.await)
    }
}
