//! GraphQL type of the price history of products, and the currencies of lists that are filtered or sorted by amount.

mod scope;

pub(crate) use self::scope::amount_where;
pub use self::scope::{AmountWhere, PRICES, PriceScope, TOTAL_AMOUNTS};

use std::sync::Arc;

use async_graphql::{Context, ID};
use chrono::{DateTime, Utc};
use souk_macros::object;

use crate::{
    cache::Tag,
    db::PlanMode,
    error::{Error, Result},
    graphql::{
        engine::{
            connections::Connection,
            scalars::{Money, global_id, money},
        },
        schema::{
            context::ContextExt,
            loaders::by_key,
            nested_lists::{connection_of, nested_list},
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

/// Name of the list in cursors.
pub const CURSOR_LIST_NAME: &str = "price_changes";

/// A price of a product that applied from a point in time.
#[derive(Clone)]
pub struct PriceChange(Arc<PriceChangeRow>);

impl PriceChange {
    async fn product_row(&self, ctx: &Context<'_>) -> Result<Arc<ProductRow>> {
        let row = ctx.loaders().load::<UnscopedProducts>(self.0.product_id).await?;
        row.ok_or_else(|| Error::Internal("price change refers to a missing product".into()))
    }
}

resource! {
    PriceChange(price_change) by PriceChangeId of PriceChangeRow,
    |conn, context, ids| prices::store::by_ids(conn, &context.product_scope(), &ids), row => row.id,
}

nested_list! {
    /// Price changes of products.
    PriceChangePages of ((), NewestFirst) => PriceChangeRow,
    |conn, _, (), list, ids|
    rows prices::store::pages_by_product_ids(conn, list, ids),
    counts prices::store::counts_by_product_ids(conn, ids),
    plans PlanMode::Generic
}

by_key! {
    /// Latest price changes of products.
    LatestPrices by ProductId => PriceChangeRow,
    |conn, _, ids| prices::store::latest_by_product_ids(conn, &ids), row => row.product_id,
    tags |id, _| vec![Tag::of("product", id.key())]
}

/// A change of a product's price or compare-at price. Price changes are immutable.
#[object]
impl PriceChange {
    /// Opaque global ID.
    pub fn id(&self) -> ID {
        global_id(self.0.id)
    }

    /// Price of one unit from this change on, in the website's currency.
    async fn price(&self, ctx: &Context<'_>) -> Result<Money> {
        Ok(money(self.0.price, ctx.currency(self.product_row(ctx).await?.source_website_id).await?))
    }

    /// Compare-at price from this change on; null if there is none.
    async fn compare_at_price(&self, ctx: &Context<'_>) -> Result<Option<Money>> {
        let Some(price) = self.0.compare_at_price else { return Ok(None) };
        Ok(Some(money(price, ctx.currency(self.product_row(ctx).await?.source_website_id).await?)))
    }

    /// User who changed the price. Null if the user is unknown or not visible to the viewer.
    async fn user(&self, ctx: &Context<'_>) -> Result<Option<User>> {
        let Some(id) = self.0.user_id else { return Ok(None) };
        Ok(ctx.loaders().row(id).await?.map(user))
    }

    /// Product whose price changed.
    async fn product(&self, ctx: &Context<'_>) -> Result<Product> {
        Ok(product(self.product_row(ctx).await?))
    }

    /// When the price took effect (UTC).
    fn at(&self) -> DateTime<Utc> {
        self.0.at
    }
}

/// Returns the price history of a product, batched over all products.
/// # Errors
/// Returns the errors of the statements.
pub async fn history_of_product(ctx: &Context<'_>, id: ProductId, page: Page) -> Result<Connection<PriceChange>> {
    let cursor = |_: &NewestFirst, row: &PriceChangeRow| Cursor::new(CURSOR_LIST_NAME, SortKey::Id, row.id.key());
    connection_of::<PriceChangePages, _>(ctx, (), id.key(), NewestFirst { page }, cursor, price_change).await
}
