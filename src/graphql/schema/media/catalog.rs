//! Mutations of brand logos and category images.

use async_graphql::{Context, ID, InputObject};
use souk_macros::object;

use super::{ImagesByCategory, LogosByBrand, image, mutation::ImageSource, upload::Upload};
use crate::{
    auth::Permission,
    error::Result,
    graphql::{
        engine::{guards::PermissionGuard, payload::payload},
        schema::{
            brands::{Brand, brand},
            categories::{Category, category},
            context::ContextExt,
            media::Image,
        },
    },
    ids::{BrandId, CategoryId, RowId},
    media::{actions::catalog_images, model::CatalogOwner},
};

/// Input for `brandLogoSet`. Exactly one of `file`, `uploadId` and `url` must be set.
#[derive(Debug, InputObject)]
pub struct BrandLogoSetInput {
    /// ID of the brand.
    brand_id: ID,
    /// A file of this request: JPEG, PNG, WebP or GIF, at most 50 million pixels.
    file: Option<Upload>,
    /// ID of a file that was uploaded to the URL of `uploadCreate`.
    upload_id: Option<ID>,
    /// Public `http` or `https` URL, at most 2,000 characters, from which the logo is downloaded in the background.
    /// Until then the logo has no `url`.
    url: Option<String>,
    /// Alternative text that describes the image, at most 500 characters. Defaults to an empty text.
    #[graphql(default)]
    alt: String,
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
    /// A file of this request: JPEG, PNG, WebP or GIF, at most 50 million pixels.
    file: Option<Upload>,
    /// ID of a file that was uploaded to the URL of `uploadCreate`.
    upload_id: Option<ID>,
    /// Public `http` or `https` URL, at most 2,000 characters, from which the image is downloaded in the background.
    /// Until then the image has no `url`.
    url: Option<String>,
    /// Alternative text that describes the image, at most 500 characters. Defaults to an empty text.
    #[graphql(default)]
    alt: String,
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

/// Returns the logo of a brand, batched.
/// # Errors
/// That of the whole batch.
pub async fn logo_of(ctx: &Context<'_>, id: BrandId) -> Result<Option<Image>> {
    Ok(ctx.loaders().group::<LogosByBrand, _>(id).await?.first().cloned().map(image))
}

/// Returns the image of a category, batched.
/// # Errors
/// That of the whole batch.
pub async fn image_of(ctx: &Context<'_>, id: CategoryId) -> Result<Option<Image>> {
    Ok(ctx.loaders().group::<ImagesByCategory, _>(id).await?.first().cloned().map(image))
}

async fn set(ctx: &Context<'_>, owner: CatalogOwner, alt: String, source: ImageSource) -> Result<()> {
    let (db, viewer, processor) = (ctx.db(), ctx.viewer(), &ctx.services().image_processor);
    match source {
        ImageSource::File(file) => catalog_images::set(db, processor, viewer, owner, alt, file).await.map(drop),
        ImageSource::Upload(key, file) => {
            catalog_images::set(db, processor, viewer, owner, alt, file).await?;
            processor.storage().delete(&key).await
        }
        ImageSource::Url(url) => catalog_images::set_by_url(db, processor, viewer, owner, alt, url).await.map(drop),
    }
}

async fn set_logo(ctx: &Context<'_>, input: BrandLogoSetInput) -> Result<Option<Brand>> {
    let id = BrandId::parse("brandId", &input.brand_id)?;
    let source = ImageSource::read(ctx, input.file, input.upload_id, input.url).await?;
    set(ctx, CatalogOwner::Brand(id), input.alt, source).await?;
    Ok(ctx.loaders().row(id).await?.map(brand))
}

async fn delete_logo(ctx: &Context<'_>, input: BrandLogoDeleteInput) -> Result<Option<Brand>> {
    let id = BrandId::parse("brandId", &input.brand_id)?;
    catalog_images::delete(ctx.db(), ctx.viewer(), CatalogOwner::Brand(id)).await?;
    Ok(ctx.loaders().row(id).await?.map(brand))
}

async fn set_image(ctx: &Context<'_>, input: CategoryImageSetInput) -> Result<Option<Category>> {
    let id = CategoryId::parse("categoryId", &input.category_id)?;
    let source = ImageSource::read(ctx, input.file, input.upload_id, input.url).await?;
    set(ctx, CatalogOwner::Category(id), input.alt, source).await?;
    Ok(ctx.loaders().row(id).await?.map(category))
}

async fn delete_image(ctx: &Context<'_>, input: CategoryImageDeleteInput) -> Result<Option<Category>> {
    let id = CategoryId::parse("categoryId", &input.category_id)?;
    catalog_images::delete(ctx.db(), ctx.viewer(), CatalogOwner::Category(id)).await?;
    Ok(ctx.loaders().row(id).await?.map(category))
}

/// Mutations of brand logos and category images.
#[derive(Default)]
pub struct CatalogImageMutation;

#[object]
impl CatalogImageMutation {
    /// Sets the logo of a brand and replaces the previous one. Requires `MANAGE_CATALOGUE`.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageCatalogue])")]
    async fn brand_logo_set(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The brand and its logo.")] input: BrandLogoSetInput,
    ) -> Result<BrandLogoSetPayload> {
        BrandLogoSetPayload::of(set_logo(ctx, input).await)
    }

    /// Deletes the logo of a brand. Requires `MANAGE_CATALOGUE`.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageCatalogue])")]
    async fn brand_logo_delete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The brand.")] input: BrandLogoDeleteInput,
    ) -> Result<BrandLogoDeletePayload> {
        BrandLogoDeletePayload::of(delete_logo(ctx, input).await)
    }

    /// Sets the image of a category and replaces the previous one. Requires `MANAGE_CATALOGUE`.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageCatalogue])")]
    async fn category_image_set(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The category and its image.")] input: CategoryImageSetInput,
    ) -> Result<CategoryImageSetPayload> {
        CategoryImageSetPayload::of(set_image(ctx, input).await)
    }

    /// Deletes the image of a category. Requires `MANAGE_CATALOGUE`.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageCatalogue])")]
    async fn category_image_delete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The category.")] input: CategoryImageDeleteInput,
    ) -> Result<CategoryImageDeletePayload> {
        CategoryImageDeletePayload::of(delete_image(ctx, input).await)
    }
}
