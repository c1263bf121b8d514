//! The ledger of stock in the graph.

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
            loaders::{connection_of, nested_list},
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

/// The list's name in cursors.
pub const CURSOR_LIST_NAME: &str = "stock_movements";

/// An entry of the ledger.
#[derive(Clone)]
pub struct StockMovement(Arc<MovementRow>);

resource! {
    StockMovement(movement) by StockMovementId of MovementRow,
    |conn, context, ids| stock::store::by_ids(conn, &context.scope(Permission::ManageStock), &ids), row => row.id,
}

nested_list! {
    /// The ledgers of products.
    MovementPages of ((), NewestFirst) => MovementRow,
    |conn, _, (), list, ids|
    rows stock::store::pages_by_product_ids(conn, list, ids),
    counts stock::store::counts_by_product_ids(conn, ids),
    plans PlanMode::Generic
}

/// An entry of the ledger of stock: pieces came or went. It is never changed.
#[object]
impl StockMovement {
    /// Opaque id, unique across all types.
    pub fn id(&self) -> ID {
        global_id(self.0.id)
    }

    /// Why.
    fn reason(&self) -> Reason {
        self.0.reason
    }

    /// Pieces: positive in, negative out.
    fn delta(&self) -> i32 {
        self.0.delta
    }

    /// The stock that it left.
    fn balance_after(&self) -> i32 {
        self.0.balance
    }

    /// What the person wrote.
    fn note(&self) -> Option<&str> {
        self.0.note.as_deref()
    }

    /// By which order; null where it was by none, and where you may not see it.
    async fn order(&self, ctx: &Context<'_>) -> Result<Option<Order>> {
        let Some(id) = self.0.order_id else { return Ok(None) };
        Ok(ctx.loaders().row(id).await?.map(order))
    }

    /// By whom; null where it was nobody known, and where you may not see them.
    async fn user(&self, ctx: &Context<'_>) -> Result<Option<User>> {
        let Some(id) = self.0.user_id else { return Ok(None) };
        Ok(ctx.loaders().row(id).await?.map(user))
    }

    /// Of which product.
    async fn product(&self, ctx: &Context<'_>) -> Result<Product> {
        let row = ctx.loaders().load::<UnscopedProducts>(self.0.product_id).await?;
        row.map(product).ok_or_else(|| Error::Internal("a movement without its product".into()))
    }

    /// When.
    fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }
}

/// The ledger of a product, batched over all of them.
/// # Errors
/// Those of the statements.
pub async fn movements_of_product(ctx: &Context<'_>, id: ProductId, page: Page) -> Result<Connection<StockMovement>> {
    let cursor = |_: &NewestFirst, row: &MovementRow| Cursor::new(CURSOR_LIST_NAME, SortKey::Id, row.id.key());
    connection_of::<MovementPages, _>(ctx, (), id.key(), NewestFirst { page }, cursor, movement).await
}

/// A correction of a stock.
#[derive(Debug, InputObject)]
pub struct StockAdjustInput {
    /// Of which product.
    product_id: ID,
    /// Pieces: positive in, negative out, never 0.
    delta: i32,
    /// Why, in words, at most 1,000 characters.
    note: Option<String>,
    /// Makes sending it again safe: the same key never counts twice.
    idempotency_key: Option<String>,
}

/// A stock that was counted.
#[derive(Debug, InputObject)]
pub struct StockSetInput {
    /// Of which product.
    product_id: ID,
    /// Pieces that are there, 0 to 1,000,000.
    quantity: i32,
    /// The stock as it was when you looked: where it is another one by now, nothing is written, and STOCK_CHANGED says
    /// what it is. Without it, whatever the stock is.
    compare: Option<i32>,
    /// Why, in words, at most 1,000 characters.
    note: Option<String>,
    /// Makes sending it again safe: the same key never counts twice.
    idempotency_key: Option<String>,
}

payload! {
    /// The answer of `stockAdjust`.
    StockAdjustPayload {
        /// The product with its new stock.
        product: Product
    }
}
payload! {
    /// The answer of `stockSet`.
    StockSetPayload {
        /// The product with its new stock.
        product: Product
    }
}

/// Mutations of stock.
#[derive(Default)]
pub struct StockMutation;

#[object]
impl StockMutation {
    /// Corrects a stock by so many pieces. Requires MANAGE_STOCK, or SELL_PRODUCTS for one's own.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageStock, Permission::SellProducts])")]
    async fn stock_adjust(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The correction.")] input: StockAdjustInput,
    ) -> Result<StockAdjustPayload> {
        let adjusted = async {
            let product = ProductId::parse("productId", &input.product_id)?;
            let adjustment = actions::Adjustment { product, delta: input.delta, note: input.note };
            actions::adjust(ctx.db(), ctx.viewer(), adjustment, input.idempotency_key).await
        };
        StockAdjustPayload::of(adjusted.await.map(product))
    }

    /// Sets a stock to what was counted, where nobody changed it meanwhile; the difference is an entry of the ledger.
    /// Requires MANAGE_STOCK, or SELL_PRODUCTS for one's own.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageStock, Permission::SellProducts])")]
    async fn stock_set(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The count.")] input: StockSetInput,
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
