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
            products::{
                Product,
                attributes::{SeoInput, WeightInput},
                product,
            },
        },
    },
    ids::{BrandId, CategoryId, ProductGroupId, ProductId, RowId, SupplierId, WebsiteId},
    products::{
        actions,
        model::{Backorders, InventoryPolicy, NewProduct, ProductPatch},
    },
    stock::actions::create_product,
};

/// Input for `productCreate`.
#[derive(Debug, InputObject)]
pub struct ProductCreateInput {
    /// ID of the website that sells the product. It cannot be changed later.
    source_website_id: ID,
    /// Display name, 1 to 255 characters.
    name: String,
    /// URL slug, unique across all websites. Generated from the name if omitted.
    slug: Option<String>,
    /// Stock keeping unit, unique within the website, 1 to 255 characters.
    sku: String,
    /// GTIN or other barcode, 1 to 100 characters.
    barcode: Option<String>,
    /// Variant in words, such as size and color, 1 to 255 characters.
    variant: Option<String>,
    /// Description, at most 20,000 characters.
    #[graphql(default)]
    description: String,
    /// Price of one unit in the currency of the website: 0 to 999999999999.999, with at most the decimal places of the
    /// currency (JPY 0, EUR 2, KWD 3).
    price: Decimal,
    /// Price to show for comparison, such as a former or recommended price.
    compare_at_price: Option<Decimal>,
    /// ID of the category.
    category_id: Option<ID>,
    /// ID of the brand.
    brand_id: Option<ID>,
    /// ID of the supplier.
    supplier_id: Option<ID>,
    /// Quantity at or below which stock is low, 0 to 1,000,000. Default: 5.
    low_stock_threshold: Option<i32>,
    /// Whether the stock is tracked. Default: `TRACKED`.
    inventory_policy: Option<InventoryPolicy>,
    /// Whether the product can be sold when it is out of stock. Default: `DENY`.
    backorders: Option<Backorders>,
    /// ID of the group of variants that the product belongs to. Requires `MANAGE_PRODUCTS`.
    group_id: Option<ID>,
    /// Value for each option of the group. The combination must be unique within the group.
    options: Option<Vec<ProductOptionInput>>,
    /// SKU of the product at its supplier, 1 to 255 characters.
    supplier_sku: Option<String>,
    /// Purchase cost of one unit, in the website's currency.
    cost_price: Option<Decimal>,
    /// Opening stock, 0 to 1,000,000 units. Default: 0. Requires `MANAGE_STOCK`, or `SELL_PRODUCTS` for the viewer's own
    /// products.
    stock: Option<i32>,
    /// Whether the product is for sale; false creates a draft, which customers do not see. Default: true.
    is_active: Option<bool>,
    /// Tags, such as "organic": at most 250 of 1 to 255 characters each. Of tags that differ only in case, the first is
    /// kept.
    tags: Option<Vec<String>>,
    /// Weight of one unit.
    weight: Option<WeightInput>,
    /// Texts for search engines.
    seo: MaybeUndefined<SeoInput>,
}

/// Input for `productUpdate`. An omitted field keeps its value; null clears an optional one.
#[derive(Debug, InputObject)]
pub struct ProductUpdateInput {
    /// ID of the product.
    id: ID,
    /// Display name, 1 to 255 characters.
    name: MaybeUndefined<String>,
    /// URL slug, unique across all websites.
    slug: MaybeUndefined<String>,
    /// Stock keeping unit, unique within the website, 1 to 255 characters.
    sku: MaybeUndefined<String>,
    /// GTIN or other barcode, 1 to 100 characters.
    barcode: MaybeUndefined<String>,
    /// Variant in words, such as size and color, 1 to 255 characters.
    variant: MaybeUndefined<String>,
    /// Description, at most 20,000 characters.
    description: MaybeUndefined<String>,
    /// Price of one unit in the currency of the website: 0 to 999999999999.999, with at most the decimal places of the
    /// currency (JPY 0, EUR 2, KWD 3).
    price: MaybeUndefined<Decimal>,
    /// Price to show for comparison, such as a former or recommended price.
    compare_at_price: MaybeUndefined<Decimal>,
    /// ID of the category.
    category_id: MaybeUndefined<ID>,
    /// ID of the brand.
    brand_id: MaybeUndefined<ID>,
    /// ID of the supplier.
    supplier_id: MaybeUndefined<ID>,
    /// Quantity at or below which stock is low, 0 to 1,000,000.
    low_stock_threshold: MaybeUndefined<i32>,
    /// Whether the stock is tracked.
    inventory_policy: MaybeUndefined<InventoryPolicy>,
    /// Whether the product can be sold when it is out of stock. `DENY` is rejected while the stock is below zero.
    backorders: MaybeUndefined<Backorders>,
    /// ID of the group of variants that the product belongs to. Must be given together with `options`. Requires
    /// `MANAGE_PRODUCTS`.
    group_id: MaybeUndefined<ID>,
    /// Values for all options of the group. The combination must be unique within the group.
    options: MaybeUndefined<Vec<ProductOptionInput>>,
    /// SKU of the product at its supplier, 1 to 255 characters.
    supplier_sku: MaybeUndefined<String>,
    /// Purchase cost of one unit, in the website's currency.
    cost_price: MaybeUndefined<Decimal>,
    /// Whether the product is for sale; true restores a deleted product.
    is_active: MaybeUndefined<bool>,
    /// Tags, such as "organic", which replace the existing ones: at most 250 of 1 to 255 characters each. Of tags that
    /// differ only in case, the first is kept. Null removes all.
    tags: MaybeUndefined<Vec<String>>,
    /// Weight of one unit.
    weight: MaybeUndefined<WeightInput>,
    /// Texts for search engines. Null clears both.
    seo: MaybeUndefined<SeoInput>,
}

