//! Products in the graph.

mod links;
mod mutation;
mod options;
mod query;

pub use self::{
    links::*,
    mutation::*,
    options::ProductOption,
    query::{AvailabilityFilter, ProductOrder, ProductQuery, ProductWhere, count_of_parent, list_from_args, of_parent},
};

use std::sync::Arc;

use self::options::product_option;

use async_graphql::{Context, ID};
use chrono::{DateTime, Utc};
use souk_macros::object;

use crate::{
    auth::Permission,
    brands::model::BrandRow,
    categories::model::CategoryRow,
    db::PlanMode,
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
            loaders::{by_key, by_parent, nested_list},
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
        model::{Availability, ProductParent, ProductRow, PurchaseRow},
        store::ProductList,
    },
    reviews::model::ReviewParent,
    sources::model::SourceType,
    stock::model::{can_manage_stock, can_see_stock},
};

/// What a website sells.
#[derive(Clone)]
pub struct Product {
    row: Arc<ProductRow>,
    /// What came with the row in one join; absent where the loaders are to be asked.
    joined: Option<Joined>,
}

#[derive(Clone)]
struct Joined {
    category: Option<Arc<CategoryRow>>,
    brand: Option<Arc<BrandRow>>,
}

/// The object of a row.
pub fn product(row: impl Into<Arc<ProductRow>>) -> Product {
    Product { row: row.into(), joined: None }
}

impl Product {
    /// Whether the viewer runs it: staff of its website, or its seller.
    fn is_managed_by_viewer(&self, ctx: &Context<'_>) -> bool {
        let viewer = ctx.viewer();
        viewer.can_at(Permission::ManageProducts, self.row.source_website_id)
            || (self.row.seller_id.is_some() && self.row.seller_id == viewer.user_id())
    }

    /// What the shop buys it by, for those who run it.
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
}

by_key! {
    /// Products as whoever bought one sees them, whether they are for sale or not.
    UnscopedProducts by ProductId => ProductRow,
    |conn, _, ids| products::store::by_ids_including_inactive(conn, &ids), row => row.id
}

by_key! {
    /// What products cost the shop, and their names at the supplier.
    PurchaseDetails by ProductId => PurchaseRow,
    |conn, _, ids| products::store::purchases_by_ids(conn, &ids), row => row.id
}

by_parent! {
    /// The offers of other websites of the same products.
    OffersByProduct by ProductId => (ProductId, Arc<ProductRow>),
    |conn, context, ids| products::store::offers_by_product_ids(conn, &context.product_scope(), &ids), row => row.0
}

nested_list! {
    /// The products of categories, brands, suppliers or websites.
    ProductPages of (ProductParent, ProductList) => ProductRow,
    |conn, context, parent, list, ids|
    rows products::store::pages_by_parent_ids(conn, &context.product_scope(), parent, list, ids),
    counts products::store::counts_by_parent_ids(conn, &context.product_scope(), parent, list, ids),
    plans PlanMode::Generic
}

/// What a website sells: it has a SKU, a price and a stock.
#[object]
impl Product {
    /// Opaque id, unique across all types.
    pub fn id(&self) -> ID {
        global_id(self.row.id)
    }

    /// Name for people.
    fn name(&self) -> &str {
        &self.row.name
    }

    /// Name in URLs, unique.
    fn slug(&self) -> &str {
        &self.row.slug
    }

    /// Stock keeping unit, unique at the website.
    fn sku(&self) -> &str {
        &self.row.sku
    }

    /// GTIN or another code on the pack.
    fn barcode(&self) -> Option<&str> {
        self.row.barcode.as_deref()
    }

    /// Size, colour and the like, in words.
    fn variant(&self) -> Option<&str> {
        self.row.variant.as_deref()
    }

    /// Text for people; empty where there is none.
    fn description(&self) -> &str {
        &self.row.description
    }

    /// Price of one, in the website's currency.
    #[graphql(eager)]
    async fn price(&self, ctx: &Context<'_>) -> Result<Money> {
        Ok(money(self.row.price, ctx.currency(self.row.source_website_id).await?))
    }

