//! GraphQL type of products.

mod attributes;
mod links;
mod loaders;
mod mutation;
mod options;
mod query;
mod subscription;
mod tags;

pub use self::{
    attributes::TagFilter,
    links::*,
    loaders::*,
    mutation::*,
    options::ProductOption,
    query::{AvailabilityFilter, ProductOrder, ProductQuery, ProductWhere, count_of_parent, list_from_args, of_parent},
    subscription::ProductSubscription,
    tags::tags_of_parents,
};

use std::sync::Arc;

use self::{
    attributes::{Seo, Weight, seo, weight},
    options::product_option,
};

use async_graphql::{Context, ID};
use chrono::{DateTime, Utc};
use souk_macros::object;

use crate::{
    auth::Permission,
    error::{Error, Result},
    graphql::{
        engine::{
            connections::Connection,
            list_args::ListArgs,
            scalars::{Money, global_id, money},
        },
        schema::{
            brands::{Brand, brand},
            categories::{Category, category},
            context::ContextExt,
            groups::{ProductGroup, product_group},
            media::{Image, ImagesByProduct, image},
            prices::{self, LatestPrices, PriceChange},
            resource::resource,
            reviews::{self, Rating, Review, ReviewOrder, ReviewWhere, rating},
            sources::{Source, SourceLookup},
            stock::{self, StockMovement},
            suppliers::{Supplier, supplier},
            users::{User, user},
            websites::{Website, website},
        },
    },
    ids::{ProductId, RowId},
    paging::Page,
    prices::model::can_set_price,
    products::{
        self,
        model::{Availability, Backorders, InventoryPolicy, ProductRow, PurchaseRow},
        store::lookup::ProductWithParents,
    },
    reviews::model::ReviewParent,
    sources::model::SourceType,
    stock::model::{can_manage_stock, can_see_stock},
};

/// A product offered for sale on one website.
#[derive(Clone)]
pub struct Product {
    row: Arc<ProductRow>,
    /// Related objects that were loaded in a join with the row; if absent, the loaders are used.
    joined: Option<Arc<ProductWithParents>>,
}

/// Returns the object of a row.
pub fn product(row: impl Into<Arc<ProductRow>>) -> Product {
    Product { row: row.into(), joined: None }
}

/// Returns the object of a product with its category and brand.
fn product_with_parents(found: Arc<ProductWithParents>) -> Product {
    Product { row: Arc::clone(&found.product), joined: Some(found) }
}

impl Product {
    /// Returns whether the viewer manages the product: staff of its website, or its seller.
    fn is_managed_by_viewer(&self, ctx: &Context<'_>) -> bool {
        let viewer = ctx.viewer();
        viewer.can_at(Permission::ManageProducts, self.row.source_website_id)
            || (self.row.seller_id.is_some() && self.row.seller_id == viewer.seller_id())
    }

    /// Returns the purchase details of the product, if the viewer manages it.
    async fn purchase_details(&self, ctx: &Context<'_>) -> Result<Option<Arc<PurchaseRow>>> {
        match self.is_managed_by_viewer(ctx) {
            true => ctx.loaders().load::<PurchaseDetails>(self.row.id).await,
            false => Ok(None),
        }
    }
}

resource! {
    Product by ProductId of ProductRow,
    |conn, context, ids| products::store::by_ids(conn, &context.product_scope(), &ids), row => row.id,
    |_, row| Some(product(row)),
    tag "product",
    cached Public, |row| row.description.len(),
}

/// A product offered for sale on one website, with SKU, price and stock.
#[object]
impl Product {
    /// Opaque global ID.
    pub fn id(&self) -> ID {
        global_id(self.row.id)
    }

    /// Display name of the product.
    fn name(&self) -> &str {
        &self.row.name
    }

    /// URL slug, unique across all websites.
    fn slug(&self) -> &str {
        &self.row.slug
    }

    /// Stock keeping unit, unique within the website.
    fn sku(&self) -> &str {
        &self.row.sku
    }

    /// GTIN or other barcode; null if the product has none.
    fn barcode(&self) -> Option<&str> {
        self.row.barcode.as_deref()
    }

    /// Variant in words, such as size and color; null if there is none.
    fn variant(&self) -> Option<&str> {
        self.row.variant.as_deref()
    }

    /// Description of the product; empty if there is none.
    fn description(&self) -> &str {
        &self.row.description
    }

    /// Tags of the product, such as "organic" or "gift", in the order given; at most 250. Tags that differ only in case
    /// are the same tag.
    fn tags(&self) -> &[String] {
        &self.row.tags
    }

    /// Weight of one unit; null if it is not known.
    async fn weight(&self) -> Option<Weight> {
        weight(&self.row)
    }

    /// Texts for search engines.
    async fn seo(&self) -> Seo {
        seo(&self.row)
    }

    /// Price of one unit, in the website's currency.
    #[graphql(eager)]
    async fn price(&self, ctx: &Context<'_>) -> Result<Money> {
        Ok(money(self.row.price, ctx.currency(self.row.source_website_id).await?))
    }

