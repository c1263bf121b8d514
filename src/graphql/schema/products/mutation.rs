//! Mutations of products.

use std::mem;

use async_graphql::{Context, ID, InputObject, MaybeUndefined};
use souk_macros::object;

use crate::{
    auth::Permission,
    error::Result,
    graphql::{
        engine::{
            guards::PermissionGuard,
            patch,
            payload::payload,
            scalars::{Decimal, optional_id, patch_id},
        },
        schema::{
            context::ContextExt,
            groups::{ProductOptionInput, into_option_values},
            products::{Product, product},
        },
    },
    ids::{BrandId, CategoryId, ProductGroupId, ProductId, RowId, SupplierId, WebsiteId},
    products::{
        actions,
        model::{NewProduct, ProductPatch},
    },
};

/// A product to be. Its stock starts at 0: `stockAdjust` brings the first pieces.
#[derive(Debug, InputObject)]
pub struct ProductCreateInput {
    /// The website that sells it; it can never be changed.
    source_website_id: ID,
    /// Name for people, 1 to 255 characters.
    name: String,
    /// Name in URLs, unique; made from the name where absent.
    slug: Option<String>,
    /// Stock keeping unit, unique at the website, 1 to 100 characters.
    sku: String,
    /// GTIN or another code on the pack, 1 to 100 characters.
    barcode: Option<String>,
    /// Size, colour and the like, in words, 1 to 255 characters.
    variant: Option<String>,
    /// Text for people, at most 20,000 characters.
    #[graphql(default)]
    description: String,
    /// Price of one in the website's currency: 0 to 99999999.99, at most two decimals.
    price: Decimal,
    /// What it cost before, or costs elsewhere, to be shown beside the price.
    compare_at_price: Option<Decimal>,
    /// Its category.
    category_id: Option<ID>,
    /// Its brand.
    brand_id: Option<ID>,
    /// Whom it is bought from.
    supplier_id: Option<ID>,
    /// From how many pieces down its stock is low, 0 to 1,000,000; 5 where absent.
    low_stock_threshold: Option<i32>,
    /// The group of the same thing in other sizes or colours; for MANAGE_PRODUCTS only.
    group_id: Option<ID>,
    /// What it has for each option of the group, and no other product of the group has.
    options: Option<Vec<ProductOptionInput>>,
    /// The supplier's own number of it, 1 to 100 characters.
    supplier_sku: Option<String>,
    /// What one costs the shop, in the website's currency.
    cost_price: Option<Decimal>,
}

/// A change of a product: an absent field stays, null clears.
#[derive(Debug, InputObject)]
pub struct ProductUpdateInput {
    /// Which product.
    id: ID,
    /// Name for people, 1 to 255 characters.
    name: MaybeUndefined<String>,
    /// Name in URLs, unique.
    slug: MaybeUndefined<String>,
    /// Stock keeping unit, unique at the website, 1 to 100 characters.
    sku: MaybeUndefined<String>,
    /// GTIN or another code on the pack, 1 to 100 characters.
    barcode: MaybeUndefined<String>,
    /// Size, colour and the like, in words, 1 to 255 characters.
    variant: MaybeUndefined<String>,
    /// Text for people, at most 20,000 characters.
    description: MaybeUndefined<String>,
    /// Price of one in the website's currency: 0 to 99999999.99, at most two decimals.
    price: MaybeUndefined<Decimal>,
    /// What it cost before, or costs elsewhere, to be shown beside the price.
    compare_at_price: MaybeUndefined<Decimal>,
    /// Its category.
    category_id: MaybeUndefined<ID>,
    /// Its brand.
    brand_id: MaybeUndefined<ID>,
    /// Whom it is bought from.
    supplier_id: MaybeUndefined<ID>,
    /// From how many pieces down its stock is low, 0 to 1,000,000.
    low_stock_threshold: MaybeUndefined<i32>,
    /// The group of the same thing in other sizes or colours, given together with the options; for MANAGE_PRODUCTS only.
    group_id: MaybeUndefined<ID>,
    /// What it has for each option of the group, and no other product of the group has: all of them.
    options: MaybeUndefined<Vec<ProductOptionInput>>,
    /// The supplier's own number of it, 1 to 100 characters.
    supplier_sku: MaybeUndefined<String>,
    /// What one costs the shop, in the website's currency.
    cost_price: MaybeUndefined<Decimal>,
    /// Whether it is for sale; true brings a deleted one back.
    is_active: MaybeUndefined<bool>,
}

/// Which product to take out of the catalogue.
#[derive(Debug, InputObject)]
pub struct ProductDeleteInput {
    /// Which product.
    id: ID,
}

