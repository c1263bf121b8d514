//! The history of prices in the graph.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};
use chrono::{DateTime, Utc};

use crate::graphql::engine::connections::Connection;
use crate::graphql::engine::connections::nested;
use crate::graphql::engine::container::Ordered;
use crate::graphql::engine::container::Plain;
use crate::graphql::engine::scalars::Money;
use crate::graphql::engine::scalars::global;
use crate::graphql::engine::scalars::money;
use crate::graphql::schema::context::ContextExt;
use crate::graphql::schema::loaders::PageKey;
use crate::graphql::schema::products::Product;
use crate::graphql::schema::products::product;
use crate::graphql::schema::users::User;
use crate::graphql::schema::users::user;
use crate::{
    error::{Error, Result},
    ids::{ProductId, RowId},
    paging::{Cursor, Latest, Page, SortKey},
    prices::model::PriceChangeRow,
    products::model::ProductRow,
};

/// The list's name in cursors.
pub const HISTORY: &str = "price_changes";

/// See [`PriceChangeObject`].
pub type PriceChange = Ordered<PriceChangeObject>;

/// What a product cost from one moment on.
#[derive(Clone)]
pub struct PriceChangeObject(Arc<PriceChangeRow>);

impl Plain for PriceChangeObject {
    const PLAIN: &'static [&'static str] = &["id", "at"];
}

/// The object of a row.
pub fn price_change(row: impl Into<Arc<PriceChangeRow>>) -> PriceChange {
    Ordered(PriceChangeObject(row.into()))
}

impl PriceChangeObject {
    async fn of(&self, ctx: &Context<'_>) -> Result<Arc<ProductRow>> {
        let row = ctx.loaders().products_as_sold.load(self.0.product_id).await?;
        row.ok_or_else(|| Error::Internal("a price without its product".into()))
    }
}

/// What a product cost from one moment on. It is never changed.
#[Object(name = "PriceChange")]
impl PriceChangeObject {
    /// Opaque id, unique across all types.
    pub async fn id(&self) -> ID {
        global(self.0.id)
    }

    /// Price of one.
    async fn price(&self, ctx: &Context<'_>) -> Result<Money> {
        Ok(money(self.0.price, ctx.currency(self.of(ctx).await?.source_website_id).await?))
    }

    /// The price to compare with.
    async fn compare_at_price(&self, ctx: &Context<'_>) -> Result<Option<Money>> {
        let Some(price) = self.0.compare_at_price else { return Ok(None) };
        Ok(Some(money(price, ctx.currency(self.of(ctx).await?.source_website_id).await?)))
    }

    /// By whom; null where it was nobody known, and where you may not see them.
    async fn user(&self, ctx: &Context<'_>) -> Result<Option<User>> {
        let Some(id) = self.0.user_id else { return Ok(None) };
        Ok(ctx.loaders().users.load(id).await?.map(user))
    }

    /// Of which product.
    async fn product(&self, ctx: &Context<'_>) -> Result<Product> {
        Ok(product(self.of(ctx).await?))
    }

    /// From when on.
    async fn at(&self) -> DateTime<Utc> {
        self.0.at
    }
}

/// The history of a product, batched over all of them.
/// # Errors
/// Those of the statements.
pub async fn of_product(ctx: &Context<'_>, id: ProductId, page: Page) -> Result<Connection<PriceChange>> {
    let key = PageKey { parent: (), id: id.key(), list: Arc::new(Latest { page }) };
    let cursor = |row: &PriceChangeRow| Cursor::new(HISTORY, SortKey::Id, row.id.key());
    nested(ctx, &ctx.loaders().price_changes_of, key, cursor, price_change).await
}