    /// Price to show for comparison, such as a former or recommended price; null if there is none.
    #[graphql(eager)]
    async fn compare_at_price(&self, ctx: &Context<'_>) -> Result<Option<Money>> {
        let Some(price) = self.row.compare_at_price else { return Ok(None) };
        Ok(Some(money(price, ctx.currency(self.row.source_website_id).await?)))
    }

    /// Lowest price of the 30 days before the current price reduction, which must be shown to customers in the European
    /// Union. Null unless the price is reduced, that is, below the previous price or below `compareAtPrice`.
    #[graphql(name = "lowestPrice30Days")]
    async fn lowest_price_30_days(&self, ctx: &Context<'_>) -> Result<Option<Money>> {
        let latest = ctx.loaders().load::<LatestPrices>(self.row.id).await?;
        let Some(price) = latest.and_then(|entry| entry.prior_price) else { return Ok(None) };
        Ok(Some(money(price, ctx.currency(self.row.source_website_id).await?)))
    }

    /// Price changes of the product, newest first. Visible to staff with `MANAGE_PRODUCTS` and the product's seller;
    /// null otherwise.
    async fn price_history(&self, ctx: &Context<'_>, list_args: ListArgs) -> Result<Option<Connection<PriceChange>>> {
        if !can_set_price(ctx.viewer(), &self.row) {
            return Ok(None);
        }
        let page = Page::new(prices::CURSOR_LIST_NAME, list_args.page)?;
        Ok(Some(prices::history_of_product(ctx, self.row.id, page).await?))
    }

    /// Availability of the product; visible to everyone.
    fn availability(&self) -> Availability {
        self.row.availability
    }

    /// Available quantity (stock without reserved units) when stock is low (`availability` is `LOW_STOCK`); null
    /// otherwise. Visible to everyone.
    fn remaining_quantity(&self) -> Option<i32> {
        self.row.low_stock_quantity()
    }

    /// Whether the stock is tracked. If not, the product can always be bought, and sales leave the stock unchanged.
    fn inventory_policy(&self) -> InventoryPolicy {
        self.row.inventory_policy
    }

    /// Whether the product can be bought when it is out of stock.
    fn backorders(&self) -> Backorders {
        self.row.backorders
    }

    /// Number of units in stock, including units reserved for carts; negative if units were sold on backorder. Visible
    /// to staff and the product's seller; null otherwise.
    fn stock(&self, ctx: &Context<'_>) -> Option<i32> {
        can_see_stock(ctx.viewer(), &self.row).then_some(self.row.stock)
    }

    /// Number of units that can be sold now from stock: stock less the units reserved for carts. Visible to staff and
    /// the product's seller; null otherwise, and if the stock is not tracked.
    fn available_stock(&self, ctx: &Context<'_>) -> Option<i32> {
        let is_visible = self.row.is_tracked() && can_see_stock(ctx.viewer(), &self.row);
        is_visible.then(|| self.row.available().max(0))
    }

    /// Available quantity at or below which `availability` is `LOW_STOCK`. Visible to staff and the product's seller; null
    /// otherwise.
    fn low_stock_threshold(&self, ctx: &Context<'_>) -> Option<i32> {
        can_see_stock(ctx.viewer(), &self.row).then_some(self.row.low_stock_threshold)
    }

    /// Stock ledger entries of the product, newest first. Visible to staff with `MANAGE_STOCK` and the product's
    /// seller; null otherwise.
    async fn stock_movements(
        &self,
        ctx: &Context<'_>,
        list_args: ListArgs,
    ) -> Result<Option<Connection<StockMovement>>> {
        if !can_manage_stock(ctx.viewer(), &self.row) {
            return Ok(None);
        }
        let page = Page::new(stock::CURSOR_LIST_NAME, list_args.page)?;
        Ok(Some(stock::movements_of_product(ctx, self.row.id, page).await?))
    }

    /// Whether the product is for sale; false after `productDelete`.
    fn is_active(&self) -> bool {
        self.row.is_active
    }

    /// Website that sells the product.
    async fn source_website(&self, ctx: &Context<'_>) -> Result<Website> {
        let row = ctx.loaders().row(self.row.source_website_id).await?;
        row.map(website).ok_or_else(|| Error::Internal("product refers to a missing website".into()))
    }

    /// Source of the product: the website that sells it and, visible to its seller and staff only, its external ID
    /// there.
    async fn source(&self, ctx: &Context<'_>) -> Result<Source> {
        let lookup =
            SourceLookup { resource_type: SourceType::Product, id: self.row.id, created_at: self.row.created_at };
        lookup.primary(ctx, self.row.source_website_id, self.is_managed_by_viewer(ctx)).await
    }

    /// Category of the product; null if it has none.
    #[graphql(eager)]
    async fn category(&self, ctx: &Context<'_>) -> Result<Option<Category>> {
        if let Some(joined) = &self.joined {
            return Ok(joined.category.clone().map(category));
        }
        let Some(id) = self.row.category_id else { return Ok(None) };
        Ok(ctx.loaders().row(id).await?.map(category))
    }

