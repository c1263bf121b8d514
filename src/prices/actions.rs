//! What can be done with the prices that products had.
//! Rule: prices are recorded by the database; nothing here changes one.

use serde_json::{Value, json};

use super::store;
use crate::{
    db::Conn,
    error::Result,
    ids::{RowId, UserId},
    money::format_amount,
};

/// The prices that a user set, for the export of their data.
/// # Errors
/// Those of the statement.
pub async fn personal_data(conn: &Conn, user: UserId) -> Result<Value> {
    let rows = store::all_by_user(conn, user).await?;
    let shown = rows.iter().map(|row| {
        json!({
            "id": row.id.to_global_id(),
            "productId": row.product_id.to_global_id(),
            "price": format_amount(row.price),
            "compareAtPrice": row.compare_at_price.map(format_amount),
            "at": row.at,
        })
    });
    Ok(shown.collect())
}

/// Changes nothing: the history of prices stays, and names the user by their id alone.
/// # Errors
/// Those of the statement.
pub async fn erase_personal_data(_: &Conn, _: UserId) -> Result<()> {
    Ok(())
}
