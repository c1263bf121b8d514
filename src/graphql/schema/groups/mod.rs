//! Groups of products in the graph.
//! Rule: what a group shows of its products is of those that the viewer sees.

mod mutation;

pub use self::mutation::*;

use std::sync::Arc;

use async_graphql::{Context, ID};
use chrono::{DateTime, Utc};
use souk_macros::object;

use crate::{
    db::filter::Filter,
    error::{Error, Result},
    graphql::{
        engine::{
            connections::{Connection, root_connection},
            filters::{FilterBuilder, IdFilter, StringFilter},
            list_args::{ListArgs, Where, order_by, where_input},
            scalars::{Money, global_id, money},
        },
        schema::{
            context::ContextExt,
            loaders::{Group, by_parent},
            products::{self, Product, ProductOrder, ProductWhere},
            resource::resource,
            websites::{Website, website},
        },
    },
    groups::{
        self,
        model::{ProductGroupCondition, ProductGroupOrderField, ProductGroupRow},
        store::{self, ProductGroupKey},
    },
    ids::{ProductGroupId, RowId},
    money::Currency,
    products::{
        model::{ProductParent, VariantRow},
        store::variants_by_group_ids,
    },
};

/// Products that are the same thing in other sizes or colours.
#[derive(Clone)]
pub struct ProductGroup(Arc<ProductGroupRow>);

impl ProductGroup {
    async fn variants(&self, ctx: &Context<'_>) -> Result<Group<VariantRow>> {
        ctx.loaders().group::<VariantsByGroup, _>(self.0.id).await
    }
}

resource! {
    ProductGroup(product_group) by ProductGroupId of ProductGroupRow,
    |conn, context, ids| groups::store::by_ids(conn, &ids), row => row.id,
}

by_parent! {
    /// The variants of product groups.
    VariantsByGroup by ProductGroupId => VariantRow,
    |conn, context, ids| variants_by_group_ids(conn, &context.product_scope(), &ids), row => row.group_id
}

/// Products of one website that are the same thing in other sizes or colours.
#[object]
impl ProductGroup {
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

    /// The website that sells its products.
    async fn source_website(&self, ctx: &Context<'_>) -> Result<Website> {
        let row = ctx.loaders().row(self.0.source_website_id).await?;
        row.map(website).ok_or_else(|| Error::Internal("a group without its website".into()))
    }

    /// The names of the options that its products differ in, one to five.
    fn varies_by(&self) -> &[String] {
        &self.0.varies_by
    }

    /// The options with the values that its products have.
    async fn options(&self, ctx: &Context<'_>) -> Result<Vec<ProductGroupOption>> {
        let variants = self.variants(ctx).await?;
        Ok(self.0.varies_by.iter().enumerate().map(|(index, name)| group_option(name, index, &variants)).collect())
    }

    /// What the cheapest and the dearest of its products cost; null where there is none.
    async fn price_range(&self, ctx: &Context<'_>) -> Result<Option<PriceRange>> {
        let variants = self.variants(ctx).await?;
        let prices = || variants.iter().map(|variant| variant.price);
        let Some((min, max)) = prices().min().zip(prices().max()) else { return Ok(None) };
        let currency = ctx.currency(self.0.source_website_id).await?;
        Ok(Some(PriceRange { min, max, currency }))
    }

    /// Its products, by default the newest first.
    async fn products(
        &self,
        ctx: &Context<'_>,
        list_args: ListArgs<ProductWhere, ProductOrder>,
    ) -> Result<Connection<Product>> {
        let list = products::list_from_args(ctx, list_args)?;
        products::of_parent(ctx, ProductParent::Group, self.0.id.key(), list).await
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

/// The values of one option, each once, in the order in which they came.
fn group_option(name: &str, index: usize, variants: &[Arc<VariantRow>]) -> ProductGroupOption {
    let mut values: Vec<String> = Vec::new();
    for value in variants.iter().filter_map(|variant| variant.option_values.get(index)) {
        if !values.contains(value) {
            values.push(value.clone());
        }
    }
    ProductGroupOption { name: name.to_owned(), values }
}

/// What the products of a group differ in, say the size.
pub struct ProductGroupOption {
    name: String,
    values: Vec<String>,
}

/// What the products of a group differ in, say the size.
#[object]
impl ProductGroupOption {
    /// Its name.
    fn name(&self) -> &str {
        &self.name
    }

    /// The values that products of the group have, each once, that of the oldest product first.
    fn values(&self) -> &[String] {
        &self.values
    }
}

/// From the lowest to the highest price.
pub struct PriceRange {
    min: rust_decimal::Decimal,
    max: rust_decimal::Decimal,
    currency: Currency,
}

/// From the lowest to the highest price.
#[object]
impl PriceRange {
    /// The lowest price.
    fn min(&self) -> Money {
        money(self.min, self.currency)
    }

    /// The highest price.
    fn max(&self) -> Money {
        money(self.max, self.currency)
    }
}

where_input! {
    /// Which groups. Several fields hold together.
    ProductGroupWhere {
        /// By id.
        id: Option<IdFilter>,
        /// By name.
        name: Option<StringFilter>,
        /// By slug.
        slug: Option<StringFilter>,
        /// By website.
        source_website: Option<IdFilter>,
    }
}

impl Where for ProductGroupWhere {
    type Condition = ProductGroupCondition;

    fn into_filter(self) -> Result<Filter<ProductGroupCondition>> {
        let mut filter = FilterBuilder::with_nested(self.and, self.or, self.not, Self::into_filter)?;
        filter.id("id", self.id, ProductGroupCondition::Id)?;
        filter.text("name", self.name, ProductGroupCondition::Name)?;
        filter.text("slug", self.slug, ProductGroupCondition::Slug)?;
        filter.id("sourceWebsite", self.source_website, ProductGroupCondition::SourceWebsite)?;
        filter.build()
    }
}

order_by! {
    /// The order of a list of groups.
    ProductGroupOrder by ProductGroupOrderField
}

/// Queries of groups.
#[derive(Default)]
pub struct ProductGroupQuery;

#[object]
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
    async fn product_groups(
        &self,
        ctx: &Context<'_>,
        list_args: ListArgs<ProductGroupWhere, ProductGroupOrder>,
    ) -> Result<Connection<ProductGroup>> {
        let list = list_args.into_list(Default::default(), ProductGroupOrderField::list)?;
        let rows = ctx.db().read(async |conn| store::page(conn, &list).await);
        let count = ctx.db().read(async |conn| store::count(conn, &list).await);
        root_connection(ctx, &list.page, rows, count, |row| (list.order.key(row), row.id), product_group).await
    }
}
