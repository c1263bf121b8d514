//! Lookup of an order by its number and email address, for guests who no longer have their cart token.
//! Rule: an unknown number, a wrong email address and an order of a user look the same and take the same statements;
//! failed lookups are limited, so that neither can be guessed.

use crate::{
    access::{actions::throttle, model::throttle::AttemptKind},
    auth::{Permission, RequestOrigin, Scope, Viewer},
    config::AttemptSettings,
    db::Db,
    error::Result,
    ids::{CodeOrId, WebsiteId},
    orders::{model::OrderRow, store},
    text::{self, trim},
};

/// Number of characters of an order number that lookups are counted by; no order number is longer.
const MAX_NUMBER: usize = 100;

/// Number of characters of a malformed email address that is looked up; no email address is longer.
const MAX_EMAIL: usize = 254;

/// Returns the order with this number and the contact's email address: an order of a guest, or one that the viewer may
/// see anyway. If several websites have one, the latest is returned, unless the website is named.
/// # Errors
/// [`Error::TooManyAttempts`](crate::error::Error::TooManyAttempts) after too many failed lookups from the client's
/// network, or of the number.
pub async fn find_by_number_and_email(
    db: &Db,
    attempts: &AttemptSettings,
    viewer: &Viewer,
    origin: &RequestOrigin,
    number: &str,
    email: &str,
    website: Option<&CodeOrId<WebsiteId>>,
) -> Result<Option<OrderRow>> {
    let number: String = trim(number).chars().take(MAX_NUMBER + 1).collect();
    // Numbers of orders placed here are in capital letters, however a guest types them.
    let capitals = number.to_uppercase();
    // A malformed address matches no order; the lookup takes the same path and time as for any other address.
    let malformed = || trim(email).to_lowercase().chars().take(MAX_EMAIL + 1).collect();
    let email = text::normalize_email("email", email).unwrap_or_else(|_| malformed());
    // Sellers do not see the email addresses of their buyers, so they must not find them by guessing.
    let scope = match viewer.scope(Permission::ManageOrders) {
        Scope::Seller { own, .. } => Scope::Own(own),
        other => other,
    };
    let attempt = throttle::count_attempt(db, attempts, AttemptKind::OrderLookup, origin, Some(&capitals)).await?;
    let numbers = vec![number, capitals];
    let found =
        db.read(async |conn| store::by_numbers_and_email(conn, &scope, numbers.clone(), &email, website).await).await;
    // Neither a success nor an internal error is a guess.
    if !matches!(&found, Ok(orders) if orders.is_empty()) {
        db.transaction(async |conn| throttle::undo_attempt(conn, &attempt).await).await?;
    }
    Ok(found?.into_iter().max_by_key(|order| (order.placed_at, order.id)))
}