/// Input for `productDelete`.
#[derive(Debug, InputObject)]
pub struct ProductDeleteInput {
    /// ID of the product.
    id: ID,
}

payload! {
    /// Result of `productCreate`.
    ProductCreatePayload {
        /// The new product.
        product: Product
    }
}
payload! {
    /// Result of `productUpdate`.
    ProductUpdatePayload {
        /// The updated product.
        product: Product
    }
}
payload! {
    /// Result of `productDelete`.
    ProductDeletePayload {
        /// The product, which is no longer for sale.
        product: Product
    }
}
impl ProductCreateInput {
    fn into_new_product(self) -> Result<NewProduct> {
        let [seo_title, seo_description] = SeoInput::into_patch(self.seo);
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
            inventory_policy: self.inventory_policy,
            backorders: self.backorders,
            is_active: self.is_active,
            tags: self.tags.unwrap_or_default(),
            weight: self.weight.map(|weight| weight.value.0),
            weight_unit: self.weight.map(|weight| weight.unit),
            seo_title: seo_title.flatten(),
            seo_description: seo_description.flatten(),
        })
    }
}

impl ProductUpdateInput {
    fn into_patch(self) -> Result<(ProductId, ProductPatch)> {
        let [seo_title, seo_description] = SeoInput::into_patch(self.seo);
        let weight: Option<Option<WeightInput>> = self.weight.into();
        let tags: Option<Option<Vec<String>>> = self.tags.into();
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
            inventory_policy: patch::required("inventoryPolicy", self.inventory_policy)?,
            backorders: patch::required("backorders", self.backorders)?,
            is_active: patch::required("isActive", self.is_active)?,
            tags: tags.map(Option::unwrap_or_default),
            weight: weight.map(|weight| weight.map(|weight| weight.value.0)),
            weight_unit: weight.map(|weight| weight.map(|weight| weight.unit)),
            seo_title,
            seo_description,
            ..ProductPatch::default()
        };
        Ok((ProductId::parse("id", &self.id)?, patch))
    }
}

/// Mutation root for products.
#[derive(Default)]
pub struct ProductMutation;

#[object]
impl ProductMutation {
    /// Creates a product. A product created by a seller belongs to that seller. Requires `MANAGE_PRODUCTS` or
    /// `SELL_PRODUCTS`.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageProducts, Permission::SellProducts])")]
    async fn product_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Product to create.")] input: ProductCreateInput,
    ) -> Result<ProductCreatePayload> {
        let created = async {
            let mut input = input;
            let options = input.options.take().map(into_option_values);
            let stock = input.stock;
            create_product(ctx.db(), ctx.viewer(), input.into_new_product()?, options, stock).await
        };
        ProductCreatePayload::of(created.await.map(product))
    }

    /// Updates a product. Requires `MANAGE_PRODUCTS`, or `SELL_PRODUCTS` for the viewer's own products.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageProducts, Permission::SellProducts])")]
    async fn product_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Product and the fields to change.")] input: ProductUpdateInput,
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

    /// Deletes a product: it is no longer for sale, but stays on existing orders. Requires `MANAGE_PRODUCTS`, or
    /// `SELL_PRODUCTS` for the viewer's own products.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageProducts, Permission::SellProducts])")]
    async fn product_delete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Product to delete.")] input: ProductDeleteInput,
    ) -> Result<ProductDeletePayload> {
        let deleted = async {
            let id = ProductId::parse("id", &input.id)?;
            actions::delete(ctx.db(), ctx.viewer(), id).await
        };
        ProductDeletePayload::of(deleted.await.map(product))
    }
}
