//! Actions on stock.

use serde::Serialize;

use serde_json::{Value, json};

use super::{
    model::{MAX_QUANTITY, NewMovement, Reason, can_manage_stock},
    store,
};
use crate::{
    auth::{Permission, Scope, Viewer},
    db::{
        Conn, Db,
        idempotency::{Claim, IdempotencyKey, Owner},
    },
    error::{Error, Result, UserErrorCode},
    groups::model::OptionValue,
    ids::{ProductId, RowId, UserId},
    products::{
        self,
        model::{NewProduct, ProductRow},
    },
    text::Validator,
};

/// Creates a product, optionally with an opening stock, which is the first entry of its stock ledger.
/// # Errors
/// Returns those of [`create_with_options`](products::actions::create_with_options); OUT_OF_RANGE for the stock;
/// PERMISSION_NOT_HELD for a stock that the viewer may not edit.
pub async fn create_product(
    db: &Db,
    viewer: &Viewer,
    new: NewProduct,
    options: Option<Vec<OptionValue>>,
    stock: Option<i32>,
) -> Result<ProductRow> {
    db.contended_transaction(async |conn| {
        let product = products::actions::create_with_options(conn, viewer, new.clone(), options.as_deref()).await?;
        let Some(stock) = stock else { return Ok(product) };
        if !(0..=MAX_QUANTITY).contains(&stock) {
            let rule = format!("stock must be between 0 and {MAX_QUANTITY}");
            return Err(Error::user(UserErrorCode::OutOfRange, "stock", rule));
        }
        if !can_manage_stock(viewer, &product) {
            let rule = "your role cannot set the stock; create the product without it";
            return Err(Error::user(UserErrorCode::PermissionNotHeld, "stock", rule));
        }
        if stock == 0 {
            return Ok(product);
        }
        let opening = NewMovement::new(product.id, None, viewer.user_id(), Reason::Opening, stock);
        store::insert(conn, &[opening]).await?;
        let product = products::store::by_ids_including_inactive(conn, &[product.id]).await?.pop();
        product.ok_or_else(|| Error::Internal("the inserted product was not found".into()))
    })
    .await
}

/// A change of a product's stock.
#[derive(Debug, Clone, Serialize)]
pub struct Adjustment {
    /// Product to adjust.
    pub product: ProductId,
    /// Change in units: positive for additions, negative for removals.
    pub delta: i32,
    /// Reason in words.
    pub note: Option<String>,
}

/// A counted stock.
#[derive(Debug, Clone, Serialize)]
pub struct StockCount {
    /// Product that was counted.
    pub product: ProductId,
    /// Counted number of units.
    pub quantity: i32,
    /// Expected current stock; if it differs, nothing is written.
    pub compare: Option<i32>,
    /// Reason in words.
    pub note: Option<String>,
}

/// Adjusts a product's stock. Repeating a request with the same key does not adjust it again.
/// # Errors
/// Returns FORBIDDEN without a permission to edit stock; NOT_FOUND for a product that the viewer may not edit;
/// OUT_OF_STOCK below zero; user errors of the fields.
pub async fn adjust(db: &Db, viewer: &Viewer, adjustment: Adjustment, key: Option<String>) -> Result<ProductRow> {
    let delta = adjustment.delta;
    if delta == 0 || !(-MAX_QUANTITY..=MAX_QUANTITY).contains(&delta) {
        let rule = format!("delta must be between -{MAX_QUANTITY} and {MAX_QUANTITY}, and not 0");
        return reject(viewer, Error::user(UserErrorCode::OutOfRange, "delta", rule));
    }
    let (product, note) = (adjustment.product, adjustment.note.clone());
    write(db, viewer, key.map(|key| ("stockAdjust", key)), &adjustment, product, note, |product| {
        if product.stock.saturating_add(delta) > MAX_QUANTITY {
            let rule = format!("stock must be at most {MAX_QUANTITY} units");
            return Err(Error::user(UserErrorCode::OutOfRange, "delta", rule));
        }
        Ok(delta)
    })
    .await
}

/// Sets a product's stock to a counted quantity, optionally only if the stock is still the expected one. Repeating a
/// request with the same key does not set it again.
/// # Errors
/// Returns those of [`adjust`]; STOCK_CHANGED if the stock differs from the expected one.
pub async fn set(db: &Db, viewer: &Viewer, count: StockCount, key: Option<String>) -> Result<ProductRow> {
    let StockCount { product, quantity, compare, note } = count.clone();
    for (field, quantity) in [("quantity", Some(quantity)), ("compare", compare)] {
        if quantity.is_some_and(|quantity| !(0..=MAX_QUANTITY).contains(&quantity)) {
            let rule = format!("{field} must be between 0 and {MAX_QUANTITY}");
            return reject(viewer, Error::user(UserErrorCode::OutOfRange, field, rule));
        }
    }
    write(db, viewer, key.map(|key| ("stockSet", key)), &count, product, note, |product| {
        if compare.is_some_and(|compare| compare != product.stock) {
            let rule = format!("the stock is now {}. Count again.", product.stock);
            return Err(Error::user(UserErrorCode::StockChanged, "compare", rule));
        }
        Ok(quantity - product.stock)
    })
    .await
}

const MAY_WRITE: &[Permission] = &[Permission::ManageStock, Permission::SellProducts];

/// Returns the error, unless the viewer has no permission to edit stock.
fn reject(viewer: &Viewer, rule: Error) -> Result<ProductRow> {
    viewer.require_any(MAY_WRITE)?;
    Err(rule)
}

/// Writes the stock movement that `delta` returns for the locked product; none for 0.
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
    let (mut validator, mut note) = (Validator::new(), note);
    validator.optional_texts("note", [&mut note], 1000);
    validator.finish()?;
    let key = key.map(|(operation, key)| IdempotencyKey { owner: Owner::User(me), operation, key });
    if let Some(key) = &key {
        key.check()?;
    }
    let scope = viewer.scope(Permission::ManageStock);
    let missing = || Error::not_found("productId", "product");
    db.contended_transaction(async |conn| {
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

/// Returns the stock movements made by a user, for the export of personal data.
/// # Errors
/// Returns the error of the statement.
pub async fn personal_data(conn: &Conn, scope: &Scope, user: UserId) -> Result<Value> {
    let rows = store::all_by_user(conn, scope, user).await?;
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

/// Changes nothing: the stock ledger is append-only, and refers to the user by ID only.
/// # Errors
/// Never; the signature is the same for all domains.
pub async fn erase_personal_data(_: &Conn, _: UserId) -> Result<()> {
    Ok(())
}
