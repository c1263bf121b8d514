//! The history of prices in the graph.

use std::sync::Arc;

use async_graphql::{Context, ID};
use chrono::{DateTime, Utc};
use souk_macros::object;

use crate::{
    db::PlanMode,
    error::{Error, Result},
    graphql::{
        engine::{
            connections::Connection,
            scalars::{Money, global_id, money},
        },
        schema::{
            context::ContextExt,
            loaders::{by_key, connection_of, nested_list},
            products::{Product, UnscopedProducts, product},
            resource::resource,
            users::{User, user},
        },
    },
    ids::{PriceChangeId, ProductId, RowId},
    paging::{Cursor, NewestFirst, Page, SortKey},
    prices::{self, model::PriceChangeRow},
    products::model::ProductRow,
};

/// The list's name in cursors.
pub const CURSOR_LIST_NAME: &str = "price_changes";

/// What a product cost from one moment on.
#[derive(Clone)]
pub struct PriceChange(Arc<PriceChangeRow>);

impl PriceChange {
    async fn product_row(&self, ctx: &Context<'_>) -> Result<Arc<ProductRow>> {
        let row = ctx.loaders().load::<UnscopedProducts>(self.0.product_id).await?;
        row.ok_or_else(|| Error::Internal("a price without its product".into()))
    }
}

resource! {
    PriceChange(price_change) by PriceChangeId of PriceChangeRow,
    |conn, context, ids| prices::store::by_ids(conn, &context.product_scope(), &ids), row => row.id,
}

nested_list! {
    /// The prices that products had.
    PriceChangePages of ((), NewestFirst) => PriceChangeRow,
    |conn, _, (), list, ids|
    rows prices::store::pages_by_product_ids(conn, list, ids),
    counts prices::store::counts_by_product_ids(conn, ids),
    plans PlanMode::Generic
}

by_key! {
    /// The latest prices of products.
    LatestPrices by ProductId => PriceChangeRow,
    |conn, _, ids| prices::store::latest_by_product_ids(conn, &ids), row => row.product_id
}

/// What a product cost from one moment on. It is never changed.
#[object]
impl PriceChange {
    /// Opaque id, unique across all types.
    pub fn id(&self) -> ID {
        global_id(self.0.id)
    }

    /// Price of one.
    async fn price(&self, ctx: &Context<'_>) -> Result<Money> {
        Ok(money(self.0.price, ctx.currency(self.product_row(ctx).await?.source_website_id).await?))
    }

    /// The price to compare with.
    async fn compare_at_price(&self, ctx: &Context<'_>) -> Result<Option<Money>> {
        let Some(price) = self.0.compare_at_price else { return Ok(None) };
        Ok(Some(money(price, ctx.currency(self.product_row(ctx).await?.source_website_id).await?)))
    }

    /// By whom; null where it was nobody known, and where you may not see them.
    async fn user(&self, ctx: &Context<'_>) -> Result<Option<User>> {
        let Some(id) = self.0.user_id else { return Ok(None) };
        Ok(ctx.loaders().row(id).await?.map(user))
    }

    /// Of which product.
    async fn product(&self, ctx: &Context<'_>) -> Result<Product> {
        Ok(product(self.product_row(ctx).await?))
    }

    /// From when on.
    fn at(&self) -> DateTime<Utc> {
        self.0.at
    }
}

/// The history of a product, batched over all of them.
/// # Errors
/// Those of the statements.
pub async fn history_of_product(ctx: &Context<'_>, id: ProductId, page: Page) -> Result<Connection<PriceChange>> {
    let cursor = |_: &NewestFirst, row: &PriceChangeRow| Cursor::new(CURSOR_LIST_NAME, SortKey::Id, row.id.key());
    connection_of::<PriceChangePages, _>(ctx, (), id.key(), NewestFirst { page }, cursor, price_change).await
}
