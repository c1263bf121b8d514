//! Mutations of product images.

use async_graphql::{Context, ID, InputObject, MaybeUndefined};
use souk_macros::object;

use crate::{
    auth::Permission,
    error::Result,
    graphql::{
        engine::{guards::PermissionGuard, patch, payload::payload, scalars::parse_ids},
        schema::{
            context::ContextExt,
            media::{Image, image, source::ImageSource, upload::Upload},
            products::{Product, product},
        },
    },
    ids::{ImageId, ProductId, RowId},
    media::{
        actions::{self, ImageRequest},
        model::ImagePatch,
    },
};

/// Input for `productImageCreate`. Exactly one of `file`, `uploadId` and `url` must be set.
#[derive(Debug, InputObject)]
pub struct ProductImageCreateInput {
    /// ID of the product. A product can have at most 50 images.
    product_id: ID,
    /// A file of this request: JPEG, PNG, WebP or GIF, at most 50 million pixels.
    file: Option<Upload>,
    /// ID of a file that was uploaded to the URL of `uploadCreate`.
    upload_id: Option<ID>,
    /// Public `http` or `https` URL, at most 2,000 characters, from which the image is downloaded in the background.
    /// Until then the image has no `url` and is visible only to viewers who may change the product.
    url: Option<String>,
    /// Alternative text that describes the image, at most 500 characters. Defaults to an empty text.
    #[graphql(default)]
    alt: String,
    /// Position among the product's images, starting at 1. Defaults to the last position.
    position: Option<i32>,
}

/// Input for `productImageUpdate`. An omitted field keeps its value; null clears an optional one.
#[derive(Debug, InputObject)]
pub struct ProductImageUpdateInput {
    /// ID of the image.
    id: ID,
    /// Alternative text that describes the image, at most 500 characters.
    alt: MaybeUndefined<String>,
    /// Position among the product's images, starting at 1. The other images move to make room. Cannot be null.
    position: MaybeUndefined<i32>,
}

/// Input for `productImagesReorder`.
#[derive(Debug, InputObject)]
pub struct ProductImagesReorderInput {
    /// ID of the product.
    product_id: ID,
    /// IDs of all images of the product in the new order, each exactly once.
    ids: Vec<ID>,
}

/// Input for `productImageDelete`.
#[derive(Debug, InputObject)]
pub struct ProductImageDeleteInput {
    /// ID of the image.
    id: ID,
}

payload! {
    /// Result of `productImageCreate`.
    ProductImageCreatePayload {
        /// The created image.
        image: Image
    }
}
payload! {
    /// Result of `productImageUpdate`.
    ProductImageUpdatePayload {
        /// The updated image.
        image: Image
    }
}
payload! {
    /// Result of `productImagesReorder`.
    ProductImagesReorderPayload {
        /// The product with its reordered images.
        product: Product
    }
}
payload! {
    /// Result of `productImageDelete`.
    ProductImageDeletePayload {
        /// The deleted image.
        image: Image
    }
}

async fn create(ctx: &Context<'_>, input: ProductImageCreateInput) -> Result<Image> {
    let (db, viewer, processor) = (ctx.db(), ctx.viewer(), &ctx.services().image_processor);
    let product = ProductId::parse("productId", &input.product_id)?;
    let request = ImageRequest { product, alt: input.alt, position: input.position };
    let source = ImageSource::read(ctx, input.file, input.upload_id, input.url).await?;
    let created = source.save(ctx, |content| actions::create(db, processor, viewer, request, content));
    Ok(image(created.await?))
}

async fn reorder(ctx: &Context<'_>, input: ProductImagesReorderInput) -> Result<Option<Product>> {
    let id = ProductId::parse("productId", &input.product_id)?;
    actions::reorder(ctx.db(), ctx.viewer(), id, parse_ids("ids", &input.ids)?).await?;
    Ok(ctx.loaders().row(id).await?.map(product))
}

/// Mutations of product images.
#[derive(Default)]
pub struct ImageMutation;

#[object]
impl ImageMutation {
    /// Adds an image to a product. Requires `MANAGE_PRODUCTS`, or `SELL_PRODUCTS` for the viewer's own products.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageProducts, Permission::SellProducts])")]
    async fn product_image_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The image to create.")] input: ProductImageCreateInput,
    ) -> Result<ProductImageCreatePayload> {
        ProductImageCreatePayload::of(create(ctx, input).await)
    }

    /// Updates the alternative text or the position of an image. Requires `MANAGE_PRODUCTS`, or `SELL_PRODUCTS` for the
    /// viewer's own products.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageProducts, Permission::SellProducts])")]
    async fn product_image_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The changes to the image.")] input: ProductImageUpdateInput,
    ) -> Result<ProductImageUpdatePayload> {
        let updated = async {
            let id = ImageId::parse("id", &input.id)?;
            let position = patch::required("position", input.position)?;
            actions::update(ctx.db(), ctx.viewer(), id, ImagePatch { alt: patch::text(input.alt), position }).await
        };
        ProductImageUpdatePayload::of(updated.await.map(image))
    }

    /// Sets the order of all images of a product. Requires `MANAGE_PRODUCTS`, or `SELL_PRODUCTS` for the viewer's own
    /// products.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageProducts, Permission::SellProducts])")]
    async fn product_images_reorder(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The product and the order of its images.")] input: ProductImagesReorderInput,
    ) -> Result<ProductImagesReorderPayload> {
        ProductImagesReorderPayload::of(reorder(ctx, input).await)
    }

    /// Deletes an image. Requires `MANAGE_PRODUCTS`, or `SELL_PRODUCTS` for the viewer's own products.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageProducts, Permission::SellProducts])")]
    async fn product_image_delete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The image to delete.")] input: ProductImageDeleteInput,
    ) -> Result<ProductImageDeletePayload> {
        let deleted = async { actions::delete(ctx.db(), ctx.viewer(), ImageId::parse("id", &input.id)?).await };
        ProductImageDeletePayload::of(deleted.await.map(image))
    }
}
