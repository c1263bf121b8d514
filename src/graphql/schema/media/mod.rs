//! Pictures of products in the graph.

pub mod upload;

mod mutation;

pub use self::mutation::*;

use std::sync::Arc;

use async_graphql::{Context, ID};
use chrono::{DateTime, Utc};
use souk_macros::object;

use crate::{
    auth::Permission,
    error::Result,
    graphql::{
        engine::scalars::global_id,
        schema::{context::ContextExt, loaders::by_parent, resource::resource},
    },
    ids::{ImageId, ProductId},
    media::{
        self,
        model::{Image as StoredImage, RenditionFormat},
    },
};

/// A picture of a product.
#[derive(Clone)]
pub struct Image(Arc<StoredImage>);

/// The object of a picture.
pub fn image(image: impl Into<Arc<StoredImage>>) -> Image {
    Image(image.into())
}

impl Image {
    /// Whether the viewer may change the product that it shows.
    async fn can_edit(&self, ctx: &Context<'_>) -> Result<bool> {
        let viewer = ctx.viewer();
        if !viewer.can(Permission::ManageProducts) && !viewer.can(Permission::SellProducts) {
            return Ok(false);
        }
        let Some(product) = ctx.loaders().row(self.0.row.product_id).await? else { return Ok(false) };
        let is_seller = product.seller_id.is_some() && product.seller_id == viewer.user_id();
        Ok(is_seller || viewer.can_at(Permission::ManageProducts, product.source_website_id))
    }
}

resource! {
    Image by ImageId of media::model::Image,
    |conn, context, ids| media::store::by_ids(conn, &context.product_scope(), &ids), image => image.row.id,
    |_, row| Some(image(row)),
}

by_parent! {
    /// The images of products.
    ImagesByProduct by ProductId => media::model::Image,
    |conn, context, ids| media::store::by_product_ids(conn, &context.product_scope(), &ids), image => image.row.product_id
}

/// A picture of a product.
#[object]
impl Image {
    /// Opaque id, unique across all types.
    pub fn id(&self) -> ID {
        global_id(self.0.row.id)
    }

    /// Where it is, for good: the address of the smallest rendition that is wide enough. Null while it is to be fetched.
    async fn url(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The width it is needed in, in pixels; the largest there is without.")] width: Option<i32>,
        #[graphql(desc = "The format.", default)] format: RenditionFormat,
    ) -> Option<String> {
        self.0.media.as_ref().map(|media| ctx.services().image_processor.url(media, width, format))
    }

    /// Width of the picture as it came, in pixels. Null while it is to be fetched.
    fn width(&self) -> Option<i32> {
        self.0.media.as_ref().map(|media| media.width)
    }

    /// Height of the picture as it came, in pixels. Null while it is to be fetched.
    fn height(&self) -> Option<i32> {
        self.0.media.as_ref().map(|media| media.height)
    }

    /// A few colours of it as a text (blurha.sh), to show until it is there. Null while it is to be fetched.
    fn blurhash(&self) -> Option<&str> {
        self.0.media.as_ref().map(|media| media.blurhash.as_str())
    }

    /// What it shows, in words; empty where nobody said.
    fn alt(&self) -> &str {
        &self.0.row.alt
    }

    /// Its place among the pictures of its product, from 1; there may be gaps.
    fn position(&self) -> i32 {
        self.0.row.position
    }

    /// Where it was fetched from, or is to be; null for all but who may change the product.
    async fn source_url(&self, ctx: &Context<'_>) -> Result<Option<&str>> {
        Ok(if self.can_edit(ctx).await? { self.0.row.source_url.as_deref() } else { None })
    }

    /// Why it could not be fetched the last time; null for all but who may change the product.
    async fn failure(&self, ctx: &Context<'_>) -> Result<Option<&str>> {
        Ok(if self.can_edit(ctx).await? { self.0.row.failure.as_deref() } else { None })
    }

    /// When it was added.
    fn created_at(&self) -> DateTime<Utc> {
        self.0.row.created_at
    }

    /// When it was last changed.
    fn updated_at(&self) -> DateTime<Utc> {
        self.0.row.updated_at
    }
}
