//! Groups of products in the graph.
//! Rule: what a group shows of its products is of those that the viewer sees.

mod mutation;

pub use self::mutation::*;

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, Value};
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
use crate::graphql::engine::scalars::Money;
use crate::graphql::engine::scalars::global;
use crate::graphql::engine::scalars::money;
use crate::graphql::schema::context::ContextExt;
use crate::graphql::schema::loaders::Group;
use crate::graphql::schema::products as product;
use crate::graphql::schema::products::Product;
use crate::graphql::schema::products::ProductOrder;
use crate::graphql::schema::products::ProductWhere;
use crate::graphql::schema::websites::Website;
use crate::graphql::schema::websites::website;
use crate::{
    db::filter::Filter,
    error::{Error, Result},
    groups::{
        model::{ProductGroupCondition, ProductGroupOrderField, ProductGroupRow},
        store::{self, ProductGroupKey},
    },
    ids::{ProductGroupId, RowId},
    money::Currency,
    paging::{Cursor, Direction},
    products::model::{ProductParent, VariantRow},
};

/// See [`ProductGroupObject`].
pub type ProductGroup = Ordered<ProductGroupObject>;

/// Products that are the same thing in other sizes or colours.
#[derive(Clone)]
pub struct ProductGroupObject(Arc<ProductGroupRow>);

impl Plain for ProductGroupObject {
    const PLAIN: &'static [&'static str] = &["id", "name", "slug", "description", "variesBy", "createdAt", "updatedAt"];

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
pub fn product_group(row: impl Into<Arc<ProductGroupRow>>) -> ProductGroup {
    Ordered(ProductGroupObject(row.into()))
}

impl ProductGroupObject {
    async fn variants(&self, ctx: &Context<'_>) -> Result<Group<VariantRow>> {
        Ok(ctx.loaders().variants_by_group.load(self.0.id).await?.unwrap_or_else(|| Arc::from([])))
    }
}

/// Products of one website that are the same thing in other sizes or colours.
#[Object(name = "ProductGroup")]
impl ProductGroupObject {
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

    /// The website that sells its products.
    async fn source_website(&self, ctx: &Context<'_>) -> Result<Website> {
        let row = ctx.loaders().websites.load(self.0.source_website_id).await?;
        row.map(website).ok_or_else(|| Error::Internal("a group without its website".into()))
    }

    /// The names of the options that its products differ in, one to five.
    async fn varies_by(&self) -> &[String] {
        &self.0.varies_by
    }

    /// The options with the values that its products have.
    async fn options(&self, ctx: &Context<'_>) -> Result<Vec<ProductGroupOption>> {
        let variants = self.variants(ctx).await?;
        Ok(self.0.varies_by.iter().enumerate().map(|(place, name)| choices(name, place, &variants)).collect())
    }

    /// What the cheapest and the dearest of its products cost; null where there is none.
    async fn price_range(&self, ctx: &Context<'_>) -> Result<Option<PriceRange>> {
        let variants = self.variants(ctx).await?;
        let prices = || variants.iter().map(|variant| variant.price);
        let Some((min, max)) = prices().min().zip(prices().max()) else { return Ok(None) };
        let currency = ctx.currency(self.0.source_website_id).await?;
        Ok(Some(Ordered(PriceRangeObject { min, max, currency })))
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
        product::of_parent(ctx, ProductParent::Group, self.0.id.key(), list).await
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

/// The values of one option, each once, in the order in which they came.
fn choices(name: &str, place: usize, variants: &[Arc<VariantRow>]) -> ProductGroupOption {
    let mut values: Vec<String> = Vec::new();
    for value in variants.iter().filter_map(|variant| variant.option_values.get(place)) {
        if !values.contains(value) {
            values.push(value.clone());
        }
    }
    Ordered(ProductGroupOptionObject { name: name.to_owned(), values })
}

/// See [`ProductGroupOptionObject`].
pub type ProductGroupOption = Ordered<ProductGroupOptionObject>;

/// What the products of a group differ in, say the size.
pub struct ProductGroupOptionObject {
    name: String,
    values: Vec<String>,
}

impl Plain for ProductGroupOptionObject {
    const PLAIN: &'static [&'static str] = &["name", "values"];
}

/// What the products of a group differ in, say the size.
#[Object(name = "ProductGroupOption")]
impl ProductGroupOptionObject {
    /// Its name.
    async fn name(&self) -> &str {
        &self.name
    }