    /// Group of variants that the product belongs to, such as the same shirt in other sizes or colors; null if it has
    /// none.
    async fn group(&self, ctx: &Context<'_>) -> Result<Option<ProductGroup>> {
        let Some(id) = self.row.group_id else { return Ok(None) };
        Ok(ctx.loaders().row(id).await?.map(product_group))
    }

    /// Values of the product for the options of its group; empty if it has no group.
    async fn options(&self, ctx: &Context<'_>) -> Result<Vec<ProductOption>> {
        let Some(id) = self.row.group_id else { return Ok(Vec::new()) };
        let group = ctx.loaders().row(id).await?;
        let names = group.iter().flat_map(|group| &group.varies_by);
        Ok(names.zip(&self.row.option_values).map(|(name, value)| product_option(name, value)).collect())
    }

    /// Offers of the same product across all websites, including this one: products with the same GTIN and linked
    /// products. Sorted by website and price, at most 50.
    #[graphql(complexity = "10 * child_complexity")]
    async fn offers(&self, ctx: &Context<'_>) -> Result<Vec<Product>> {
        let offers = ctx.loaders().group::<OffersByProduct, _>(self.row.id).await?;
        Ok(offers.iter().map(|offer| product(Arc::clone(&offer.1))).collect())
    }

    /// Brand of the product; null if it has none.
    #[graphql(eager)]
    async fn brand(&self, ctx: &Context<'_>) -> Result<Option<Brand>> {
        if let Some(joined) = &self.joined {
            return Ok(joined.brand.clone().map(brand));
        }
        let Some(id) = self.row.brand_id else { return Ok(None) };
        Ok(ctx.loaders().row(id).await?.map(brand))
    }

    /// Supplier that the product is purchased from. Visible to staff and sellers; null otherwise.
    async fn supplier(&self, ctx: &Context<'_>) -> Result<Option<Supplier>> {
        let Some(id) = self.row.supplier_id.filter(|_| ctx.is_staff()) else { return Ok(None) };
        Ok(ctx.loaders().row(id).await?.map(supplier))
    }

    /// SKU of the product at its supplier. Visible to the product's seller and staff with `MANAGE_PRODUCTS` at its
    /// website; null otherwise.
    async fn supplier_sku(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        Ok(self.purchase_details(ctx).await?.and_then(|purchase| purchase.supplier_sku.clone()))
    }

    /// Purchase cost of one unit, in the website's currency. Visible to the product's seller and staff with
    /// `MANAGE_PRODUCTS` at its website; null otherwise.
    async fn cost_price(&self, ctx: &Context<'_>) -> Result<Option<Money>> {
        let Some(cost) = self.purchase_details(ctx).await?.and_then(|purchase| purchase.cost_price) else {
            return Ok(None);
        };
        Ok(Some(money(cost, ctx.currency(self.row.source_website_id).await?)))
    }

    /// Seller who owns the product. Null if the shop itself sells it, or if the viewer may not see the seller.
    async fn seller(&self, ctx: &Context<'_>) -> Result<Option<User>> {
        let Some(id) = self.row.seller_id else { return Ok(None) };
        Ok(ctx.loaders().row(id).await?.map(user))
    }

    /// Images of the product in display order, at most 50. Images that are not processed yet are visible only to those
    /// who may edit the product.
    #[graphql(complexity = "5 * child_complexity")]
    async fn images(&self, ctx: &Context<'_>) -> Result<Vec<Image>> {
        let images = ctx.loaders().group::<ImagesByProduct, _>(self.row.id).await?;
        Ok(images.iter().cloned().map(image).collect())
    }

    /// First image of the product; null if it has none.
    async fn image(&self, ctx: &Context<'_>) -> Result<Option<Image>> {
        let images = ctx.loaders().group::<ImagesByProduct, _>(self.row.id).await?;
        Ok(images.first().cloned().map(image))
    }

    /// Aggregate rating over approved reviews.
    async fn rating(&self) -> Rating {
        rating(Arc::clone(&self.row))
    }

    /// Reviews of the product that the viewer may see, newest first by default: approved reviews and the viewer's own.
    async fn reviews(
        &self,
        ctx: &Context<'_>,
        list_args: ListArgs<ReviewWhere, ReviewOrder>,
    ) -> Result<Connection<Review>> {
        let list = reviews::list_from_args(list_args)?;
        reviews::of_parent(ctx, ReviewParent::Product, self.row.id.key(), list).await
    }

    /// When the product was created (UTC).
    fn created_at(&self) -> DateTime<Utc> {
        self.row.created_at
    }

    /// When the product was last updated (UTC), including changes of its stock.
    fn updated_at(&self, ctx: &Context<'_>) -> DateTime<Utc> {
        // It changes with each sale, which otherwise changes nothing that the public sees.
        ctx.depend_on_unknown();
        self.row.updated_at
    }
}
