//! What can be done with stock.

use serde::Serialize;

use super::{
    model::{MAX_PIECES, NewMovement, Reason},
    store,
};
use crate::{
    auth::{Permission, Viewer},
    db::{
        Db,
        idempotency::{Claim, IdempotencyKey, Owner},
    },
    error::{Error, Result, UserErrorCode},
    ids::ProductId,
    products::{self, model::ProductRow},
    text::Check,
};

/// A correction of a stock.
#[derive(Debug, Clone, Serialize)]
pub struct Adjustment {
    /// Of which product.
    pub product: ProductId,
    /// Pieces: positive in, negative out.
    pub delta: i32,
    /// Why, in words.
    pub note: Option<String>,
}

/// Corrects a product's stock. Sent again with the same key it answers without doing it again.
/// # Errors
/// FORBIDDEN without a permission to write stock; NOT_FOUND for a product that is not the viewer's; OUT_OF_STOCK below
/// zero; user errors of the fields.
pub async fn adjust(db: &Db, viewer: &Viewer, adjustment: Adjustment, key: Option<String>) -> Result<ProductRow> {
    viewer.require_any(&[Permission::ManageStock, Permission::SellProducts])?;
    let me = viewer.require_user()?;
    if adjustment.delta == 0 || !(-MAX_PIECES..=MAX_PIECES).contains(&adjustment.delta) {
        let rule = format!("a correction is from -{MAX_PIECES} to {MAX_PIECES} pieces, and not 0");
        return Err(Error::user(UserErrorCode::OutOfRange, "delta", rule));
    }
    let mut check = Check::new();
    check.optional("note", adjustment.note.as_deref(), 1000);
    check.finish()?;
    let key = key.map(|key| IdempotencyKey { owner: Owner::User(me), operation: "stockAdjust", key });
    if let Some(key) = &key {
        key.check()?;
    }
    let scope = viewer.scope(Permission::ManageStock);
    let missing = || Error::not_found("productId", "product");
    db.transaction(async |conn| {
        let claimed = match &key {
            None => None,
            Some(key) => match key.claim(conn, &adjustment).await? {
                Claim::New(claimed) => Some(claimed),
                Claim::Done(product) => {
                    let product = [ProductId(product)];
                    return products::store::by_ids(conn, &scope, &product).await?.pop().ok_or_else(missing);
                }
            },
        };
        let product = products::store::lock_writable(conn, &scope, adjustment.product).await?.ok_or_else(missing)?;
        if product.stock.saturating_add(adjustment.delta) > MAX_PIECES {
            return Err(Error::user(
                UserErrorCode::OutOfRange,
                "delta",
                format!("a stock is at most {MAX_PIECES} pieces"),
            ));
        }
        let mut movement = NewMovement::new(product.id, None, Some(me), Reason::Adjustment, adjustment.delta);
        movement.note = adjustment.note.clone();
        store::insert(conn, &[movement]).await?;
        if let Some(claimed) = claimed {
            claimed.answer(conn, product.id.0).await?;
        }
        products::store::by_ids_as_sold(conn, &[product.id]).await?.pop().ok_or_else(missing)
    })
    .await
}