payload! {
    /// The answer of `productCreate`.
    ProductCreatePayload {
        /// The new product.
        product: Product
    }
}
payload! {
    /// The answer of `productUpdate`.
    ProductUpdatePayload {
        /// The product as it is now.
        product: Product
    }
}
payload! {
    /// The answer of `productDelete`.
    ProductDeletePayload {
        /// The product, not for sale any more.
        product: Product
    }
}
impl ProductCreateInput {
    fn into_new_product(self) -> Result<NewProduct> {
        Ok(NewProduct {
            source_website_id: WebsiteId::parse("sourceWebsiteId", &self.source_website_id)?,
            category_id: optional_id::<CategoryId>("categoryId", self.category_id)?,
            brand_id: optional_id::<BrandId>("brandId", self.brand_id)?,
            supplier_id: optional_id::<SupplierId>("supplierId", self.supplier_id)?,
            seller_id: None,
            name: self.name,
            slug: self.slug.unwrap_or_default(),
            sku: self.sku,
            barcode: self.barcode,
            variant: self.variant,
            description: self.description,
            price: self.price.0,
            compare_at_price: self.compare_at_price.map(|price| price.0),
            cost_price: self.cost_price.map(|price| price.0),
            supplier_sku: self.supplier_sku,
            group_id: optional_id::<ProductGroupId>("groupId", self.group_id)?,
            option_values: vec![],
            low_stock_threshold: self.low_stock_threshold,
        })
    }
}

impl ProductUpdateInput {
    fn into_patch(self) -> Result<(ProductId, ProductPatch)> {
        let patch = ProductPatch {
            category_id: patch_id("categoryId", self.category_id)?,
            brand_id: patch_id("brandId", self.brand_id)?,
            supplier_id: patch_id("supplierId", self.supplier_id)?,
            group_id: patch_id("groupId", self.group_id)?,
            supplier_sku: self.supplier_sku.into(),
            cost_price: self.cost_price.map_value(|price| price.0).into(),
            name: patch::required("name", self.name)?,
            slug: patch::required("slug", self.slug)?,
            sku: patch::required("sku", self.sku)?,
            barcode: self.barcode.into(),
            variant: self.variant.into(),
            description: patch::text(self.description),
            price: patch::required("price", self.price)?.map(|price| price.0),
            compare_at_price: Option::<Option<Decimal>>::from(self.compare_at_price)
                .map(|price| price.map(|price| price.0)),
            low_stock_threshold: patch::required("lowStockThreshold", self.low_stock_threshold)?,
            is_active: patch::required("isActive", self.is_active)?,
            ..ProductPatch::default()
        };
        Ok((ProductId::parse("id", &self.id)?, patch))
    }
}

/// Mutations of products.
#[derive(Default)]
pub struct ProductMutation;

#[object]
impl ProductMutation {
    /// Makes a product. Requires MANAGE_PRODUCTS or SELL_PRODUCTS; a seller's product belongs to them.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageProducts, Permission::SellProducts])")]
    async fn product_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The product to be.")] input: ProductCreateInput,
    ) -> Result<ProductCreatePayload> {
        let created = async {
            let mut input = input;
            let options = input.options.take().map(into_option_values);
            actions::create(ctx.db(), ctx.viewer(), input.into_new_product()?, options).await
        };
        ProductCreatePayload::of(created.await.map(product))
    }

    /// Changes a product. Requires MANAGE_PRODUCTS, or SELL_PRODUCTS for one's own.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageProducts, Permission::SellProducts])")]
    async fn product_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The change.")] input: ProductUpdateInput,
    ) -> Result<ProductUpdatePayload> {
        let updated = async {
            let mut input = input;
            let options = match mem::take(&mut input.options) {
                MaybeUndefined::Undefined => None,
                MaybeUndefined::Null => Some(Vec::new()),
                MaybeUndefined::Value(given) => Some(into_option_values(given)),
            };
            let (id, patch) = input.into_patch()?;
            actions::update(ctx.db(), ctx.viewer(), id, patch, options).await
        };
        ProductUpdatePayload::of(updated.await.map(product))
    }

    /// Takes a product out of the catalogue; orders keep it. Requires MANAGE_PRODUCTS, or SELL_PRODUCTS for one's own.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageProducts, Permission::SellProducts])")]
    async fn product_delete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which product.")] input: ProductDeleteInput,
    ) -> Result<ProductDeletePayload> {
        let deleted = async {
            let id = ProductId::parse("id", &input.id)?;
            actions::delete(ctx.db(), ctx.viewer(), id).await
        };
        ProductDeletePayload::of(deleted.await.map(product))
    }
}