    /// What it cost before, or costs elsewhere: shown beside the price.
    #[graphql(eager)]
    async fn compare_at_price(&self, ctx: &Context<'_>) -> Result<Option<Money>> {
        let Some(price) = self.row.compare_at_price else { return Ok(None) };
        Ok(Some(money(price, ctx.currency(self.row.source_website_id).await?)))
    }

    /// The lowest price of the 30 days before the present reduction, which a buyer in the European Union has to be shown
    /// with it; null where the price is not reduced: neither below the one before it nor below `compareAtPrice`.
    #[graphql(name = "lowestPrice30Days")]
    async fn lowest_price_30_days(&self, ctx: &Context<'_>) -> Result<Option<Money>> {
        let latest = ctx.loaders().load::<LatestPrices>(self.row.id).await?;
        let Some(price) = latest.and_then(|entry| entry.prior_price) else { return Ok(None) };
        Ok(Some(money(price, ctx.currency(self.row.source_website_id).await?)))
    }

    /// Its prices from the day it was made, the latest first; null for all but those who may set them: MANAGE_PRODUCTS, and
    /// its seller.
    async fn price_history(&self, ctx: &Context<'_>, list_args: ListArgs) -> Result<Option<Connection<PriceChange>>> {
        if !can_set_price(ctx.viewer(), &self.row) {
            return Ok(None);
        }
        let page = Page::new(prices::CURSOR_LIST_NAME, list_args.page)?;
        Ok(Some(prices::history_of_product(ctx, self.row.id, page).await?))
    }

    /// Whether it can be bought: what everybody may know of its stock.
    fn availability(&self) -> Availability {
        self.row.availability
    }

    /// Pieces that can be bought, where they are few (`availability` is LOW_STOCK); null otherwise.
    fn remaining_quantity(&self) -> Option<i32> {
        self.row.low_stock_quantity()
    }

    /// Pieces that are there; null for all but staff and its seller.
    fn stock(&self, ctx: &Context<'_>) -> Option<i32> {
        can_see_stock(ctx.viewer(), &self.row).then_some(self.row.stock)
    }

    /// Pieces that can be bought now: those that are there, less those that are kept for carts; null for all but staff and
    /// its seller.
    fn available_stock(&self, ctx: &Context<'_>) -> Option<i32> {
        can_see_stock(ctx.viewer(), &self.row).then(|| self.row.available().max(0))
    }

    /// From how many pieces down its `availability` is LOW_STOCK; null for all but staff and its seller.
    fn low_stock_threshold(&self, ctx: &Context<'_>) -> Option<i32> {
        can_see_stock(ctx.viewer(), &self.row).then_some(self.row.low_stock_threshold)
    }

    /// The ledger of its stock, the latest first; null for all but those who may write it: MANAGE_STOCK, and its seller.
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

    /// Whether it is for sale; false after `productDelete`.
    fn is_active(&self) -> bool {
        self.row.is_active
    }

    /// The website that sells it.
    async fn source_website(&self, ctx: &Context<'_>) -> Result<Website> {
        let row = ctx.loaders().row(self.row.source_website_id).await?;
        row.map(website).ok_or_else(|| Error::Internal("a product without its website".into()))
    }

    /// Where it comes from: the website that sells it, and for its seller and staff what that website calls it.
    async fn source(&self, ctx: &Context<'_>) -> Result<Source> {
        let lookup =
            SourceLookup { resource_type: SourceType::Product, id: self.row.id, created_at: self.row.created_at };
        lookup.primary(ctx, self.row.source_website_id, self.is_managed_by_viewer(ctx)).await
    }

    /// Its category.
    async fn category(&self, ctx: &Context<'_>) -> Result<Option<Category>> {
        if let Some(joined) = &self.joined {
            return Ok(joined.category.clone().map(category));
        }
        let Some(id) = self.row.category_id else { return Ok(None) };
        Ok(ctx.loaders().row(id).await?.map(category))
    }

    /// The group of the same thing in other sizes or colours.
    async fn group(&self, ctx: &Context<'_>) -> Result<Option<ProductGroup>> {
        let Some(id) = self.row.group_id else { return Ok(None) };
        Ok(ctx.loaders().row(id).await?.map(product_group))
    }

