//! Confirmation of an order's email address by its owner, with the token from the first confirmation of the order.
//! Rule: a token is valid once. It proves that the address is that of the user or guest who placed the order, and nothing
//! about others who order with it.

use super::{access::reread, emails::queue_deferred_confirmations_like};
use crate::{
    auth::secret,
    db::Db,
    error::{Error, Result, UserErrorCode},
    orders::{model::OrderRow, store},
};

/// Confirms the email address of an order, and sends the confirmations that were deferred until then.
/// # Errors
/// INVALID_TOKEN.
pub async fn confirm_email(db: &Db, token: &str) -> Result<OrderRow> {
    let hash = secret::hash(token);
    db.transaction(async |conn| {
        let order = store::email_confirmations::redeem(conn, &hash).await?.ok_or_else(invalid_token)?;
        let order = reread(conn, order).await?;
        queue_deferred_confirmations_like(conn, &order).await?;
        Ok(order)
    })
    .await
}

fn invalid_token() -> Error {
    let rule = "The link is invalid, already used or expired. The next order with this email address sends a new one.";
    Error::user(UserErrorCode::InvalidToken, "token", rule)
}