    /// The values that products of the group have, each once, that of the oldest product first.
    async fn values(&self) -> &[String] {
        &self.values
    }
}

/// See [`PriceRangeObject`].
pub type PriceRange = Ordered<PriceRangeObject>;

/// From the lowest to the highest price.
pub struct PriceRangeObject {
    min: rust_decimal::Decimal,
    max: rust_decimal::Decimal,
    currency: Currency,
}

impl Plain for PriceRangeObject {
    const PLAIN: &'static [&'static str] = &["min", "max"];
}

/// From the lowest to the highest price.
#[Object(name = "PriceRange")]
impl PriceRangeObject {
    /// The lowest price.
    async fn min(&self) -> Money {
        money(self.min, self.currency)
    }

    /// The highest price.
    async fn max(&self) -> Money {
        money(self.max, self.currency)
    }
}

/// Which groups. Several fields hold together.
#[derive(Debug, Default, InputObject)]
pub struct ProductGroupWhere {
    /// All of these hold.
    and: Option<Vec<ProductGroupWhere>>,
    /// At least one of these holds.
    or: Option<Vec<ProductGroupWhere>>,
    /// This does not hold.
    not: Option<Box<ProductGroupWhere>>,
    /// By id.
    id: Option<IdFilter>,
    /// By name.
    name: Option<StringFilter>,
    /// By slug.
    slug: Option<StringFilter>,
    /// By website.
    source_website: Option<IdFilter>,
}

impl ProductGroupWhere {
    fn filter(self) -> Result<Filter<ProductGroupCondition>> {
        let mut all = Conditions::nested(self.and, self.or, self.not, Self::filter)?;
        all.id("id", self.id, ProductGroupCondition::Id)?;
        all.text("name", self.name, ProductGroupCondition::Name)?;
        all.text("slug", self.slug, ProductGroupCondition::Slug)?;
        all.id("sourceWebsite", self.source_website, ProductGroupCondition::SourceWebsite)?;
        all.all()
    }
}

/// The order of a list of groups.
#[derive(Debug, InputObject)]
pub struct ProductGroupOrder {
    /// By what.
    field: ProductGroupOrderField,
    /// Which way.
    #[graphql(default)]
    direction: Direction,
}

/// Queries of groups.
#[derive(Default)]
pub struct ProductGroupQuery;

#[Object]
impl ProductGroupQuery {
    /// One group, by its id or its slug. Null where there is none.
    async fn product_group(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its id.")] id: Option<ID>,
        #[graphql(desc = "Its slug.")] slug: Option<String>,
    ) -> Result<Option<ProductGroup>> {
        let key = match (id, slug) {
            (Some(id), None) => ProductGroupKey::Id(ProductGroupId::parse("id", &id)?),
            (None, Some(slug)) => ProductGroupKey::Slug(slug),
            _ => return Err(Error::bad_input("id", "name the group by id or by slug")),
        };
        Ok(ctx.db().read(async |conn| store::find(conn, &key).await).await?.map(product_group))
    }

    /// The groups, by default by name.
    #[graphql(complexity = "cost(first, last, child_complexity)")]
    async fn product_groups(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Rows from the start of the list, 1 to 100; 20 where neither `first` nor `last` is given.")]
        first: Option<i32>,
        #[graphql(desc = "Only rows behind this cursor.")] after: Option<String>,
        #[graphql(desc = "Rows from the end of the list, 1 to 100; not together with `first`.")] last: Option<i32>,
        #[graphql(desc = "Only rows before this cursor.")] before: Option<String>,
        #[graphql(desc = "Only rows for which this holds.")] r#where: Option<ProductGroupWhere>,
        #[graphql(desc = "In which order; the id breaks ties.")] order_by: Option<ProductGroupOrder>,
    ) -> Result<Connection<ProductGroup>> {
        let order = order_by.map(|by| (by.field, by.direction)).unwrap_or_default();
        let filter = r#where.unwrap_or_default().filter()?;
        let list = list(first, after, last, before, filter, order, ProductGroupOrderField::list)?;
        let rows = ctx.db().read(async |conn| store::page(conn, &list).await);
        let count = ctx.db().read(async |conn| store::count(conn, &list).await);
        let (rows, total) = read(ctx, &list.page, rows, count).await?;
        let cursor = |row: &ProductGroupRow| Cursor::new(list.page.list, list.order.key(row), row.id.key());
        Ok(connect(rows, total, cursor, product_group))
    }
}