    /// What it has for each option of its group; empty without a group.
    async fn options(&self, ctx: &Context<'_>) -> Result<Vec<ProductOption>> {
        let Some(id) = self.row.group_id else { return Ok(Vec::new()) };
        let group = ctx.loaders().row(id).await?;
        let names = group.iter().flat_map(|group| &group.varies_by);
        Ok(names.zip(&self.row.option_values).map(|(name, value)| product_option(name, value)).collect())
    }

    /// The same thing wherever it is sold, itself included: products with its GTIN, and those that it is linked with. By
    /// website and price, the first 50.
    async fn offers(&self, ctx: &Context<'_>) -> Result<Vec<Product>> {
        let offers = ctx.loaders().group::<OffersByProduct, _>(self.row.id).await?;
        Ok(offers.iter().map(|offer| product(Arc::clone(&offer.1))).collect())
    }

    /// Its brand.
    async fn brand(&self, ctx: &Context<'_>) -> Result<Option<Brand>> {
        if let Some(joined) = &self.joined {
            return Ok(joined.brand.clone().map(brand));
        }
        let Some(id) = self.row.brand_id else { return Ok(None) };
        Ok(ctx.loaders().row(id).await?.map(brand))
    }

    /// Whom it is bought from; null for all but staff and sellers.
    async fn supplier(&self, ctx: &Context<'_>) -> Result<Option<Supplier>> {
        let Some(id) = self.row.supplier_id.filter(|_| ctx.is_staff()) else { return Ok(None) };
        Ok(ctx.loaders().row(id).await?.map(supplier))
    }

    /// The supplier's own number of it; null for all but its seller and staff of products at its website.
    async fn supplier_sku(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        Ok(self.purchase_details(ctx).await?.and_then(|purchase| purchase.supplier_sku.clone()))
    }

    /// What one costs the shop, in the website's currency; null for all but its seller and staff of products at its website.
    async fn cost_price(&self, ctx: &Context<'_>) -> Result<Option<Money>> {
        let Some(cost) = self.purchase_details(ctx).await?.and_then(|purchase| purchase.cost_price) else {
            return Ok(None);
        };
        Ok(Some(money(cost, ctx.currency(self.row.source_website_id).await?)))
    }

    /// The seller it belongs to; null for the shop's own, and where you may not see them.
    async fn seller(&self, ctx: &Context<'_>) -> Result<Option<User>> {
        let Some(id) = self.row.seller_id else { return Ok(None) };
        Ok(ctx.loaders().row(id).await?.map(user))
    }

    /// Its pictures in their order, at most 50; those that are still to be fetched only for who may change it.
    #[graphql(complexity = "5 * child_complexity")]
    async fn images(&self, ctx: &Context<'_>) -> Result<Vec<Image>> {
        let images = ctx.loaders().group::<ImagesByProduct, _>(self.row.id).await?;
        Ok(images.iter().cloned().map(image).collect())
    }

    /// The first of its pictures; null where it has none.
    async fn image(&self, ctx: &Context<'_>) -> Result<Option<Image>> {
        let images = ctx.loaders().group::<ImagesByProduct, _>(self.row.id).await?;
        Ok(images.first().cloned().map(image))
    }

    /// What its reviews come to.
    async fn rating(&self) -> Rating {
        rating(Arc::clone(&self.row))
    }

    /// Its reviews that you may see, by default the latest first: the approved ones, and your own.
    async fn reviews(
        &self,
        ctx: &Context<'_>,
        list_args: ListArgs<ReviewWhere, ReviewOrder>,
    ) -> Result<Connection<Review>> {
        let list = reviews::list_from_args(list_args)?;
        reviews::of_parent(ctx, ReviewParent::Product, self.row.id.key(), list).await
    }

    /// When it was made.
    fn created_at(&self) -> DateTime<Utc> {
        self.row.created_at
    }

    /// When it was last changed, its stock included.
    fn updated_at(&self) -> DateTime<Utc> {
        self.row.updated_at
    }
}
