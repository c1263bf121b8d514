//! Mutations of brand logos and category images.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject};
use souk_macros::object;

use super::{ImagesByCatalogOwner, image, source::ImageSource, upload::Upload};
use crate::{
    auth::Permission,
    error::Result,
    graphql::{
        engine::{guards::PermissionGuard, payload::payload},
        schema::{
            brands::{Brand, brand},
            categories::{Category, category},
            context::ContextExt,
            loaders::ResourceId,
            media::Image,
            resource::Resource,
        },
    },
    ids::{BrandId, CategoryId},
    media::{actions::catalog_images, model::CatalogOwner},
};

/// The new image of a brand or category: fields of `BrandLogoSetInput` and `CategoryImageSetInput`.
#[derive(Debug, InputObject)]
pub struct CatalogImageInput {
    /// A file of this request: JPEG, PNG, WebP or GIF, at most 50 million pixels.
    file: Option<Upload>,
    /// ID of a file that was uploaded to the URL of `uploadCreate`.
    upload_id: Option<ID>,
    /// Public `http` or `https` URL, at most 2,000 characters. The image is downloaded before the mutation responds, for at
    /// most 20 seconds.
    url: Option<String>,
    /// Alternative text that describes the image, at most 500 characters. Defaults to an empty text.
    #[graphql(default)]
    alt: String,
}

/// Input for `brandLogoSet`. Exactly one of `file`, `uploadId` and `url` must be set.
#[derive(Debug, InputObject)]
pub struct BrandLogoSetInput {
    /// ID of the brand.
    brand_id: ID,
    #[graphql(flatten)]
    image: CatalogImageInput,
}

/// Input for `brandLogoDelete`.
#[derive(Debug, InputObject)]
pub struct BrandLogoDeleteInput {
    /// ID of the brand.
    brand_id: ID,
}

/// Input for `categoryImageSet`. Exactly one of `file`, `uploadId` and `url` must be set.
#[derive(Debug, InputObject)]
pub struct CategoryImageSetInput {
    /// ID of the category.
    category_id: ID,
    #[graphql(flatten)]
    image: CatalogImageInput,
}

/// Input for `categoryImageDelete`.
#[derive(Debug, InputObject)]
pub struct CategoryImageDeleteInput {
    /// ID of the category.
    category_id: ID,
}

payload! {
    /// Result of `brandLogoSet`.
    BrandLogoSetPayload {
        /// The brand.
        brand: Brand
    }
}
payload! {
    /// Result of `brandLogoDelete`.
    BrandLogoDeletePayload {
        /// The brand.
        brand: Brand
    }
}
payload! {
    /// Result of `categoryImageSet`.
    CategoryImageSetPayload {
        /// The category.
        category: Category
    }
}
payload! {
    /// Result of `categoryImageDelete`.
    CategoryImageDeletePayload {
        /// The category.
        category: Category
    }
}

/// Returns the image of a brand or category, batched.
/// # Errors
/// That of the whole batch.
pub async fn image_of(ctx: &Context<'_>, owner: impl Into<CatalogOwner>) -> Result<Option<Image>> {
    Ok(ctx.loaders().group::<ImagesByCatalogOwner, _>(owner.into()).await?.first().cloned().map(image))
}

/// The row of a resource; none if the viewer may not see it.
type OptionalRow<I> = Option<Arc<<<I as ResourceId>::Resource as Resource>::Row>>;

async fn set<I>(ctx: &Context<'_>, field: &str, id: &ID, input: CatalogImageInput) -> Result<OptionalRow<I>>
where
    I: ResourceId + Into<CatalogOwner>,
{
    let (db, viewer, processor) = (ctx.db(), ctx.viewer(), &ctx.services().image_processor);
    let id = I::parse(field, id)?;
    let source = ImageSource::read(ctx, input.file, input.upload_id, input.url).await?;
    source.save(ctx, |content| catalog_images::set(db, processor, viewer, id.into(), input.alt, content)).await?;
    ctx.loaders().row(id).await
}

async fn delete<I>(ctx: &Context<'_>, field: &str, id: &ID) -> Result<OptionalRow<I>>
where
    I: ResourceId + Into<CatalogOwner>,
{
    let id = I::parse(field, id)?;
    catalog_images::delete(ctx.db(), ctx.viewer(), id.into()).await?;
    ctx.loaders().row(id).await
}

/// Mutations of brand logos and category images.
#[derive(Default)]
pub struct CatalogImageMutation;

#[object]
impl CatalogImageMutation {
    /// Sets the logo of a brand and replaces the previous one, which stays if this fails. Requires `MANAGE_CATALOGUE`.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageCatalogue])")]
    async fn brand_logo_set(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The brand and its logo.")] input: BrandLogoSetInput,
    ) -> Result<BrandLogoSetPayload> {
        let set = set::<BrandId>(ctx, "brandId", &input.brand_id, input.image).await;
        BrandLogoSetPayload::of(set.map(|row| row.map(brand)))
    }

    /// Deletes the logo of a brand. Requires `MANAGE_CATALOGUE`.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageCatalogue])")]
    async fn brand_logo_delete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The brand.")] input: BrandLogoDeleteInput,
    ) -> Result<BrandLogoDeletePayload> {
        let deleted = delete::<BrandId>(ctx, "brandId", &input.brand_id).await;
        BrandLogoDeletePayload::of(deleted.map(|row| row.map(brand)))
    }

    /// Sets the image of a category and replaces the previous one, which stays if this fails. Requires `MANAGE_CATALOGUE`.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageCatalogue])")]
    async fn category_image_set(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The category and its image.")] input: CategoryImageSetInput,
    ) -> Result<CategoryImageSetPayload> {
        let set = set::<CategoryId>(ctx, "categoryId", &input.category_id, input.image).await;
        CategoryImageSetPayload::of(set.map(|row| row.map(category)))
    }

    /// Deletes the image of a category. Requires `MANAGE_CATALOGUE`.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageCatalogue])")]
    async fn category_image_delete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The category.")] input: CategoryImageDeleteInput,
    ) -> Result<CategoryImageDeletePayload> {
        let deleted = delete::<CategoryId>(ctx, "categoryId", &input.category_id).await;
        CategoryImageDeletePayload::of(deleted.map(|row| row.map(category)))
    }
}
