//! Pictures of products in the graph.

pub mod upload;

mod mutation;

pub use self::mutation::*;

use std::sync::Arc;

use async_graphql::{Context, ID, Object};
use chrono::{DateTime, Utc};

use crate::graphql::engine::container::Ordered;
use crate::graphql::engine::container::Plain;
use crate::graphql::engine::scalars::global;
use crate::graphql::schema::context::ContextExt;
use crate::{
    auth::Permission,
    error::Result,
    media::model::{Image as Picture, Rendition},
};

/// See [`ImageObject`].
pub type Image = Ordered<ImageObject>;

/// A picture of a product.
#[derive(Clone)]
pub struct ImageObject(Arc<Picture>);

impl Plain for ImageObject {
    const PLAIN: &'static [&'static str] =
        &["id", "url", "width", "height", "blurhash", "alt", "position", "createdAt", "updatedAt"];
}

/// The object of a picture.
pub fn image(picture: impl Into<Arc<Picture>>) -> Image {
    Ordered(ImageObject(picture.into()))
}

impl ImageObject {
    /// Whether the viewer may change the product that it shows.
    async fn is_mine(&self, ctx: &Context<'_>) -> Result<bool> {
        let viewer = ctx.viewer();
        if !viewer.can(Permission::ManageProducts) && !viewer.can(Permission::SellProducts) {
            return Ok(false);
        }
        let Some(product) = ctx.loaders().products.load(self.0.row.product_id).await? else { return Ok(false) };
        let is_seller = product.seller_id.is_some() && product.seller_id == viewer.user_id();
        Ok(is_seller || viewer.can_at(Permission::ManageProducts, product.source_website_id))
    }
}

/// A picture of a product.
#[Object(name = "Image")]
impl ImageObject {
    /// Opaque id, unique across all types.
    pub async fn id(&self) -> ID {
        global(self.0.row.id)
    }

    /// Where it is, for good: the address of the smallest rendition that is wide enough. Null while it is to be fetched.
    async fn url(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The width it is needed in, in pixels; the largest there is without.")] width: Option<i32>,
        #[graphql(desc = "The format.", default)] format: Rendition,
    ) -> Option<String> {
        self.0.media.as_ref().map(|media| ctx.services().studio.url(media, width, format))
    }

    /// Width of the picture as it came, in pixels. Null while it is to be fetched.
    async fn width(&self) -> Option<i32> {
        self.0.media.as_ref().map(|media| media.width)
    }

    /// Height of the picture as it came, in pixels. Null while it is to be fetched.
    async fn height(&self) -> Option<i32> {
        self.0.media.as_ref().map(|media| media.height)
    }

    /// A few colours of it as a text (blurha.sh), to show until it is there. Null while it is to be fetched.
    async fn blurhash(&self) -> Option<&str> {
        self.0.media.as_ref().map(|media| media.blurhash.as_str())
    }

    /// What it shows, in words; empty where nobody said.
    async fn alt(&self) -> &str {
        &self.0.row.alt
    }

    /// Its place among the pictures of its product, from 1; there may be gaps.
    async fn position(&self) -> i32 {
        self.0.row.position
    }

    /// Where it was fetched from, or is to be; null for all but who may change the product.
    async fn source_url(&self, ctx: &Context<'_>) -> Result<Option<&str>> {
        Ok(if self.is_mine(ctx).await? { self.0.row.source_url.as_deref() } else { None })
    }

    /// Why it could not be fetched the last time; null for all but who may change the product.
    async fn failure(&self, ctx: &Context<'_>) -> Result<Option<&str>> {
        Ok(if self.is_mine(ctx).await? { self.0.row.failure.as_deref() } else { None })
    }

    /// When it was added.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.row.created_at
    }

    /// When it was last changed.
    async fn updated_at(&self) -> DateTime<Utc> {
        self.0.row.updated_at
    }
}
