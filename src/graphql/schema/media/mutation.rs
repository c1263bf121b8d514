//! Mutations of pictures of products.

use async_graphql::{Context, ID, InputObject, MaybeUndefined};
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

/// A picture to be: exactly one of `file`, `uploadId` and `url` says where it comes from.
#[derive(Debug, InputObject)]
pub struct ProductImageCreateInput {
    /// Of which product. It has at most 50.
    product_id: ID,
    /// A file of this request: JPEG, PNG, WebP or GIF, at most 50 million pixels.
    file: Option<Upload>,
    /// A file that you sent ahead, by the id of `uploadCreate`.
    upload_id: Option<ID>,
    /// A public address, http or https, from which it is fetched soon; until then it has no `url` and only who may change the
    /// product sees it.
    url: Option<String>,
    /// What it shows, in words, at most 500 characters.
    #[graphql(default)]
    alt: String,
    /// Its place among the product's pictures, from 1; behind the others where absent.
    position: Option<i32>,
}

/// A change of a picture: an absent field stays.
#[derive(Debug, InputObject)]
pub struct ProductImageUpdateInput {
    /// Which picture.
    id: ID,
    /// What it shows, in words, at most 500 characters; null clears.
    alt: MaybeUndefined<String>,
    /// Its place, from 1; the others make room.
    position: MaybeUndefined<i32>,
}

/// A new order of all pictures of a product.
#[derive(Debug, InputObject)]
pub struct ProductImagesReorderInput {
    /// Which product.
    product_id: ID,
    /// All of its pictures, each once, the first one first.
    ids: Vec<ID>,
}

/// Which picture to delete.
#[derive(Debug, InputObject)]
pub struct ProductImageDeleteInput {
    /// Which picture.
    id: ID,
}

payload! {
    /// The answer of `productImageCreate`.
    ProductImageCreatePayload {
        /// The new picture.
        image: Image
    }
}
payload! {
    /// The answer of `productImageUpdate`.
    ProductImageUpdatePayload {
        /// The picture as it is now.
        image: Image
    }
}
payload! {
    /// The answer of `productImagesReorder`.
    ProductImagesReorderPayload {
        /// The product.
        product: Product
    }
}
payload! {
    /// The answer of `productImageDelete`.
    ProductImageDeletePayload {
        /// The picture that was.
        image: Image
    }
}

async fn create(ctx: &Context<'_>, input: ProductImageCreateInput) -> Result<Image> {
    let (db, viewer, image_processor) = (ctx.db(), ctx.viewer(), &ctx.services().image_processor);
    let product = ProductId::parse("productId", &input.product_id)?;
    let addition = ImageRequest { product, alt: input.alt, position: input.position };
    let created = match (input.file, input.upload_id, input.url) {
        (Some(file), None, None) => {
            let file = file.file(ctx, "file")?;
            let unreadable = |error| Error::Internal(format!("a file of the request: {error}"));
            actions::create(db, image_processor, viewer, addition, file.bytes().await.map_err(unreadable)?).await?
        }
        (None, Some(id), None) => {
            let missing = || Error::not_found("uploadId", "upload");
            let key = uploads::key(viewer.require_user()?.0, &id).ok_or_else(missing)?;
            let file =
                image_processor.storage().get_bytes(&key, image_processor.max_bytes()).await?.ok_or_else(missing)?;
            let created = actions::create(db, image_processor, viewer, addition, file).await?;
            image_processor.storage().delete(&key).await?;
            created
        }
        (None, None, Some(url)) => actions::create_by_url(db, image_processor, viewer, addition, url).await?,
        _ => return Err(Error::bad_input("file", "give exactly one of `file`, `uploadId` and `url`")),
    };
    Ok(image(created))
}

async fn reorder(ctx: &Context<'_>, input: ProductImagesReorderInput) -> Result<Option<Product>> {
    let id = ProductId::parse("productId", &input.product_id)?;
    actions::reorder(ctx.db(), ctx.viewer(), id, parse_ids("ids", &input.ids)?).await?;
    Ok(ctx.loaders().row(id).await?.map(product))
}

/// Mutations of pictures of products.
#[derive(Default)]
pub struct ImageMutation;

#[object]
impl ImageMutation {
    /// Adds a picture to a product. Requires MANAGE_PRODUCTS, or SELL_PRODUCTS for one's own.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageProducts, Permission::SellProducts])")]
    async fn product_image_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The picture to be.")] input: ProductImageCreateInput,
    ) -> Result<ProductImageCreatePayload> {
        ProductImageCreatePayload::of(create(ctx, input).await)
    }

    /// Changes what a picture is said to show, and its place. Requires MANAGE_PRODUCTS, or SELL_PRODUCTS for one's own.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageProducts, Permission::SellProducts])")]
    async fn product_image_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The change.")] input: ProductImageUpdateInput,
    ) -> Result<ProductImageUpdatePayload> {
        let updated = async {
            let id = ImageId::parse("id", &input.id)?;
            let position = patch::required("position", input.position)?;
            actions::update(ctx.db(), ctx.viewer(), id, ImagePatch { alt: patch::text(input.alt), position }).await
        };
        ProductImageUpdatePayload::of(updated.await.map(image))
    }

    /// Puts all pictures of a product in an order. Requires MANAGE_PRODUCTS, or SELL_PRODUCTS for one's own.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageProducts, Permission::SellProducts])")]
    async fn product_images_reorder(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The order.")] input: ProductImagesReorderInput,
    ) -> Result<ProductImagesReorderPayload> {
        ProductImagesReorderPayload::of(reorder(ctx, input).await)
    }

    /// Deletes a picture. Requires MANAGE_PRODUCTS, or SELL_PRODUCTS for one's own.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageProducts, Permission::SellProducts])")]
    async fn product_image_delete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which picture.")] input: ProductImageDeleteInput,
    ) -> Result<ProductImageDeletePayload> {
        let deleted = async { actions::delete(ctx.db(), ctx.viewer(), ImageId::parse("id", &input.id)?).await };
        ProductImageDeletePayload::of(deleted.await.map(image))
    }
}
