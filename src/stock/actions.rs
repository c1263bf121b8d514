//! What can be done with stock.

use serde::Serialize;

use serde_json::{Value, json};

use super::{
    model::{MAX_QUANTITY, NewMovement, Reason},
    store,
};
use crate::{
    auth::{Permission, Viewer},
    db::{
        Conn, Db,
        idempotency::{Claim, IdempotencyKey, Owner},
    },
    error::{Error, Result, UserErrorCode},
    ids::{ProductId, RowId, UserId},
    products::{self, model::ProductRow},
    text::Validator,
};

/// A correction of a stock by so many pieces.
#[derive(Debug, Clone, Serialize)]
pub struct Adjustment {
    /// Of which product.
    pub product: ProductId,
    /// Pieces: positive in, negative out.
    pub delta: i32,
    /// Why, in words.
    pub note: Option<String>,
}

/// A stock that was counted.
#[derive(Debug, Clone, Serialize)]
pub struct StockCount {
    /// Of which product.
    pub product: ProductId,
    /// Pieces that are there.
    pub quantity: i32,
    /// Only where the stock is still this one.
    pub compare: Option<i32>,
    /// Why, in words.
    pub note: Option<String>,
}

/// Corrects a product's stock. Sent again with the same key it answers without doing it again.
/// # Errors
/// FORBIDDEN without a permission to write stock; NOT_FOUND for a product that is not the viewer's; OUT_OF_STOCK below
/// zero; user errors of the fields.
pub async fn adjust(db: &Db, viewer: &Viewer, adjustment: Adjustment, key: Option<String>) -> Result<ProductRow> {
    let delta = adjustment.delta;
    if delta == 0 || !(-MAX_QUANTITY..=MAX_QUANTITY).contains(&delta) {
        let rule = format!("a correction is from -{MAX_QUANTITY} to {MAX_QUANTITY} pieces, and not 0");
        return reject(viewer, Error::user(UserErrorCode::OutOfRange, "delta", rule));
    }
    let (product, note) = (adjustment.product, adjustment.note.clone());
    write(db, viewer, key.map(|key| ("stockAdjust", key)), &adjustment, product, note, |product| {
        if product.stock.saturating_add(delta) > MAX_QUANTITY {
            let rule = format!("a stock is at most {MAX_QUANTITY} pieces");
            return Err(Error::user(UserErrorCode::OutOfRange, "delta", rule));
        }
        Ok(delta)
    })
    .await
}

/// Sets a product's stock to what was counted, where it is still what it was before. Sent again with the same key it
/// answers without doing it again.
/// # Errors
/// As [`adjust`]; STOCK_CHANGED where it is another stock than the one to compare with.
pub async fn set(db: &Db, viewer: &Viewer, count: StockCount, key: Option<String>) -> Result<ProductRow> {
    let StockCount { product, quantity, compare, note } = count.clone();
    for (field, quantity) in [("quantity", Some(quantity)), ("compare", compare)] {
        if quantity.is_some_and(|quantity| !(0..=MAX_QUANTITY).contains(&quantity)) {
            let rule = format!("a stock is from 0 to {MAX_QUANTITY} pieces");
            return reject(viewer, Error::user(UserErrorCode::OutOfRange, field, rule));
        }
    }
    write(db, viewer, key.map(|key| ("stockSet", key)), &count, product, note, |product| {
        if compare.is_some_and(|compare| compare != product.stock) {
            let rule = format!("the stock is {} by now: count again", product.stock);
            return Err(Error::user(UserErrorCode::StockChanged, "compare", rule));
        }
        Ok(quantity - product.stock)
    })
    .await
}

const MAY_WRITE: &[Permission] = &[Permission::ManageStock, Permission::SellProducts];

/// The broken rule, for those whose it is to break.
fn reject(viewer: &Viewer, rule: Error) -> Result<ProductRow> {
    viewer.require_any(MAY_WRITE)?;
    Err(rule)
}

/// Enters the movement that `delta` finds for the locked product; none for 0.
async fn write(
    db: &Db,
    viewer: &Viewer,
    key: Option<(&'static str, String)>,
    request: &(impl Serialize + Sync),
    product: ProductId,
    note: Option<String>,
    delta: impl Fn(&ProductRow) -> Result<i32> + Sync,
) -> Result<ProductRow> {
    viewer.require_any(MAY_WRITE)?;
    let me = viewer.require_user()?;
    let mut validator = Validator::new();
    validator.optional_text("note", note.as_deref(), 1000);
    validator.finish()?;
    let key = key.map(|(operation, key)| IdempotencyKey { owner: Owner::User(me), operation, key });
    if let Some(key) = &key {
        key.check()?;
    }
    let scope = viewer.scope(Permission::ManageStock);
    let missing = || Error::not_found("productId", "product");
    db.transaction(async |conn| {
        let claimed = match &key {
            None => None,
            Some(key) => match key.claim(conn, request).await? {
                Claim::New(claimed) => Some(claimed),
                Claim::Done(product) => {
                    let product = [ProductId(product)];
                    return products::store::by_ids(conn, &scope, &product).await?.pop().ok_or_else(missing);
                }
            },
        };
        let product = products::store::lock_writable(conn, &scope, product).await?.ok_or_else(missing)?;
        let delta = delta(&product)?;
        if delta != 0 {
            let mut movement = NewMovement::new(product.id, None, Some(me), Reason::Adjustment, delta);
            movement.note = note.clone();
            store::insert(conn, &[movement]).await?;
        }
        if let Some(claimed) = claimed {
            claimed.store_result(conn, product.id.0).await?;
        }
        products::store::by_ids_including_inactive(conn, &[product.id]).await?.pop().ok_or_else(missing)
    })
    .await
}

/// The stock movements that a user made, for the export of their data.
/// # Errors
/// Those of the statement.
pub async fn personal_data(conn: &Conn, user: UserId) -> Result<Value> {
    let rows = store::all_by_user(conn, user).await?;
    let shown = rows.iter().map(|row| {
        json!({
            "id": row.id.to_global_id(),
            "productId": row.product_id.to_global_id(),
            "orderId": row.order_id.map(RowId::to_global_id),
            "reason": row.reason.as_str().to_uppercase(),
            "delta": row.delta,
            "note": row.note,
            "createdAt": row.created_at,
        })
    });
    Ok(shown.collect())
}

/// Changes nothing: the ledger is append-only, and names the user by their id alone.
/// # Errors
/// Those of the statement.
pub async fn erase_personal_data(_: &Conn, _: UserId) -> Result<()> {
    Ok(())
}
