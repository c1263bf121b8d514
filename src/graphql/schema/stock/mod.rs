//! GraphQL types and mutations of stock and its ledger.

mod subscription;

pub use self::subscription::StockSubscription;

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject};
use chrono::{DateTime, Utc};
use souk_macros::object;

use crate::{
    auth::Permission,
    db::PlanMode,
    error::{Error, Result},
    graphql::{
        engine::{connections::Connection, guards::PermissionGuard, payload::payload, scalars::global_id},
        schema::{
            context::ContextExt,
            nested_lists::{connection_of, nested_list},
            orders::{Order, order},
            products::{Product, UnscopedProducts, product},
            resource::resource,
            users::{User, user},
        },
    },
    ids::{ProductId, RowId, StockMovementId},
    paging::{Cursor, NewestFirst, Page, SortKey},
    stock::{
        self, actions,
        model::{MovementRow, Reason},
    },
};

/// Name of the list in cursors.
pub const CURSOR_LIST_NAME: &str = "stock_movements";

/// An entry of the stock ledger.
#[derive(Clone)]
pub struct StockMovement(Arc<MovementRow>);

resource! {
    StockMovement(movement) by StockMovementId of MovementRow,
    |conn, context, ids| stock::store::by_ids(conn, &context.scope(Permission::ManageStock), &ids), row => row.id,
}

nested_list! {
    /// Stock ledger entries of products.
    MovementPages of ((), NewestFirst) => MovementRow,
    |conn, _, (), list, ids|
    rows stock::store::pages_by_product_ids(conn, list, ids),
    counts stock::store::counts_by_product_ids(conn, ids),
    plans PlanMode::Generic
}

/// An entry of the stock ledger: units were added to or removed from a product's stock. Entries are immutable.
#[object]
impl StockMovement {
    /// Opaque global ID.
    pub fn id(&self) -> ID {
        global_id(self.0.id)
    }

    /// Reason for the change.
    fn reason(&self) -> Reason {
        self.0.reason
    }

    /// Change in units: positive for additions, negative for removals.
    fn delta(&self) -> i32 {
        self.0.delta
    }

    /// Stock after the change; negative if units were sold on backorder.
    fn balance_after(&self) -> i32 {
        self.0.balance
    }

    /// Note of the user who made the change; null if there is none.
    fn note(&self) -> Option<&str> {
        self.0.note.as_deref()
    }

    /// Order that caused the change. Null if there is none, or if the viewer may not see it.
    async fn order(&self, ctx: &Context<'_>) -> Result<Option<Order>> {
        let Some(id) = self.0.order_id else { return Ok(None) };
        Ok(ctx.loaders().row(id).await?.map(order))
    }

    /// User who made the change. Null if the user is unknown or not visible to the viewer.
    async fn user(&self, ctx: &Context<'_>) -> Result<Option<User>> {
        let Some(id) = self.0.user_id else { return Ok(None) };
        Ok(ctx.loaders().row(id).await?.map(user))
    }

    /// Product whose stock changed.
    async fn product(&self, ctx: &Context<'_>) -> Result<Product> {
        let row = ctx.loaders().load::<UnscopedProducts>(self.0.product_id).await?;
        row.map(product).ok_or_else(|| Error::Internal("stock movement refers to a missing product".into()))
    }

    /// When the entry was created (UTC).
    fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }
}

/// Returns the stock ledger of a product, batched over all products.
/// # Errors
/// Returns the errors of the statements.
pub async fn movements_of_product(ctx: &Context<'_>, id: ProductId, page: Page) -> Result<Connection<StockMovement>> {
    let cursor = |_: &NewestFirst, row: &MovementRow| Cursor::new(CURSOR_LIST_NAME, SortKey::Id, row.id.key());
    connection_of::<MovementPages, _>(ctx, (), id.key(), NewestFirst { page }, cursor, movement).await
}

/// Input for `stockAdjust`.
#[derive(Debug, InputObject)]
pub struct StockAdjustInput {
    /// ID of the product.
    product_id: ID,
    /// Change in units, -1,000,000 to 1,000,000, not 0. The resulting stock must be 0 to 1,000,000, or -1,000,000 to
    /// 1,000,000 if the product allows backorders.
    delta: i32,
    /// Reason for the adjustment, at most 1,000 characters.
    note: Option<String>,
    /// Key chosen by the client, 1 to 200 characters. Repeating a request with the same key does not change the stock
    /// again.
    idempotency_key: Option<String>,
}

/// Input for `stockSet`.
#[derive(Debug, InputObject)]
pub struct StockSetInput {
    /// ID of the product.
    product_id: ID,
    /// Counted number of units in stock, 0 to 1,000,000.
    quantity: i32,
    /// Stock that the client last saw. If the stock has changed since, nothing is written and the error code is
    /// `STOCK_CHANGED`. If omitted, the stock is set unconditionally.
    compare: Option<i32>,
    /// Reason for the adjustment, at most 1,000 characters.
    note: Option<String>,
    /// Key chosen by the client, 1 to 200 characters. Repeating a request with the same key does not change the stock
    /// again.
    idempotency_key: Option<String>,
}

payload! {
    /// Result of `stockAdjust`.
    StockAdjustPayload {
        /// The product with its new stock.
        product: Product
    }
}
payload! {
    /// Result of `stockSet`.
    StockSetPayload {
        /// The product with its new stock.
        product: Product
    }
}

/// Mutation root for stock.
#[derive(Default)]
pub struct StockMutation;

#[object]
impl StockMutation {
    /// Adds units to or removes units from a product's stock. Requires `MANAGE_STOCK`, or `SELL_PRODUCTS` for the
    /// viewer's own products.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageStock, Permission::SellProducts])")]
    async fn stock_adjust(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Product and the change of its stock.")] input: StockAdjustInput,
    ) -> Result<StockAdjustPayload> {
        let adjusted = async {
            let product = ProductId::parse("productId", &input.product_id)?;
            let adjustment = actions::Adjustment { product, delta: input.delta, note: input.note };
            actions::adjust(ctx.db(), ctx.viewer(), adjustment, input.idempotency_key).await
        };
        StockAdjustPayload::of(adjusted.await.map(product))
    }

    /// Sets a product's stock to a counted quantity, optionally only if it has not changed since it was read. The
    /// difference is recorded in the stock ledger. Requires `MANAGE_STOCK`, or `SELL_PRODUCTS` for the viewer's own
    /// products.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageStock, Permission::SellProducts])")]
    async fn stock_set(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Product and its counted stock.")] input: StockSetInput,
    ) -> Result<StockSetPayload> {
        let set = async {
            let product = ProductId::parse("productId", &input.product_id)?;
            let StockSetInput { quantity, compare, note, .. } = input;
            let count = actions::StockCount { product, quantity, compare, note };
            actions::set(ctx.db(), ctx.viewer(), count, input.idempotency_key).await
        };
        StockSetPayload::of(set.await.map(product))
    }
}
