//! Actions on the price history.
//! Rule: the database records price changes; nothing here changes one.

use serde_json::{Value, json};

use super::store;
use crate::{
    auth::Scope,
    db::Conn,
    error::Result,
    ids::{RowId, UserId},
    money::Currency,
};

/// Returns the price changes made by a user, for the export of personal data.
/// # Errors
/// Returns the error of the statement.
pub async fn personal_data(conn: &Conn, scope: &Scope, user: UserId) -> Result<Value> {
    let rows = store::all_by_user(conn, scope, user).await?;
    let shown = rows.iter().map(|(row, currency)| {
        let currency = Currency::from_stored(currency).unwrap_or(Currency::NONE);
        json!({
            "id": row.id.to_global_id(),
            "productId": row.product_id.to_global_id(),
            "price": currency.format(row.price),
            "compareAtPrice": row.compare_at_price.map(|price| currency.format(price)),
            "at": row.at,
        })
    });
    Ok(shown.collect())
}

/// Changes nothing: the price history is kept, and refers to the user by ID only.
/// # Errors
/// Never; the signature is the same for all domains.
pub async fn erase_personal_data(_: &Conn, _: UserId) -> Result<()> {
    Ok(())
}
