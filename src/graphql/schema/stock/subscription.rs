//! Subscriptions to stock.

use async_graphql::{Context, ID};
use souk_macros::object;

use crate::{
    error::{Error, Result},
    events::model::Topic,
    graphql::schema::{
        context::ContextExt,
        products::Product,
        subscriptions::{event, event_object, missing, website_of},
    },
    ids::{ProductId, RowId},
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
        let topic = match (product, website) {
            (Some(_), Some(_)) => return Err(Error::bad_input("website", "set either product or website")),
            (Some(id), None) => Topic::Stock(ProductId::parse("product", &id)?),
            (None, website) => Topic::Stocks(website_of(ctx, website).await?),
        };
        let Some(event) = event(ctx, [topic], after)? else {
            if let Topic::Stock(id) = topic
                && ctx.loaders().row(id).await?.is_none()
            {
                return Err(missing("product"));
            }
            return Ok(None);
        };
        let row = ctx.loaders().row::<ProductId>(event.subject()).await?;
        let row = row.filter(|row| event.row.is_public || can_see_stock(ctx.viewer(), row));
        Ok(row.map(|row| StockChange { event, product: super::product(row) }))
    }
}
