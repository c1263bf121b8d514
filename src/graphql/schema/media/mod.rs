//! GraphQL types of product images.

pub mod upload;

mod catalog;
mod mutation;
mod query;
mod source;

pub use self::{catalog::*, mutation::*, query::*};

use std::sync::Arc;

use async_graphql::{Context, ID};
use chrono::{DateTime, Utc};
use souk_macros::object;

use crate::{
    auth::Permission,
    cache::Tag,
    error::{Error, Result, UserErrorCode},
    graphql::{
        engine::scalars::global_id,
        schema::{
            brands::{Brand, brand},
            categories::{Category, category},
            context::ContextExt,
            loaders::by_parent,
            products::{Product, product},
            resource::resource,
        },
    },
    ids::{ImageId, ProductId, RowId, TransferId},
    media::{
        self,
        model::{CatalogOwner, Image as StoredImage, MAX_WIDTH, RenditionFormat},
    },
};

/// An image of a product, a category, or the logo of a brand.
#[derive(Clone)]
pub struct Image(Arc<StoredImage>);

/// Creates the object of an image.
pub fn image(image: impl Into<Arc<StoredImage>>) -> Image {
    Image(image.into())
}

impl Image {
    /// Checks whether the viewer may change the product, brand or category of the image.
    async fn can_edit(&self, ctx: &Context<'_>) -> Result<bool> {
        let viewer = ctx.viewer();
        let Some(product) = self.0.row.product_id else { return Ok(viewer.can(Permission::ManageCatalogue)) };
        if !viewer.can(Permission::ManageProducts) && !viewer.can(Permission::SellProducts) {
            return Ok(false);
        }
        let Some(product) = ctx.loaders().row(product).await? else { return Ok(false) };
        let is_seller = product.seller_id.is_some() && product.seller_id == viewer.seller_id();
        Ok(is_seller || viewer.can_at(Permission::ManageProducts, product.source_website_id))
    }
}

resource! {
    Image by ImageId of media::model::Image,
    |conn, context, ids| media::store::by_ids(conn, &context.product_scope(), &ids), image => image.row.id,
    |_, row| Some(image(row)),
}

by_parent! {
    /// Images of products.
    ImagesByProduct by ProductId => media::model::Image,
    |conn, context, ids| media::store::by_product_ids(conn, &context.product_scope(), &ids), image => image.row.product_id,
    tags |id, _| vec![Tag::of("product", id.key())],
    cached Public, |images| images.len() * size_of::<media::model::Image>()
}

by_parent! {
    /// Images of brands and categories.
    ImagesByCatalogOwner by CatalogOwner => media::model::Image,
    |conn, _, owners| media::store::by_catalog_owners(conn, &owners), image => image.row.catalog_owner(),
    tags |owner, _| vec![match owner {
        CatalogOwner::Brand(id) => Tag::of("brand", id.key()),
        CatalogOwner::Category(id) => Tag::of("category", id.key()),
    }]
}

by_parent! {
    /// Images that an import could not download, by reason.
    ImageFailuresByTransfer by TransferId => media::model::ImageFailure,
    |conn, _, ids| media::store::downloads::failures_by_transfers(conn, &ids), failure => failure.transfer
}

/// An image of a product, a category, or the logo of a brand.
#[object]
impl Image {
    /// Opaque global ID.
    pub fn id(&self) -> ID {
        global_id(self.0.row.id)
    }

    /// Absolute URL of the smallest rendition that is at least `width` pixels wide, or of the largest one if none is. It is
    /// permanent, except for an image of a product that is not for sale: its URL is signed, for the viewer, and expires within
    /// an hour. Null until the image has been downloaded.
    async fn url(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Required width in pixels, 1 to 20,000; defaults to the largest rendition.")] width: Option<
            i32,
        >,
        #[graphql(desc = "Image format; default: `WEBP`.", default)] format: RenditionFormat,
    ) -> Result<Option<String>> {
        if width.is_some_and(|width| !(1..=MAX_WIDTH).contains(&width)) {
            return Err(Error::user(UserErrorCode::OutOfRange, "width", "width must be between 1 and 20,000"));
        }
        let (Some(media), processor) = (&self.0.media, &ctx.services().image_processor) else { return Ok(None) };
        let url = match self.0.is_public {
            true => processor.url(media, width, format),
            false => processor.signed_url(media, width, format).await?,
        };
        Ok(Some(ctx.absolute_url(url)))
    }

    /// Width of the original image in pixels. Null until the image has been downloaded.
    fn width(&self) -> Option<i32> {
        self.0.media.as_ref().map(|media| media.width)
    }

    /// Height of the original image in pixels. Null until the image has been downloaded.
    fn height(&self) -> Option<i32> {
        self.0.media.as_ref().map(|media| media.height)
    }

    /// BlurHash (blurha.sh) of the image, a placeholder to show while it loads. Null until the image has been
    /// downloaded.
    fn blurhash(&self) -> Option<&str> {
        self.0.media.as_ref().map(|media| media.blurhash.as_str())
    }

    /// Alternative text that describes the image; empty if there is none.
    fn alt(&self) -> &str {
        &self.0.row.alt
    }

    /// Product that the image belongs to. Null for the images of brands and categories.
    async fn product(&self, ctx: &Context<'_>) -> Result<Option<Product>> {
        let Some(id) = self.0.row.product_id else { return Ok(None) };
        Ok(ctx.loaders().row(id).await?.map(product))
    }

    /// Brand whose logo the image is; null otherwise.
    async fn brand(&self, ctx: &Context<'_>) -> Result<Option<Brand>> {
        let Some(id) = self.0.row.brand_id else { return Ok(None) };
        Ok(ctx.loaders().row(id).await?.map(brand))
    }

    /// Category whose image it is; null otherwise.
    async fn category(&self, ctx: &Context<'_>) -> Result<Option<Category>> {
        let Some(id) = self.0.row.category_id else { return Ok(None) };
        Ok(ctx.loaders().row(id).await?.map(category))
    }

    /// Position among the product's images, starting at 1; there may be gaps.
    fn position(&self) -> i32 {
        self.0.row.position
    }

    /// URL from which the image was or will be downloaded; null if it was uploaded. Visible to viewers who may change
    /// the product, brand or category; null otherwise.
    async fn source_url(&self, ctx: &Context<'_>) -> Result<Option<&str>> {
        Ok(if self.can_edit(ctx).await? { self.0.row.source_url.as_deref() } else { None })
    }

    /// Error of the last failed download; null if there was none. Visible to viewers who may change the product, brand or
    /// category; null otherwise.
    async fn failure(&self, ctx: &Context<'_>) -> Result<Option<&str>> {
        Ok(if self.can_edit(ctx).await? { self.0.row.failure.as_deref() } else { None })
    }

    /// When the image was created (UTC).
    fn created_at(&self) -> DateTime<Utc> {
        self.0.row.created_at
    }

    /// When the image was last updated (UTC).
    fn updated_at(&self, ctx: &Context<'_>) -> DateTime<Utc> {
        // It changes with each attempt to download the image, which otherwise changes nothing that the public sees.
        ctx.depend_on_unknown();
        self.0.row.updated_at
    }
}
