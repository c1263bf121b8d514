//! Subscriptions to stock.

use async_graphql::{Context, ID};
use souk_macros::object;

use crate::{
    error::Result,
    events::model::Topic,
    graphql::schema::{
        context::ContextExt,
        products::Product,
        subscriptions::{PRODUCT_STAFF, event, event_object, product_topic},
    },
    ids::ProductId,
    stock::model::can_see_stock,
};

event_object! {
    /// A change of a product's stock.
    StockChange {
        /// The product, as it is when the event is sent. Its `stock` is visible to staff and the product's seller.
        product: Product,
    }
}

/// Subscription root for stock.
#[derive(Default)]
pub struct StockSubscription;

#[object]
impl StockSubscription {
    /// Sends an event for each change of a product's stock. Staff with `MANAGE_STOCK` or `MANAGE_PRODUCTS` and the product's
    /// seller get every change, also of the units that carts reserve. Others get changes of the availability, and of the
    /// number of units while the stock is low.
    async fn stock_changed(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "ID of the product. Default: all products.")] product: Option<ID>,
        #[graphql(desc = "Send only products of this website, by ID or code. Not together with `product`.")]
        website: Option<ID>,
        #[graphql(desc = "Send the events after this cursor first.")] after: Option<String>,
    ) -> Result<Option<StockChange>> {
        let topic = product_topic(ctx, ("product", product), website, Topic::Stock, Topic::Stocks).await?;
        let Some(event) = event(ctx, [topic], PRODUCT_STAFF, after)? else { return Ok(None) };
        let row = ctx.loaders().row::<ProductId>(event.subject()).await?;
        let row = row.filter(|row| event.row.is_public || can_see_stock(ctx.viewer(), row));
        Ok(row.map(|row| StockChange { event, product: super::product(row) }))
    }
}
