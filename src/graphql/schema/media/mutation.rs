//! Mutations of product images.

use async_graphql::{Context, ID, InputObject, MaybeUndefined};
use bytes::Bytes;
use souk_macros::object;

use crate::{
    auth::Permission,
    error::{Error, Result},
    graphql::{
        engine::{guards::PermissionGuard, patch, payload::payload, scalars::parse_ids},
        schema::{
            context::ContextExt,
            media::{Image, image, upload::Upload},
            products::{Product, product},
        },
    },
    ids::{ImageId, ProductId, RowId},
    media::{
        actions::{self, ImageRequest},
        model::ImagePatch,
    },
    storage::uploads,
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

/// Source of an image in an input.
pub(super) enum ImageSource {
    /// A file of the request.
    File(Bytes),
    /// An uploaded file and its storage key, which is deleted after use.
    Upload(String, Bytes),
    /// A URL to download from.
    Url(String),
}

impl ImageSource {
    /// Reads the one source that is set.
    pub(super) async fn read(
        ctx: &Context<'_>,
        file: Option<Upload>,
        upload_id: Option<ID>,
        url: Option<String>,
    ) -> Result<Self> {
        match (file, upload_id, url) {
            (Some(file), None, None) => {
                let unreadable = |error| Error::Internal(format!("reading an uploaded file failed: {error}"));
                Ok(Self::File(file.file(ctx, "file")?.bytes().await.map_err(unreadable)?))
            }
            (None, Some(id), None) => {
                let processor = &ctx.services().image_processor;
                let missing = || Error::not_found("uploadId", "upload");
                let key = uploads::key(ctx.viewer().require_user()?.0, &id).ok_or_else(missing)?;
                let file = processor.storage().get_bytes(&key, processor.max_bytes()).await?.ok_or_else(missing)?;
                Ok(Self::Upload(key, file))
            }
            (None, None, Some(url)) => Ok(Self::Url(url)),
            _ => Err(Error::bad_input("file", "set exactly one of file, uploadId and url")),
        }
    }
}

async fn create(ctx: &Context<'_>, input: ProductImageCreateInput) -> Result<Image> {
    let (db, viewer, image_processor) = (ctx.db(), ctx.viewer(), &ctx.services().image_processor);
    let product = ProductId::parse("productId", &input.product_id)?;
    let addition = ImageRequest { product, alt: input.alt, position: input.position };
    let created = match ImageSource::read(ctx, input.file, input.upload_id, input.url).await? {
        ImageSource::File(file) => actions::create(db, image_processor, viewer, addition, file).await?,
        ImageSource::Upload(key, file) => {
            let created = actions::create(db, image_processor, viewer, addition, file).await?;
            image_processor.storage().delete(&key).await?;
            created
        }
        ImageSource::Url(url) => actions::create_by_url(db, image_processor, viewer, addition, url).await?,
    };
    Ok(image(created))
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
