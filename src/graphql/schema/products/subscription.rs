//! Subscriptions to products.

use async_graphql::{Context, Enum, ID};
use souk_macros::object;

use super::{Product, product};
use crate::{
    auth::Permission,
    error::Result,
    events::model::{EventKind, Topic},
    graphql::{
        engine::scalars::global_id,
        schema::{
            context::ContextExt,
            subscriptions::{PRODUCT_STAFF, event, event_object, product_topic},
        },
    },
    ids::ProductId,
    stock::model::can_see_stock,
};

/// Kind of a change of a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum ProductChangeKind {
    /// The product was created.
    Created,
    /// The product was changed.
    Updated,
    /// The product was deleted, or is not visible to the viewer any more.
    Deleted,
}

event_object! {
    /// A change of a product.
    ProductChange {
        /// ID of the product.
        product_id: ID,
        /// The product, as it is when the event is sent. Null if it was deleted, or is not visible to the viewer any more.
        product: Option<Product>,
        /// Kind of the change.
        kind: ProductChangeKind,
    }
}

/// Subscription root for products.
#[derive(Default)]
pub struct ProductSubscription;

#[object]
impl ProductSubscription {
    /// Sends an event for each change of a product, or of all products that are visible to the viewer. Stock has a
    /// subscription of its own, `stockChanged`. Changes that customers cannot see are events for staff and the product's
    /// seller only.
    async fn product_changed(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "ID of the product. Default: all products.")] id: Option<ID>,
        #[graphql(desc = "Send only products of this website, by ID or code. Not together with `id`.")] website: Option<
            ID,
        >,
        #[graphql(desc = "Send the events after this cursor first.")] after: Option<String>,
    ) -> Result<Option<ProductChange>> {
        let topic = product_topic(ctx, ("id", id), website, Topic::Product, Topic::Products).await?;
        let Some(event) = event(ctx, [topic], PRODUCT_STAFF, after)? else { return Ok(None) };
        let id: ProductId = event.subject();
        let row = ctx.loaders().row(id).await?;
        let is_staff = match &row {
            Some(row) => can_see_stock(ctx.viewer(), row),
            None => event.row.website.is_some_and(|website| ctx.viewer().can_at(Permission::ManageProducts, website)),
        };
        if !event.row.is_public && !is_staff {
            return Ok(None);
        }
        let kind = match (&row, event.row.kind) {
            (None, _) => ProductChangeKind::Deleted,
            (Some(_), EventKind::ProductCreated) => ProductChangeKind::Created,
            (Some(_), _) => ProductChangeKind::Updated,
        };
        Ok(Some(ProductChange { event, product_id: global_id(id), product: row.map(product), kind }))
    }
}
