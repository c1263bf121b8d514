//! GraphQL types and queries of product groups.
//! Rule: options and prices of a group are computed from the products that the viewer may see.

mod mutation;

pub use self::mutation::*;

use std::sync::Arc;

use async_graphql::{Context, ID};
use chrono::{DateTime, Utc};
use souk_macros::object;

use crate::{
    cache::Tag,
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
            websites::{Website, WebsiteFilter, website},
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
    text::trim,
};

/// A group of products that are variants of each other.
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
    tag "productGroup",
    cached Everyone, |row| row.description.len(),
}

by_parent! {
    /// Variants of product groups.
    VariantsByGroup by ProductGroupId => VariantRow,
    |conn, context, ids| variants_by_group_ids(conn, &context.product_scope(), &ids), row => row.group_id,
    tags |id, _| vec![Tag::of("list:products:group", id.key())]
}

/// A group of products of one website that are variants of each other, for example in size or color.
#[object]
impl ProductGroup {
    /// Opaque global ID.
    pub fn id(&self) -> ID {
        global_id(self.0.id)
    }

    /// Display name of the product group.
    fn name(&self) -> &str {
        &self.0.name
    }

    /// Unique name for URLs.
    fn slug(&self) -> &str {
        &self.0.slug
    }

    /// Description of the product group; empty if there is none.
    fn description(&self) -> &str {
        &self.0.description
    }

    /// Website that sells the products of the group.
    async fn source_website(&self, ctx: &Context<'_>) -> Result<Website> {
        let row = ctx.loaders().row(self.0.source_website_id).await?;
        row.map(website).ok_or_else(|| Error::Internal("product group references a missing website".into()))
    }

    /// Names of the options in which the products differ, 1 to 5.
    fn varies_by(&self) -> &[String] {
        &self.0.varies_by
    }

    /// Options with the values that the products have.
    async fn options(&self, ctx: &Context<'_>) -> Result<Vec<ProductGroupOption>> {
        let variants = self.variants(ctx).await?;
        Ok(self.0.varies_by.iter().enumerate().map(|(index, name)| group_option(name, index, &variants)).collect())
    }

    /// Lowest and highest price of the group's products that the viewer may see; null if there are none.
    async fn price_range(&self, ctx: &Context<'_>) -> Result<Option<PriceRange>> {
        let variants = self.variants(ctx).await?;
        let prices = || variants.iter().map(|variant| variant.price);
        let Some((min, max)) = prices().min().zip(prices().max()) else { return Ok(None) };
        let currency = ctx.currency(self.0.source_website_id).await?;
        Ok(Some(PriceRange { min, max, currency }))
    }

    /// Products of the group that the viewer may see, by default newest first.
    async fn products(
        &self,
        ctx: &Context<'_>,
        list_args: ListArgs<ProductWhere, ProductOrder>,
    ) -> Result<Connection<Product>> {
        let list = products::list_from_args(ctx, list_args, Some(self.0.source_website_id)).await?;
        products::of_parent(ctx, ProductParent::Group, self.0.id.key(), list).await
    }

    /// When the product group was created (UTC).
    fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When the product group was last updated (UTC).
    fn updated_at(&self) -> DateTime<Utc> {
        self.0.updated_at
    }
}

/// Collects the distinct values of one option in the order of their first occurrence.
fn group_option(name: &str, index: usize, variants: &[Arc<VariantRow>]) -> ProductGroupOption {
    let mut values: Vec<String> = Vec::new();
    for value in variants.iter().filter_map(|variant| variant.option_values.get(index)) {
        if !values.contains(value) {
            values.push(value.clone());
        }
    }
    ProductGroupOption { name: name.to_owned(), values }
}

/// An option in which the products of a group differ.
pub struct ProductGroupOption {
    name: String,
    values: Vec<String>,
}

/// An option in which the products of a group differ, such as size.
#[object]
impl ProductGroupOption {
    /// Name of the option.
    fn name(&self) -> &str {
        &self.name
    }

    /// Distinct values of the group's products, starting with that of the oldest product.
    fn values(&self) -> &[String] {
        &self.values
    }
}

/// A range of prices.
pub struct PriceRange {
    min: rust_decimal::Decimal,
    max: rust_decimal::Decimal,
    currency: Currency,
}

/// A range of prices, from the lowest to the highest.
#[object]
impl PriceRange {
    /// Lowest price.
    fn min(&self) -> Money {
        money(self.min, self.currency)
    }

    /// Highest price.
    fn max(&self) -> Money {
        money(self.max, self.currency)
    }
}

where_input! {
    /// Filters for product groups; conditions are combined with AND.
    ProductGroupWhere {
        /// Filter by ID.
        id: Option<IdFilter>,
        /// Filter by name.
        name: Option<StringFilter>,
        /// Filter by slug.
        slug: Option<StringFilter>,
        /// Filter by website.
        source_website: Option<WebsiteFilter>,
    }
}

impl Where for ProductGroupWhere {
    type Condition = ProductGroupCondition;

    fn into_filter(self) -> Result<Filter<ProductGroupCondition>> {
        let mut filter = FilterBuilder::with_nested(self.and, self.or, self.not, Self::into_filter)?;
        filter.id("id", self.id, ProductGroupCondition::Id)?;
        filter.text("name", self.name, ProductGroupCondition::Name)?;
        filter.text("slug", self.slug, ProductGroupCondition::Slug)?;
        WebsiteFilter::add(self.source_website, &mut filter, "sourceWebsite", ProductGroupCondition::SourceWebsite)?;
        filter.build()
    }
}

order_by! {
    /// Sort order of product groups.
    ProductGroupOrder by ProductGroupOrderField
}

/// Tag of all product groups.
const PRODUCT_GROUPS: Tag = Tag::list("list:productGroups");

/// Queries of product groups.
#[derive(Default)]
pub struct ProductGroupQuery;

#[object]
impl ProductGroupQuery {
    /// Returns a product group by its ID or its slug. Exactly one of the two must be given. Null if there is none.
    async fn product_group(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "ID of the product group.")] id: Option<ID>,
        #[graphql(desc = "Slug of the product group.")] slug: Option<String>,
    ) -> Result<Option<ProductGroup>> {
        let key = match (id, slug) {
            (Some(id), None) => ProductGroupKey::Id(ProductGroupId::parse("id", &id)?),
            (None, Some(slug)) => ProductGroupKey::Slug(trim(&slug).to_owned()),
            _ => return Err(Error::bad_input("id", "set either id or slug")),
        };
        let read = ctx.db().read(async |conn| store::find(conn, &key).await);
        Ok(ctx.read_tagged([PRODUCT_GROUPS], read).await?.map(product_group))
    }

    /// Product groups, by default sorted by name.
    async fn product_groups(
        &self,
        ctx: &Context<'_>,
        list_args: ListArgs<ProductGroupWhere, ProductGroupOrder>,
    ) -> Result<Connection<ProductGroup>> {
        let list = list_args.into_list(Default::default(), ProductGroupOrderField::list)?;
        let rows = ctx.db().read(async |conn| store::page(conn, &list).await);
        let count = ctx.db().read(async |conn| store::count(conn, &list).await);
        let (rows, count) = (ctx.read_tagged([PRODUCT_GROUPS], rows), ctx.read_tagged([PRODUCT_GROUPS], count));
        root_connection(ctx, &list.page, rows, count, |row| (list.order.key(row), row.id), product_group).await
    }
}
